using Cairn.Core.Primitives;
using Cairn.Core.Repair;
using Cairn.Storage.Checksums;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Packs;

/// <summary>A node's records: append-only pack files, an index in memory, and the space they may take.</summary>
/// <remarks>
/// Invariants:
/// <list type="number">
/// <item>Pack files never take more than the allocated space.</item>
/// <item>A record is in the index once its bytes are written; after <see cref="Commit"/> it survives power loss.</item>
/// <item>A use change or removal that is lost with the power falls back to the earlier use: more is kept, never less;
/// after <see cref="Commit"/> it is not lost.</item>
/// <item>A pack is wiped and used again only after what was needed in it is durable elsewhere.</item>
/// </list>
/// Threads: all members may be called from any thread; puts and reads run side by side, outside the lock.
/// Format: docs/formats/pack.md.
/// </remarks>
public sealed partial class ChunkStore : IDisposable
{
    private readonly object _gate = new();
    private readonly IDisk _disk;
    private readonly PackFiles _files;
    private readonly RecordIndex _index = new();
    private readonly PackAllocator _allocator;
    private readonly PackSync _sync;
    private readonly CommitGate _commits;
    private readonly CommitRunner _runner;
    private readonly PackReclaimer _reclaimer;
    private readonly ChunkStoreOptions _options;
    private bool _disposed;
    private bool _isIndexSaved;

    private ChunkStore(IDisk disk, ChunkStoreOptions options, Action<Action> background)
    {
        _disk = disk;
        _options = options;
        _files = new PackFiles(disk, options.Folder, options.EffectivePackBytes);
        _allocator = new PackAllocator(_gate, _files, options, background);
        _sync = new PackSync(_gate, _files);
        _commits = new CommitGate(_sync.Run);
        _runner = new CommitRunner(_commits.Commit, background);
        _reclaimer = new PackReclaimer(_gate, _files, _index, _allocator, _commits.Commit) { Damaged = Quarantine };
        _allocator.Reclaim = _reclaimer.Reclaim;
        Pins = new CachePins(_gate, _index);
        Aside = new SetAside(_gate, disk, options.Folder, _files, _index, _allocator);
    }

    /// <summary>Damage found when the store was opened, and since.</summary>
    public IReadOnlyList<StoreFinding> Findings { get; private set; } = [];

    /// <summary>What does not yield of the cache.</summary>
    public CachePins Pins { get; }

    /// <summary>What is bad here and has no good copy yet.</summary>
    public SetAside Aside { get; }

    /// <summary>How the space is used now.</summary>
    public StoreSpace Space
    {
        get
        {
            lock (_gate)
            {
                return StoreSpace.Measure(_index, _files, _allocator.SpaceBytes);
            }
        }
    }

    /// <summary>What owed copies can surely get of the space: their packs, less what is lost to pack ends.</summary>
    public long OwedBytesMax
    {
        get
        {
            lock (_gate)
            {
                return _allocator.OwedBytesMax;
            }
        }
    }

