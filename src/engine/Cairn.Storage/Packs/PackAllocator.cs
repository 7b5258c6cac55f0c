using Cairn.Core.Primitives;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Packs;

/// <summary>A range of a pack that one put may write, outside the lock.</summary>
internal readonly record struct PackPlace(Pack Pack, uint Number, int Offset);

/// <summary>Hands out places in packs: owed records to one, cached ones to another, so that the cache can go a pack at a time.</summary>
/// <remarks>
/// Guarded by the store's gate. One file is always kept back for compaction, and the write reserve is kept for staged
/// records: repair and cache never use it.
/// </remarks>
internal sealed class PackAllocator
{
    private const int KeptForCompaction = 1;

    private readonly object _gate;
    private readonly PackFiles _files;
    private readonly ChunkStoreOptions _options;
    private readonly Action<Action> _background;
    private readonly int _packBytes;
    private Pack? _owed;
    private Pack? _cached;
    private uint _lastNumber;
    private ulong _generation;
    private bool _preparing;

    public PackAllocator(object gate, PackFiles files, ChunkStoreOptions options, Action<Action> background)
    {
        _gate = gate;
        _files = files;
        _options = options;
        _background = background;
        _packBytes = options.EffectivePackBytes;
        SetSpace(options.SpaceBytes);
    }

    /// <summary>Bytes that all packs may take.</summary>
    public long SpaceBytes { get; private set; }

    /// <summary>Makes room for one when nothing is free; returns whether anything came free. Without the gate.</summary>
    public Func<ChunkUse, bool>? Reclaim { get; set; }

    /// <summary>The index snapshot that changes are noted against.</summary>
    public ulong Generation => _generation;

    /// <summary>Whether any pack changed since the last index snapshot. Under the gate.</summary>
    public bool HasChanged => _files.Packs.Any(pack => pack is { Number: not 0 } && pack.ChangedSince >= _generation);

    /// <summary>The space for packs from now on. Existing files beyond it are given up by compaction.</summary>
    public void SetSpace(long spaceBytes)
    {
        SpaceBytes = spaceBytes;
        _files.BytesMax = Math.Max(_packBytes, spaceBytes);
        _files.DiscardSurplus();
    }

    /// <summary>Goes on from the packs that were found; the last one that has room takes records again.</summary>
    public void Start(ulong generation)
    {
        _generation = generation;
        foreach (Pack? pack in _files.Packs)
        {
            _lastNumber = Math.Max(_lastNumber, pack?.Number ?? 0);
        }

        foreach (Pack? pack in _files.Packs)
        {
            if (pack is not null && pack.Number == _lastNumber && pack.Number != 0
                && pack.End < pack.FileBytes - (pack.FileBytes / 8))
            {
                _owed = pack;
                pack.IsCurrent = true;
            }
        }
    }

    /// <summary>Changes the snapshot that changes are noted against.</summary>
    public void SetGeneration(ulong generation) => _generation = generation;

    /// <summary>Takes a place for a record, making room if it must. Without the gate.</summary>
    public Result<PackPlace, StoreError> Reserve(int recordBytes, ChunkUse use, bool mayUseReserve) =>
        Reserve(recordBytes, use, Kept(mayUseReserve ? ChunkUse.Staged : use), mayReclaim: true);

    /// <summary>Takes a place for a record that compaction moves: it may use the file kept back for it. Without the gate.</summary>
    public Result<PackPlace, StoreError> ReserveForMove(int recordBytes, ChunkUse use) =>
        Reserve(recordBytes, use, 0, mayReclaim: false);

    /// <summary>Whether a new pack could begin for a use. Under the gate.</summary>
    public bool CanTake(ChunkUse use) => _files.Available > Kept(use);

    /// <summary>Bytes that compaction could move owed records to. Under the gate.</summary>
    public long RoomForMoves =>
        (_owed is { } owed ? owed.FileBytes - owed.End : 0) + ((long)Math.Min(1, _files.Available) * _packBytes);

    /// <summary>No more records go to this pack. Under the gate.</summary>
    public void Retire(Pack pack)
    {
        pack.IsCurrent = false;
        _owed = _owed == pack ? null : _owed;
        _cached = _cached == pack ? null : _cached;
    }

    private Result<PackPlace, StoreError> Reserve(int recordBytes, ChunkUse use, int kept, bool mayReclaim)
    {
        while (true)
        {
            int slot;
            lock (_gate)
            {
                if (TryReserve(recordBytes, use, kept).TryGet(out PackPlace? place, out DiskError failed))
                {
                    if (place is { } found)
                    {
                        return found;
                    }
                }
                else
                {
                    return StoreError.From(failed);
                }

                if (!_files.TryClaimNew(kept, out slot))
                {
                    slot = -1;
                }
            }

            if (slot < 0)
            {
                if (mayReclaim && Reclaim?.Invoke(use) == true)
                {
                    continue;
                }

                return new StoreError(StoreErrorKind.NoSpace, _options.Folder, $"no space for {recordBytes} bytes");
            }

            Result<Pack, DiskError> made = _files.Make(slot);
            lock (_gate)
            {
                _files.Made(made);
            }

            if (!made.IsOk)
            {
                return StoreError.From(made.Error);
            }
        }
    }

