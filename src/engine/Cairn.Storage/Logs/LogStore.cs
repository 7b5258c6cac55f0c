using System.Globalization;
using Cairn.Core.Primitives;
using Cairn.Storage.Home;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Logs;

/// <summary>The signed blocks of all members' logs that this node holds: one file a log, blocks opaque.</summary>
/// <remarks>
/// Invariants: blocks of a log are appended in the order of their sequence, without gaps, but for those that fill
/// holes damage made; after <see cref="Commit"/> they survive power loss; every block read is checked. A log begins at its
/// first block or, once <see cref="BeginAt"/> dropped what was before, later.
/// Threads: all members may be called from any thread. Format: docs/formats/logfile.md.
/// </remarks>
public sealed partial class LogStore : IDisposable
{
    private readonly object _gate = new();

    /// <summary>Held while files are synced or replaced, before <see cref="_gate"/>.</summary>
    private readonly Lock _syncing = new();
    private readonly IDisk _disk;
    private readonly string _folder;
    private readonly SortedDictionary<(VolumeId Volume, LogId Log), LogFile> _files = [];

    /// <summary>Those written since they were synced, and some that are synced: a pool has many that nobody writes any more.</summary>
    private readonly HashSet<LogFile> _unsynced = [];
    private readonly CommitGate _commits;
    private readonly CommitRunner _runner;
    private readonly List<LogDamage> _findings = [];
    private readonly LogRoster _roster;
    private StoreError? _failure;

    /// <summary>What the files take together: asked for with every chunk that comes, and a pool has many files.</summary>
    private long _bytes;
    private bool _folderChanged;
    private bool _disposed;

    private LogStore(IDisk disk, string folder, Action<Action> background)
    {
        _disk = disk;
        _folder = folder;
        _roster = new LogRoster(disk, folder + ".list");
        _commits = new CommitGate(Sync);
        _runner = new CommitRunner(_commits.Commit, background);
    }

    /// <summary>The largest block that is taken.</summary>
    public static int BlockBytesMax => LogFormat.BlockBytesMax;

    /// <summary>Damage found when the store was opened, and since.</summary>
    public IReadOnlyList<LogDamage> Findings
    {
        get
        {
            lock (_gate)
            {
                return [.. _findings];
            }
        }
    }

    /// <summary>Whether synced blocks behind the last one of a log that is here may be gone.</summary>
    public bool HasLostEnd(VolumeId volume, LogId log)
    {
        lock (_gate)
        {
            return _files.TryGetValue((volume, log), out LogFile? file) && file.HasLostEnd;
        }
    }

    /// <summary>Whether a log's file is not as it was written: blocks were lost, or what it says of itself cannot be read.</summary>
    public bool IsDamaged(VolumeId volume, LogId log)
    {
        lock (_gate)
        {
            return _files.TryGetValue((volume, log), out LogFile? file) && file.IsDamaged;
        }
    }

    /// <summary>Bytes the logs take.</summary>
    public long Bytes
    {
        get
        {
            lock (_gate)
            {
                return _bytes;
            }
        }
    }

    /// <summary>Opens the logs of a home: every block is checked, damage is reported, torn tails are cut.</summary>
    /// <remarks>A log whose file is gone is there again, empty, and known to have lost its end.</remarks>
    /// <param name="background">Runs an action soon, away from the caller; null runs it at once (tests, simulator).</param>
    public static Result<LogStore, StoreError> Open(
        IDisk disk, string folder = HomeLayout.LogsFolder, Action<Action>? background = null)
    {
        LogStore store = new(disk, folder, background ?? (static action => action()));
        Result<Unit, DiskError> loaded = store.Load();
        if (loaded.IsOk)
        {
            return store;
        }

        store.Dispose();
        return StoreError.From(loaded.Error);
    }

    /// <summary>The logs of a volume, in order.</summary>
    public IReadOnlyList<LogId> Logs(VolumeId volume)
    {
        lock (_gate)
        {
            return [.. _files.Keys.Where(key => key.Volume == volume).Select(static key => key.Log)];
        }
    }

    /// <summary>The volumes that have a log here, in order.</summary>
    public IReadOnlyList<VolumeId> Volumes()
    {
        lock (_gate)
        {
            return [.. _files.Keys.Select(static key => key.Volume).Distinct()];
        }
    }

    /// <summary>The sequence of the last block here; 0 when there is none.</summary>
    public ulong LastSeq(VolumeId volume, LogId log)
    {
        lock (_gate)
        {
            return _files.TryGetValue((volume, log), out LogFile? file) ? file.LastSeq : 0;
        }
    }

    /// <summary>Sequences up to the last that damage has taken: to be asked for again and given to <see cref="Append"/>.</summary>
    public IReadOnlyList<ulong> Missing(VolumeId volume, LogId log)
    {
        lock (_gate)
        {
            return _files.TryGetValue((volume, log), out LogFile? file) ? file.Missing : [];
        }
    }

    /// <summary>Bytes of a block; -1 if it is not here.</summary>
    public int Length(VolumeId volume, LogId log, ulong seq)
    {
        lock (_gate)
        {
            return _files.TryGetValue((volume, log), out LogFile? file) ? file.LengthOf(seq) : -1;
        }
    }