    /// <summary>How many records there are.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _index.Table.Count;
            }
        }
    }

    /// <summary>Opens the store of a home, rebuilding what the index cannot say from the packs themselves.</summary>
    /// <param name="background">Runs an action soon, away from the caller; null runs it at once (tests, simulator).</param>
    public static Result<ChunkStore, StoreError> Open(
        IDisk disk, ChunkStoreOptions? options = null, Action<Action>? background = null)
    {
        ChunkStore store = new(disk, options ?? new ChunkStoreOptions(), background ?? (static action => action()));
        Result<Unit, DiskError> opened = store.Load();
        if (opened.IsOk)
        {
            return store;
        }

        store._files.Dispose();
        return StoreError.From(opened.Error);
    }

    /// <summary>Stores a record. It survives kill -9 when this returns, power loss after <see cref="Commit"/>.</summary>
    /// <param name="key">Which; the caller has checked that the bytes are those of the address.</param>
    /// <param name="stored">The stored bytes, at most 5 MiB; written from where they are, not copied.</param>
    /// <param name="use">Why; of a record that is there already, the more binding use stays.</param>
    /// <param name="isNew">Whether its writer still owes it to the pool: it may use the write reserve, as repair may not.</param>
    /// <remarks>Allocates: no.</remarks>
    public Result<Unit, StoreError> Put(RecordKey key, ReadOnlySpan<byte> stored, ChunkUse use, bool isNew = false)
    {
        if (stored.Length > ChunkStoreOptions.RecordBytesMax)
        {
            return new StoreError(StoreErrorKind.TooLarge, _options.Folder, $"a record of {stored.Length} bytes");
        }

        if (TryStrengthen(key, use, out Result<Unit, StoreError> done))
        {
            return done;
        }

        use = Aside.UseFor(key, use);
        uint checksum = Crc32C.Compute(stored);
        int recordBytes = PackFormat.RecordBytes(stored.Length);
        bool mayUseReserve = isNew || use == ChunkUse.Staged;
        if (!_allocator.Reserve(recordBytes, use, mayUseReserve).TryGet(out PackPlace place, out StoreError error))
        {
            return error;
        }

        Span<byte> header = stackalloc byte[PackFormat.HeaderBytes];
        PackFormat.Write(header, new PackRecord(place.Number, key, stored.Length, checksum, (byte)use));
        // What was fetched to be read stays in the host's cache; the rest is read by peers, much later or never.
        Result<Unit, DiskError> written = use == ChunkUse.Cached
            ? place.Pack.File.Write(place.Offset, header, stored)
            : place.Pack.File.WriteBulk(place.Offset, header, stored);
        bool isDuplicate = false;
        lock (_gate)
        {
            place.Pack.Writing--;
            place.Pack.Written++;
            isDuplicate = written.IsOk && _index.Table.Find(key) >= 0;
            if (written.IsOk && !isDuplicate)
            {
                _index.Add(key, use, place.Pack, place.Offset, stored.Length);
                _ = Aside.Drop(key);
            }
        }

        if (isDuplicate)
        {
            lock (_gate)
            {
                _ = place.Pack.MarkDead(place.Offset);
            }

            return TryStrengthen(key, use, out done) ? done : Unit.Value;
        }

        return written.IsOk ? Unit.Value : StoreError.From(written.Error);
    }

    /// <summary>Makes everything before the call survive power loss. Callers that come together share the syncs.</summary>
    /// <remarks>Blocks. A failed sync is final: the store takes nothing more until the daemon is started again.</remarks>
    public Result<Unit, StoreError> Commit() => _commits.Commit();

    /// <summary>As <see cref="Commit"/>, run by the background runner.</summary>
    public Task<Result<Unit, StoreError>> CommitAsync() => _runner.CommitAsync();

    /// <summary>What the index knows of a record.</summary>
    public bool TryGet(RecordKey key, out StoredRecord record)
    {
        lock (_gate)
        {
            int index = _index.Table.Find(key);
            record = index < 0
                ? default
                : new StoredRecord(key, _index.Table[index].Length, _index.Table[index].Use);
            return index >= 0;
        }
    }

    /// <summary>Whether the record is here.</summary>
    public bool Contains(RecordKey key)
    {
        lock (_gate)
        {
            return _index.Table.Find(key) >= 0;
        }
    }

    /// <summary>Bytes stored under a key; -1 if it is not here.</summary>
    public int Length(RecordKey key) => TryGet(key, out StoredRecord record) ? record.Length : -1;

    /// <summary>Changes why a record is kept. Durable after <see cref="Commit"/>.</summary>
    public Result<Unit, StoreError> SetUse(RecordKey key, ChunkUse use) => ChangeUse(key, (byte)use);

    /// <summary>Removes a record; its space comes back by compaction. Durable after <see cref="Commit"/>.</summary>
    public Result<Unit, StoreError> Remove(RecordKey key) => ChangeUse(key, PackFormat.Dead);

    /// <summary>The records of a partition, in the order of their keys.</summary>
    public IReadOnlyList<StoredRecord> Enumerate(PartitionId partition)
    {
        lock (_gate)
        {
            return _index.Enumerate(partition);
        }
    }

    /// <summary>All records of one use, in the order of their keys: what is owed, at start. Walks the whole index.</summary>
    public IReadOnlyList<StoredRecord> Enumerate(ChunkUse use)
    {
        lock (_gate)
        {
            return _index.Enumerate(use);
        }
    }

    /// <summary>Grows with each change of what <see cref="Digest"/> says of any partition.</summary>
    public long DigestChanges => _index.DigestChanges;

    /// <summary>The digest of the staged and replicated records of a partition: what this node answers for.</summary>
    public PartitionDigest Digest(PartitionId partition)
    {
        lock (_gate)
        {
            return _index.DigestOf(partition);
        }
    }

    /// <summary>
    /// Takes a bad record out, so that repair fetches it again, and remembers the finding. It may be the only copy: what is
    /// owed is set aside, not removed.
    /// </summary>
    public void Quarantine(RecordKey key, StoreError error)
    {
        long bytes = Math.Max(0, Length(key));
        if (!Aside.Take(key))
        {
            _ = Remove(key);
        }

        AddFindings([new StoreFinding(error, bytes, key)]);
    }

    /// <summary>Whether records of this use and size would find space without giving up anything that is owed.</summary>
    public bool HasRoom(long bytes, ChunkUse use)
    {
        lock (_gate)
        {
            return _allocator.HasRoom(bytes, use, _index.YieldingBytes);
        }
    }

    /// <summary>Changes the space the node gives. What is too much is given back by <see cref="Maintain"/>.</summary>
    public void SetSpace(long spaceBytes)
    {
        lock (_gate)
        {
            _allocator.SetSpace(spaceBytes);
        }
    }

    /// <summary>Compacts packs that are mostly dead, and shrinks the store to its space: cache first, then what fits.</summary>
    /// <returns>Packs freed. Blocks for as long as the moving takes; meant for a background worker.</returns>
    public int Maintain() => _reclaimer.Maintain();

    /// <summary>
    /// Writes the index out, if anything changed, so that the next start need not scan what does not change from now on.
    /// </summary>
    public Result<Unit, StoreError> SaveIndex()
    {
        IndexSnapshot snapshot;
        lock (_gate)
        {
            if (_sync.Failure is { } failure)
            {
                return failure;
            }

            if (_isIndexSaved && !_allocator.HasChanged)
            {
                return Unit.Value;
            }

            _isIndexSaved = false;
            _allocator.SetGeneration(_allocator.Generation + 1);
            snapshot = IndexSnapshot.Capture(_index, _files, _allocator.Generation);
        }

        // What the snapshot speaks of must be durable before it is.
        Result<Unit, StoreError> committed = Commit();
        if (!committed.IsOk)
        {
            return committed;
        }

        Result<Unit, DiskError> saved = snapshot.Save(_disk, _options.Folder);
        _isIndexSaved = saved.IsOk && snapshot.IsWhole;
        return saved.IsOk ? Unit.Value : StoreError.From(saved.Error);
    }

    /// <summary>Commits, writes the index out and closes the files.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
        }

        _ = SaveIndex();
        Aside.Save();
        _files.Dispose();
    }

    private static StoreError Missing(RecordKey key) =>
        new(StoreErrorKind.NotFound, key.Address.Short, "the record is not here");

    private Result<Unit, DiskError> Load()
    {
        StoreOpening opening = new(_disk, _options.Folder, _index, _files);
        Result<Unit, DiskError> opened = opening.Run();
        if (opened.IsOk)
        {
            _allocator.Start(opening.Generation);
            Aside.Load();
            AddFindings(opening.Findings);
        }

        return opened;
    }

    private void AddFindings(List<StoreFinding> findings)
    {
        if (findings.Count > 0)
        {
            lock (_gate)
            {
                HashSet<RecordKey?> again = [.. findings.Select(found => found.Record).Where(key => key is not null)];
                Findings = [.. Findings.Where(found => !again.Contains(found.Record)), .. findings];
            }
        }
    }

    /// <summary>A record that is there already is not written again; it gets the more binding of both uses.</summary>
    private bool TryStrengthen(RecordKey key, ChunkUse use, out Result<Unit, StoreError> done)
    {
        done = Unit.Value;
        bool isWeaker;
        lock (_gate)
        {
            if (_sync.Failure is { } failure)
            {
                done = failure;
                return true;
            }

            int index = _index.Table.Find(key);
            if (index < 0)
            {
                return false;
            }

            isWeaker = _index.Table[index].Use < use;
        }

        done = isWeaker ? SetUse(key, use) : Unit.Value;
        return done.IsOk || done.Error.Kind != StoreErrorKind.NotFound;
    }

    private Result<Unit, StoreError> ChangeUse(RecordKey key, byte use)
    {
        Pack pack;
        int offset;
        lock (_gate)
        {
            int index = _index.Table.Find(key);
            if (index < 0)
            {
                return (use == PackFormat.Dead ? Aside.Drop(key) : null) ?? Missing(key);
            }

            ref RecordEntry entry = ref _index.Table[index];
            if ((byte)entry.Use == use)
            {
                return Unit.Value;
            }

            pack = _files.Packs[entry.Pack]!;
            offset = (int)entry.Offset;
            Result<Unit, DiskError> noted = _allocator.NoteChange(pack);
            if (!noted.IsOk)
            {
                return StoreError.From(noted.Error);
            }

            // Two bytes, under the gate: what memory says and what the disk says change in one order, or neither does. A start
            // would else find again what was said to be gone.
            Span<byte> bytes = stackalloc byte[2];
            PackFormat.WriteUse(bytes, use);
            Result<Unit, DiskError> written = pack.File.Write(offset + PackFormat.UseOffset, bytes);
            pack.Written++;
            if (written.IsOk && use == PackFormat.Dead)
            {
                _index.Remove(index, pack);
            }
            else if (written.IsOk)
            {
                _index.SetUse(index, (ChunkUse)use);
            }

            return written.IsOk ? Unit.Value : StoreError.From(written.Error);
        }
    }
}
