using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Records;
using Cairn.Node.Logs.Index;
using Cairn.Node.Ports;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine;

/// <summary>Objects by their durable numbers: the rule of docs/formats/nodeid.md.</summary>
/// <remarks>
/// A number is the first eight bytes of the id, so no table is needed: the tree finds an object by a scan of that prefix.
/// Only an object that came when its number was taken has a record, in the index, from the moment it came.
/// What was asked for lately is remembered, with the length that was shown of it. Guarded by the volume's gate.
/// </remarks>
internal sealed class InodeMap
{
    private const ulong NumberMask = long.MaxValue;
    private const int RememberedMax = 1 << 17;

    /// <summary>So many rows of a scan cost less than two scans.</summary>
    private const int RowsForEach = 8;

    private static readonly byte[] Checked = [IndexTable.NodesOwn, (byte)'N'];
    private static readonly byte[] RecordsFrom = [IndexTable.NodesOwn, (byte)'n'];
    private static readonly byte[] RecordsTo = [IndexTable.NodesOwn, (byte)'n' + 1];

    private readonly TreeQueries _queries;
    private readonly IIndexStore _index;
    private readonly Dictionary<ulong, Known> _known = [];
    private readonly Dictionary<ObjectId, ulong> _moved = [];
    private readonly Dictionary<ulong, ObjectId> _movedTo = [];

    private record struct Known(ObjectId Id, long? Length);

    /// <summary>Reads the records; an index that was rebuilt is looked through for numbers that meet.</summary>
    public InodeMap(TreeQueries queries, IIndexStore index)
    {
        _queries = queries;
        _index = index;
        Load();
        if (!index.Get(Checked).TryGet(out byte[]? done, out _) || done is null)
        {
            CheckAll();
            _ = index.Apply([new IndexChange(Checked, new byte[] { 1 })]);
        }
    }

    /// <summary>The number of an object.</summary>
    public InodeNumber NumberOf(ObjectId id) => id == TreeQueries.Root
        ? InodeNumber.Root
        : new InodeNumber(_moved.Count > 0 && _moved.TryGetValue(id, out ulong moved) ? moved : FirstNumber(id));

    /// <summary>As <see cref="NumberOf"/>, for whoever will ask by the number next: it is remembered.</summary>
    /// <remarks>The first question by a number that is not remembered costs two scans of the index.</remarks>
    /// <param name="id">The object.</param>
    /// <param name="length">The length that is shown with it; null while it has no content.</param>
    public InodeNumber HandOut(ObjectId id, long? length)
    {
        InodeNumber number = NumberOf(id);
        if (id != TreeQueries.Root && !_movedTo.ContainsKey(number.Value))
        {
            Remember(number.Value, id, length);
        }

        return number;
    }

    /// <summary>The object of a number, or null if there is none.</summary>
    public ObjectId? ObjectOf(InodeNumber inode)
    {
        if (inode == InodeNumber.Root)
        {
            return TreeQueries.Root;
        }

        if (_known.TryGetValue(inode.Value, out Known asked))
        {
            return asked.Id;
        }

        if (_movedTo.TryGetValue(inode.Value, out ObjectId known))
        {
            return known;
        }

        ObjectId? found = FirstOf(inode.Value, except: null);
        if (found is { } id)
        {
            Remember(inode.Value, id, null);
        }

        return found;
    }

    /// <summary>The object of a number that was asked for lately.</summary>
    public ObjectId? Remembered(InodeNumber inode) =>
        _known.TryGetValue(inode.Value, out Known known) ? known.Id : null;

    /// <summary>Another length is shown of an object that is remembered.</summary>
    /// <returns>The length before; null if none was shown.</returns>
    public long? ChangeLength(InodeNumber inode, long length)
    {
        ref Known known = ref CollectionsMarshal.GetValueRefOrNullRef(_known, inode.Value);
        if (Unsafe.IsNullRef(ref known))
        {
            return null;
        }

        (long? before, known.Length) = (known.Length, length);
        return before;
    }

    /// <summary>An object appeared: where its number is taken, it gets the next free one, for good.</summary>
    public void Admit(ObjectId id)
    {
        ulong number = FirstNumber(id);
        if (id == TreeQueries.Root || _moved.ContainsKey(id) || !IsTaken(number, id))
        {
            return;
        }

        do
        {
            number = Next(number);
        }
        while (IsTaken(number, id));
        byte[] value = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(value, number);
        byte[] key = [.. RecordsFrom, .. id.Value.ToArray()];

        // Without the record the number holds for this run alone: better than two objects under one number.
        _ = _index.Apply([new IndexChange(key, value)]);
        Move(id, number);
    }

    /// <summary>As <see cref="Admit(ObjectId)"/> for those that are there, with few scans where many were made side by side.</summary>
    public void Admit(List<ObjectId> ids)
    {
        ids.Sort();
        Span<ObjectId> all = CollectionsMarshal.AsSpan(ids);
        for (int from = 0, end = 1; from < all.Length; from = end++)
        {
            while (end < all.Length && AreNear(all[from], all[end]))
            {
                end++;
            }

            if (!AreAlone(all[from..end]))
            {
                foreach (ObjectId id in all[from..end])
                {
                    if (_queries.Get(id) is not null)
                    {
                        Admit(id);
                    }
                }
            }
        }
    }