    /// <summary>Makes an empty log, so that nobody takes it for one that never was; one that is there is left as it is.</summary>
    /// <remarks>It survives power loss after <see cref="Commit"/>.</remarks>
    public Result<Unit, StoreError> Begin(VolumeId volume, LogId log)
    {
        lock (_gate)
        {
            return _failure is { } failure ? failure
                : FileOf(volume, log).TryGet(out _, out DiskError error) ? Unit.Value
                : StoreError.From(error);
        }
    }

    /// <summary>Writes the next block of a log, or one that is missing; one that is here and can be read is left as it is.</summary>
    /// <remarks>
    /// It survives kill -9 when this returns, power loss after <see cref="Commit"/>. A gap is the caller's bug. One from
    /// before the beginning of its log is not wanted any more.
    /// </remarks>
    public Result<Unit, StoreError> Append(VolumeId volume, LogId log, ulong seq, ReadOnlySpan<byte> block)
    {
        if (block.Length > LogFormat.BlockBytesMax)
        {
            return new StoreError(StoreErrorKind.TooLarge, _folder, $"a block of {block.Length} bytes");
        }

        lock (_gate)
        {
            if (_failure is { } failure)
            {
                return failure;
            }

            if (!FileOf(volume, log).TryGet(out LogFile? file, out DiskError error))
            {
                return StoreError.From(error);
            }

            // What is sent again was asked for because something could not be read: what is here is looked at, too.
            if (file.Has(seq))
            {
                _ = ReadOrForget(file, seq);
            }

            bool isKept = file.Has(seq) || seq <= file.Beginning.BlockSeq;
            long before = file.End;
            Result<Unit, DiskError> appended = isKept ? Unit.Value : file.Append(seq, block);
            _bytes += file.End - before;
            return appended.IsOk ? Unit.Value : StoreError.From(appended.Error);
        }
    }

    /// <summary>A block's bytes, checked. A bad one is forgotten, so that it shows as missing and can be written again.</summary>
    /// <remarks>
    /// So is one under a bad sector, which the device refuses however often it is asked: it is written again behind the
    /// others, on other sectors, and a start finds it there. What was refused for a while only is found at its old place.
    /// </remarks>
    public Result<byte[], StoreError> Read(VolumeId volume, LogId log, ulong seq)
    {
        lock (_gate)
        {
            return _files.TryGetValue((volume, log), out LogFile? file) && file.Has(seq)
                ? ReadOrForget(file, seq)
                : new StoreError(StoreErrorKind.NotFound, $"{volume.Short}/{log}", $"no block {seq}");
        }
    }

    private Result<byte[], StoreError> ReadOrForget(LogFile file, ulong seq)
    {
        byte[] bytes = new byte[file.LengthOf(seq)];
        Result<Unit, StoreError> read = file.Read(seq, bytes);
        if (read.IsOk)
        {
            return bytes;
        }

        if (read.Error.Kind is StoreErrorKind.Corrupt or StoreErrorKind.InputOutput)
        {
            file.Forget(seq);
            _findings.Add(new LogDamage(file.Volume, file.Log, read.Error));
        }

        return read.Error;
    }

    /// <summary>Deletes the logs of a volume that was removed.</summary>
    public Result<Unit, StoreError> Remove(VolumeId volume)
    {
        lock (_syncing)
        {
            return RemoveSynced(volume);
        }
    }

    private Result<Unit, StoreError> RemoveSynced(VolumeId volume)
    {
        lock (_gate)
        {
            _roster.Remove(volume);
            Result<Unit, StoreError> struck = _roster.Save();
            if (!struck.IsOk)
            {
                return struck;
            }

            foreach ((VolumeId Volume, LogId Log) key in _files.Keys.Where(key => key.Volume == volume).ToArray())
            {
                LogFile file = _files[key];
                _files.Remove(key);
                _bytes -= file.End;
                _unsynced.Remove(file);
                file.File.Dispose();
                Result<Unit, DiskError> deleted = _disk.Delete(PathOf(key.Volume, key.Log));
                _folderChanged = true;
                if (!deleted.IsOk)
                {
                    return StoreError.From(deleted.Error);
                }
            }

            return Unit.Value;
        }
    }

    /// <summary>Makes everything before the call survive power loss. Callers that come together share the syncs.</summary>
    /// <remarks>Blocks. A failed sync is final: the store takes nothing more until the daemon is started again.</remarks>
    public Result<Unit, StoreError> Commit() => _commits.Commit();

    /// <summary>As <see cref="Commit"/>, run by the background runner.</summary>
    public Task<Result<Unit, StoreError>> CommitAsync() => _runner.CommitAsync();

