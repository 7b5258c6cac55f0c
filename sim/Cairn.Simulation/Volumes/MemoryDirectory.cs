namespace Cairn.Simulation.Volumes;

/// <summary>The entries of one directory, found by name and listed in the order they were added.</summary>
/// <remarks>
/// Invariant: an entry keeps its cookie, so a listing under change neither skips nor repeats those that stay.
/// </remarks>
internal sealed class MemoryDirectory
{
    private readonly Dictionary<byte[], MemoryEntry> _byName = new(NameComparer.Instance);
    private readonly Dictionary<byte[], MemoryEntry>.AlternateLookup<ReadOnlySpan<byte>> _bySpan;
    private readonly List<MemoryEntry> _inOrder = [];
    private ulong _lastCookie;

    public MemoryDirectory() => _bySpan = _byName.GetAlternateLookup<ReadOnlySpan<byte>>();

    public int Count => _byName.Count;

    public MemoryEntry? Find(ReadOnlySpan<byte> name) =>
        _bySpan.TryGetValue(name, out MemoryEntry? entry) ? entry : null;

    public void Add(ReadOnlySpan<byte> name, MemoryObject target)
    {
        var entry = new MemoryEntry(name.ToArray(), ++_lastCookie, target);
        _byName.Add(entry.Name, entry);
        _inOrder.Add(entry);
    }

    public void Remove(MemoryEntry entry)
    {
        _byName.Remove(entry.Name);
        entry.IsRemoved = true;
        if (_inOrder.Count > 32 && _inOrder.Count > 2 * _byName.Count)
        {
            _inOrder.RemoveAll(static e => e.IsRemoved);
        }
    }

    public IEnumerable<MemoryEntry> After(ulong cookie)
    {
        int low = 0;
        int high = _inOrder.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _inOrder[middle].Cookie > cookie ? (low, middle) : (middle + 1, high);
        }

        for (int i = low; i < _inOrder.Count; i++)
        {
            if (!_inOrder[i].IsRemoved)
            {
                yield return _inOrder[i];
            }
        }
    }
}

/// <summary>A name in a directory.</summary>
internal sealed class MemoryEntry(byte[] name, ulong cookie, MemoryObject target)
{
    public byte[] Name { get; } = name;

    public ulong Cookie { get; } = cookie;

    public MemoryObject Target { get; set; } = target;

    public bool IsRemoved { get; set; }
}
