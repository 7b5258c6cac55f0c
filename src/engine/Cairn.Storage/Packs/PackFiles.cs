using System.Globalization;
using Cairn.Core.Primitives;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Packs;

/// <summary>The pack files of a store: which are free, which may be made.</summary>
/// <remarks>Guarded by the store's gate, but for <see cref="Make"/>.</remarks>
internal sealed class PackFiles(IDisk disk, string folder, int packBytes)
{
    private readonly List<Pack?> _packs = [];
    private readonly Queue<Pack> _free = new();
    private long _bytes;
    private int _making;

    /// <summary>All files by slot; null where one was deleted.</summary>
    public IReadOnlyList<Pack?> Packs => _packs;

    /// <summary>Bytes that all files together may take.</summary>
    public long BytesMax { get; set; }

    /// <summary>Files that packs could still begin in, made or not.</summary>
    public int Available =>
        _free.Count + (int)Math.Max(0, (BytesMax - _bytes - ((long)_making * packBytes)) / packBytes);

    /// <summary>Free files that exist.</summary>
    public int FreeCount => _free.Count;

    /// <summary>Whether the files take more than they may.</summary>
    public bool IsOver => OverBytes > 0;

    /// <summary>Bytes that the files take beyond what they may, since less was given than they held.</summary>
    public long OverBytes => Math.Max(0, _bytes - BytesMax);

    /// <summary>Opens the files that exist.</summary>
    public Result<Unit, DiskError> OpenExisting()
    {
        Result<Unit, DiskError> made = disk.CreateDirectory(folder);
        if (!made.IsOk)
        {
            return made;
        }

        if (!disk.List(folder).TryGet(out IReadOnlyList<string>? names, out DiskError error))
        {
            return error;
        }

        foreach (string name in names)
        {
            if (!TryParse(name, out int slot))
            {
                continue;
            }

            if (!disk.Open(PathOf(slot), DiskOpenMode.ReadWrite).TryGet(out IDiskFile? file, out error))
            {
                return error;
            }

            while (_packs.Count <= slot)
            {
                _packs.Add(null);
            }

            _packs[slot] = new Pack(slot, file);
        }

        return Unit.Value;
    }

    /// <summary>Counts a file that was there at start, once its length is known.</summary>
    public void Count(Pack pack) => _bytes += pack.FileBytes;

    /// <summary>A file in which no record is needed, wiped. It is used again, or deleted if it is of another size or too much.</summary>
    public void AddFree(Pack pack)
    {
        pack.Number = 0;
        pack.End = 0;
        pack.LiveBytes = 0;
        pack.IsCurrent = false;
        if (pack.FileBytes == packBytes && !IsOver)
        {
            _free.Enqueue(pack);
        }
        else
        {
            Discard(pack);
        }
    }

    /// <summary>Takes a free file, if more than <paramref name="kept"/> would be available without it.</summary>
    public Pack? TakeFree(int kept) => Available > kept && _free.TryDequeue(out Pack? pack) ? pack : null;

    /// <summary>Deletes free files while there are more than there may be.</summary>
    public void DiscardSurplus()
    {
        while (IsOver && _free.TryDequeue(out Pack? pack))
        {
            Discard(pack);
        }
    }

    /// <summary>Claims the right to make one more file.</summary>
    public bool TryClaimNew(int kept, out int slot)
    {
        slot = _packs.Count;
        if (Available <= kept || Available <= _free.Count)
        {
            return false;
        }

        _packs.Add(null);
        _making++;
        return true;
    }

    /// <summary>Makes a file with its blocks reserved; its name survives power loss. Without the gate.</summary>
    public Result<Pack, DiskError> Make(int slot)
    {
        if (!disk.Open(PathOf(slot), DiskOpenMode.CreateNew).TryGet(out IDiskFile? file, out DiskError error))
        {
            return error;
        }

        Result<Unit, DiskError> made = file.Preallocate(packBytes);
        made = made.IsOk ? file.Sync() : made;
        made = made.IsOk ? disk.SyncDirectory(folder) : made;
        if (!made.IsOk)
        {
            file.Dispose();
            _ = disk.Delete(PathOf(slot));
            return made.Error;
        }

        return new Pack(slot, file) { FileBytes = packBytes };
    }

    /// <summary>Ends a claim of <see cref="TryClaimNew"/>.</summary>
    public void Made(Result<Pack, DiskError> made)
    {
        _making--;
        if (made.IsOk)
        {
            _packs[made.Value.Slot] = made.Value;
            _bytes += packBytes;
            _free.Enqueue(made.Value);
        }
    }

    /// <summary>Closes all files.</summary>
    public void Dispose()
    {
        foreach (Pack? pack in _packs)
        {
            pack?.File.Dispose();
        }
    }

    private void Discard(Pack pack)
    {
        _packs[pack.Slot] = null;
        _bytes -= pack.FileBytes;
        pack.File.Dispose();
        _ = disk.Delete(pack.File.Path);
    }

    private string PathOf(int slot) => string.Create(CultureInfo.InvariantCulture, $"{folder}/{slot:D6}.pack");

    private static bool TryParse(string name, out int slot)
    {
        slot = 0;
        return name.EndsWith(".pack", StringComparison.Ordinal) && int.TryParse(
            name.AsSpan(0, name.Length - 5), NumberStyles.None, CultureInfo.InvariantCulture, out slot)
            && slot < 1 << 20;
    }
}