    /// <summary>Closes the files; what was not committed is left to the system.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (!_disposed)
            {
                _disposed = true;
                foreach (LogFile file in _files.Values)
                {
                    file.File.Dispose();
                }
            }
        }
    }

    private Result<LogFile, DiskError> FileOf(VolumeId volume, LogId log)
    {
        if (_files.TryGetValue((volume, log), out LogFile? file))
        {
            return file;
        }

        string path = PathOf(volume, log);
        if (!_disk.Open(path, DiskOpenMode.OpenOrCreate).TryGet(out IDiskFile? opened, out DiskError error))
        {
            return error;
        }

        file = new LogFile(volume, log, opened, path);
        Result<Unit, DiskError> created = file.Create();
        if (!created.IsOk)
        {
            opened.Dispose();
            return created.Error;
        }

        Place(file);
        _roster.Add(volume, log);
        _folderChanged = true;
        return file;
    }

    private void Place(LogFile file)
    {
        if (_files.TryGetValue((file.Volume, file.Log), out LogFile? before))
        {
            _unsynced.Remove(before);
            before.Unsynced = null;
            _bytes -= before.End;
        }

        _files[(file.Volume, file.Log)] = file;
        _bytes += file.End;
        file.Unsynced = _unsynced;
    }

    private string PathOf(VolumeId volume, LogId log) => string.Create(
        CultureInfo.InvariantCulture, $"{_folder}/{volume}-{log.Author}-{log.Incarnation}.log");

    private Result<Unit, DiskError> Load()
    {
        Result<Unit, DiskError> made = _disk.CreateDirectory(_folder);
        if (!made.IsOk)
        {
            return made;
        }

        if (!_disk.List(_folder).TryGet(out IReadOnlyList<string>? names, out DiskError error))
        {
            return error;
        }

        _roster.Load();
        foreach (string name in names)
        {
            if (!TryParse(name, out VolumeId volume, out LogId log))
            {
                DeleteUnfinished(name);
                continue;
            }

            if (!_disk.Open($"{_folder}/{name}", DiskOpenMode.ReadWrite).TryGet(out IDiskFile? opened, out error))
            {
                return error;
            }

            LogFile file = new(volume, log, opened, $"{_folder}/{name}");
            Place(file);
            _roster.Add(volume, log);
            Result<Unit, DiskError> loaded = file.Load(_findings);
            if (!loaded.IsOk)
            {
                return loaded;
            }
        }

        made = ReplaceGone();
        made = made.IsOk ? _disk.SyncDirectory(_folder) : made;
        if (made.IsOk)
        {
            // Tried again at every commit: a full disk keeps no daemon from starting.
            _ = _roster.Save();
        }

        return made;
    }

    /// <summary>Makes empty files for the logs whose files were deleted: what was in them may be with peers.</summary>
    private Result<Unit, DiskError> ReplaceGone()
    {
        foreach ((VolumeId volume, LogId log) in _roster.Logs)
        {
            if (!_files.ContainsKey((volume, log)))
            {
                _roster.MarkGone(volume, log);
            }

            if (!_roster.WasGone(volume, log))
            {
                continue;
            }

            if (!FileOf(volume, log).TryGet(out LogFile? file, out DiskError error))
            {
                return error;
            }

            file.MarkReplaced();
            if (file.LastSeq == 0)
            {
                _findings.Add(new LogDamage(
                    volume, log, new StoreError(StoreErrorKind.Corrupt, file.File.Path, "the file was gone")));
            }
        }

        return Unit.Value;
    }

    private static bool TryParse(string name, out VolumeId volume, out LogId log)
    {
        volume = default;
        log = default;
        string[] parts = name.EndsWith(".log", StringComparison.Ordinal) ? name[..^4].Split('-') : [];
        if (parts.Length != 3
            || !VolumeId.TryParse(parts[0], out volume)
            || !NodeId.TryParse(parts[1], out NodeId author)
            || !uint.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out uint incarnation))
        {
            return false;
        }

        log = new LogId(author, incarnation);
        return true;
    }

    private Result<Unit, StoreError> Sync()
    {
        lock (_syncing)
        {
            return SyncDirty();
        }
    }

    private Result<Unit, StoreError> SyncDirty()
    {
        (LogFile File, ulong Written, long End)[] dirty;
        bool syncFolder;
        LogListing? list;
        lock (_gate)
        {
            if (_failure is { } failed)
            {
                return failed;
            }

            // A log that another thread begins from here on may not be durable when the list is written.
            list = _roster.Changed();
            syncFolder = _folderChanged;
            _folderChanged = false;
            _unsynced.RemoveWhere(static file => file.Written == file.Synced);
            dirty =
            [
                .. _unsynced.OrderBy(static file => (file.Volume, file.Log))
                    .Select(static file => (file, file.Written, file.End)),
            ];
        }

        Result<Unit, DiskError> synced = Unit.Value;
        foreach ((LogFile file, _, _) in dirty)
        {
            synced = synced.IsOk ? file.File.Sync() : synced;
        }

        synced = synced.IsOk && syncFolder ? _disk.SyncDirectory(_folder) : synced;
        if (synced.IsOk)
        {
            _ = _roster.Write(list);
        }

        lock (_gate)
        {
            if (!synced.IsOk)
            {
                _failure ??= StoreError.From(synced.Error);
                return StoreError.From(synced.Error);
            }

            foreach ((LogFile file, ulong written, long end) in dirty)
            {
                file.NoteSynced(written, end);
            }

            return Unit.Value;
        }
    }
}