    /// <summary>Whether their ids begin alike: see <see cref="FreshIds"/>.</summary>
    private static bool AreNear(ObjectId one, ObjectId other)
    {
        Span<byte> bytes = stackalloc byte[2 * ObjectId.Size];
        one.Value.CopyTo(bytes);
        other.Value.CopyTo(bytes[ObjectId.Size..]);
        return bytes[..(TreeKeys.NearObjectsSize - 1)].SequenceEqual(
            bytes.Slice(ObjectId.Size, TreeKeys.NearObjectsSize - 1));
    }

    /// <summary>
    /// Whether nobody has or had the numbers of some objects that lie side by side but they; false also if that would cost
    /// more to find out at once than one by one.
    /// </summary>
    private bool AreAlone(ReadOnlySpan<ObjectId> near)
    {
        ulong first = FirstNumber(near[0]);
        if (near.Length == 1 || first == FirstNumber(default))
        {
            return false;
        }

        // Numbers that meet differ in their ids' eighth byte at most: all of the first's seven bytes and all of the last's.
        Span<byte> from = stackalloc byte[ObjectId.Size];
        near[0].Value.CopyTo(from);
        from[(sizeof(ulong) - 1)..].Clear();
        Span<byte> last = stackalloc byte[ObjectId.Size];
        near[^1].Value.CopyTo(last);
        int rowsMax = RowsForEach * near.Length;
        HashSet<ulong> numbers = new(near.Length);
        foreach (ObjectId id in _queries.ObjectsBetween(from, last[..(sizeof(ulong) - 1)]))
        {
            if (rowsMax-- == 0 || !numbers.Add(FirstNumber(id)))
            {
                return false;
            }
        }

        foreach (ObjectId id in near)
        {
            if (_moved.ContainsKey(id) || _movedTo.ContainsKey(FirstNumber(id)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether an id that was just drawn would meet a number that is known to be taken.</summary>
    public bool IsKnownTaken(ObjectId id) =>
        FirstNumber(id) is ulong number && (_known.ContainsKey(number) || _movedTo.ContainsKey(number));

    private static ulong FirstNumber(ObjectId id)
    {
        Span<byte> bytes = stackalloc byte[ObjectId.Size];
        id.Value.CopyTo(bytes);
        ulong number = BinaryPrimitives.ReadUInt64LittleEndian(bytes) & NumberMask;
        return number > 1 ? number : 2;
    }

    private static ulong Next(ulong number) => ((number + 1) & NumberMask) is > 1 and ulong next ? next : 2;

    private bool IsTaken(ulong number, ObjectId by) =>
        (_movedTo.TryGetValue(number, out ObjectId holder) && holder != by) || FirstOf(number, except: by) is not null;

    /// <summary>The object whose number comes from its id: of several the one that was not moved.</summary>
    private ObjectId? FirstOf(ulong number, ObjectId? except)
    {
        Span<byte> prefix = stackalloc byte[sizeof(ulong)];
        for (ulong low = number == 2 ? 0UL : number; low <= number; low++)
        {
            for (ulong top = 0; top <= 1; top++)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(prefix, low | (top << 63));
                foreach (ObjectId id in _queries.ObjectsWithPrefix(prefix))
                {
                    if (id != TreeQueries.Root && id != except && !_moved.ContainsKey(id))
                    {
                        return id;
                    }
                }
            }
        }

        return null;
    }

    private void Load()
    {
        Result<IReadOnlyList<KeyValuePair<byte[], byte[]>>, IndexError> records =
            _index.Scan(RecordsFrom, RecordsTo, int.MaxValue);
        foreach ((byte[] key, byte[] value) in records.IsOk ? records.Value : [])
        {
            if (key.Length == RecordsFrom.Length + ObjectId.Size && value.Length == sizeof(ulong))
            {
                Move(new ObjectId(key.AsSpan(RecordsFrom.Length)), BinaryPrimitives.ReadUInt64LittleEndian(value));
            }
        }
    }

    /// <summary>Numbers that meet differ in their ids' eighth byte at most, so they lie close together in the tree.</summary>
    private void CheckAll()
    {
        ObjectId last = default;
        foreach (ObjectId id in _queries.Objects())
        {
            if (last != default && FirstNumber(last) == FirstNumber(id))
            {
                Admit(id);
            }

            last = id;
        }
    }

    private void Move(ObjectId id, ulong number)
    {
        _moved[id] = number;
        _movedTo[number] = id;
        if (_known.TryGetValue(FirstNumber(id), out Known known) && known.Id == id)
        {
            _known.Remove(FirstNumber(id));
        }
    }

    private void Remember(ulong number, ObjectId id, long? length)
    {
        if (_known.Count >= RememberedMax)
        {
            _known.Clear();
        }

        _known[number] = new Known(id, length);
    }
}