    /// <summary>Takes a place while files beyond <paramref name="kept"/> are free; null if there is none. Under the gate.</summary>
    private Result<PackPlace?, DiskError> TryReserve(int recordBytes, ChunkUse use, int kept)
    {
        ref Pack? current = ref use == ChunkUse.Cached ? ref _cached : ref _owed;
        if (current is null || current.End + (long)recordBytes > current.FileBytes)
        {
            Pack? next = _files.TakeFree(kept);
            if (next is null)
            {
                return (PackPlace?)null;
            }

            Result<Unit, DiskError> begun = next.Begin(_lastNumber + 1, _generation);
            if (!begun.IsOk)
            {
                _files.AddFree(next);
                return begun.Error;
            }

            _lastNumber++;
            if (current is not null)
            {
                current.IsCurrent = false;
            }

            next.IsCurrent = true;
            current = next;
            PrepareAhead();
        }

        Result<Unit, DiskError> noted = NoteChange(current);
        if (!noted.IsOk)
        {
            return noted.Error;
        }

        PackPlace place = new(current, current.Number, current.End);
        current.End += recordBytes;
        current.Writing++;
        return (PackPlace?)place;
    }

    /// <summary>Before the first change of a pack after a snapshot, its header says so. Under the gate.</summary>
    public Result<Unit, DiskError> NoteChange(Pack pack)
    {
        if (pack.ChangedSince >= _generation)
        {
            return Unit.Value;
        }

        ulong before = pack.ChangedSince;
        pack.ChangedSince = _generation;
        Result<Unit, DiskError> written = pack.WriteHeader();
        if (!written.IsOk)
        {
            // Said before the next change, then: a start would else believe the snapshot and pass over what changed.
            pack.ChangedSince = before;
        }

        return written;
    }

    /// <summary>After a sync: the header says how far it reached, so that damage can be told from a torn tail. Under the gate.</summary>
    public static void NoteSynced(Pack pack, ulong written, int end)
    {
        pack.Synced = written;
        if (pack.Number != 0 && end > pack.DurableBytes)
        {
            pack.DurableBytes = end;
            bool isClean = pack.Written == written;
            _ = pack.WriteHeader();
            pack.Synced = isClean ? pack.Written : written;
        }
    }

    /// <summary>Whether so many bytes of a use could be taken, once this much was given up or compacted. Under the gate.</summary>
    public bool HasRoom(long bytes, ChunkUse use, long cachedBytes)
    {
        long room = (long)Math.Max(0, _files.Available - Kept(use)) * _packBytes;
        room += (use == ChunkUse.Cached ? _cached : _owed) is { } current ? current.FileBytes - current.End : 0;
        room += use == ChunkUse.Cached ? 0 : cachedBytes;
        foreach (Pack? pack in _files.Packs)
        {
            room += pack is null || pack.Number == 0 ? 0 : pack.End - PackFormat.HeaderBytes - pack.LiveBytes;
        }

        // What comes free goes to the owner first, who gave less than the store held.
        return bytes <= room - _files.OverBytes;
    }

    /// <summary>
    /// Bytes that records surely find in the packs that are kept neither for compaction nor as write reserve; a sixteenth,
    /// and at least a chunk of 1 MiB, is lost at the end of each pack. Under the gate.
    /// </summary>
    public long OwedBytesMax =>
        Math.Max(0, (_files.BytesMax / _packBytes) - Kept(ChunkUse.Replicated))
        * (_packBytes - Math.Max(_packBytes / 16, 1 << 20));

    private int Kept(ChunkUse use)
    {
        long reserve = _options.WriteReserveBytes ?? SpaceBytes / 16;
        int packs = (int)((reserve + _packBytes - 1) / _packBytes);
        return use == ChunkUse.Staged ? KeptForCompaction : KeptForCompaction + packs;
    }

    private void PrepareAhead()
    {
        if (_preparing || (_files.FreeCount > 0 && !_options.PreallocateAll))
        {
            return;
        }

        _preparing = true;
        _background(Prepare);
    }

    private void Prepare()
    {
        while (true)
        {
            int slot;
            lock (_gate)
            {
                bool isEnough = _files.FreeCount > 0 && !_options.PreallocateAll;
                if (isEnough || !_files.TryClaimNew(0, out slot))
                {
                    _preparing = false;
                    return;
                }
            }

            Result<Pack, DiskError> made = _files.Make(slot);
            lock (_gate)
            {
                _files.Made(made);
                if (!made.IsOk)
                {
                    _preparing = false;
                    return;
                }
            }
        }
    }
}
