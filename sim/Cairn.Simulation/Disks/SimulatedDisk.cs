using Cairn.Core.Primitives;
using Cairn.Storage.Ports;

namespace Cairn.Simulation.Disks;

/// <summary>How a simulated machine ends.</summary>
public enum CrashKind
{
    /// <summary>kill -9: what was written stays, handles and locks are gone.</summary>
    ProcessKilled,

    /// <summary>Power loss: of what was not synced, pages survive, are lost or are torn at sectors, by the seed.</summary>
    PowerLost,
}

/// <summary>A disk in memory that behaves like the worst disk that keeps its promises, and on request like one that does not.</summary>
/// <remarks>
/// Promises kept: synced bytes survive, sectors of 512 bytes are written whole, directory changes of a folder survive
/// once it was synced (unsynced ones survive as a prefix). Faults on request: see <see cref="Faults"/>.
/// Threads: safe from several.
/// </remarks>
public sealed class SimulatedDisk : IDisk
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, SimulatedFile> _files = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _folders = new(StringComparer.Ordinal);
    private readonly List<DirectoryChange> _unsynced = [];
    private readonly long _totalBytes;
    private readonly EqualPages? _equal;

    /// <summary>What its files take; -1 when that is to be counted anew.</summary>
    private long _usedBytes = -1;

    /// <summary>An empty disk.</summary>
    /// <param name="totalBytes">Its size; writes beyond fail with <see cref="DiskErrorKind.NoSpace"/>.</param>
    /// <param name="equal">Finds pages that other disks of the same thread have, too; null: nobody does.</param>
    public SimulatedDisk(long totalBytes = 1L << 40, EqualPages? equal = null)
    {
        (_totalBytes, _equal) = (totalBytes, equal);
        Faults = new DiskFaults();
    }

    /// <summary>What goes wrong, and when.</summary>
    public DiskFaults Faults { get; }

    /// <summary>Grows with every crash: handles of an earlier life fail.</summary>
    internal int Life { get; private set; }

    internal Lock Gate => _gate;

    /// <summary>Bytes taken by somebody else on the same disk.</summary>
    public long ForeignBytes { get; set; }

    /// <summary>Every file's path, in order.</summary>
    public IReadOnlyList<string> Files
    {
        get
        {
            lock (_gate)
            {
                return [.. _files.Keys];
            }
        }
    }

    /// <inheritdoc/>
    public Result<IDiskFile, DiskError> Open(string path, DiskOpenMode mode)
    {
        lock (_gate)
        {
            if (Faults.Next(path, DiskOperation.Open) is { } fault)
            {
                return fault;
            }

            bool exists = _files.TryGetValue(path, out SimulatedFile? file);
            if (!exists && mode is DiskOpenMode.Read or DiskOpenMode.ReadWrite)
            {
                return new DiskError(DiskErrorKind.NotFound, path, "no such file");
            }

            if (exists && mode == DiskOpenMode.CreateNew)
            {
                return new DiskError(DiskErrorKind.AlreadyExists, path, "it exists");
            }

            if (!exists)
            {
                if (!_folders.Contains(FolderOf(path)) && FolderOf(path).Length > 0)
                {
                    return new DiskError(DiskErrorKind.NotFound, path, "no such folder");
                }

                file = new SimulatedFile(_equal);
                Change(path, file);
            }

            return new SimulatedHandle(this, path, file!, canWrite: mode != DiskOpenMode.Read);
        }
    }

    /// <inheritdoc/>
    public Result<Unit, DiskError> Delete(string path)
    {
        lock (_gate)
        {
            if (Faults.Next(path, DiskOperation.Delete) is { } fault)
            {
                return fault;
            }

            if (!_files.ContainsKey(path))
            {
                return new DiskError(DiskErrorKind.NotFound, path, "no such file");
            }

            Change(path, null);
            return Unit.Value;
        }
    }

    /// <inheritdoc/>
    public Result<Unit, DiskError> Rename(string from, string to)
    {
        lock (_gate)
        {
            if (Faults.Next(from, DiskOperation.Rename) is { } fault)
            {
                return fault;
            }

            if (!_files.TryGetValue(from, out SimulatedFile? file))
            {
                return new DiskError(DiskErrorKind.NotFound, from, "no such file");
            }

            // One atomic change: the new name gets the file, the old one loses it.
            _unsynced.Add(new DirectoryChange(to, _files.GetValueOrDefault(to), from, file));
            SetName(to, file);
            SetName(from, null);
            return Unit.Value;
        }
    }

    /// <inheritdoc/>
    public Result<IReadOnlyList<string>, DiskError> List(string folder)
    {
        lock (_gate)
        {
            if (Faults.Next(folder, DiskOperation.List) is { } fault)
            {
                return fault;
            }

            string prefix = folder.Length == 0 ? string.Empty : folder + "/";
            List<string> names = [];
            foreach (string path in _files.Keys)
            {
                if (path.StartsWith(prefix, StringComparison.Ordinal) && !path.AsSpan(prefix.Length).Contains('/'))
                {
                    names.Add(path[prefix.Length..]);
                }
            }

            return names;
        }
    }

    /// <inheritdoc/>
    public Result<Unit, DiskError> CreateDirectory(string folder)
    {
        lock (_gate)
        {
            if (Faults.Next(folder, DiskOperation.CreateDirectory) is { } fault)
            {
                return fault;
            }

            for (string path = folder; path.Length > 0; path = FolderOf(path))
            {
                _folders.Add(path);
            }

            return Unit.Value;
        }
    }

    /// <inheritdoc/>
    public Result<Unit, DiskError> SyncDirectory(string folder)
    {
        lock (_gate)
        {
            if (Faults.Next(folder, DiskOperation.Sync) is { } fault)
            {
                return fault;
            }

            _unsynced.RemoveAll(change => FolderOf(change.Path) == folder);
            return Unit.Value;
        }
    }

    /// <inheritdoc/>
    public Result<DiskSpace, DiskError> Space()
    {
        lock (_gate)
        {
            return new DiskSpace(_totalBytes, FreeBytes());
        }
    }

    /// <summary>Ends the machine's life and begins the next: handles of the old one fail from now on.</summary>
    /// <param name="kind">What is lost.</param>
    /// <param name="seed">Decides which unsynced bytes survive.</param>
    public void Crash(CrashKind kind, ulong seed)
    {
        lock (_gate)
        {
            Life++;
            Faults.Clear();
            _usedBytes = -1;
            if (kind == CrashKind.PowerLost)
            {
                LosePower(new Prng(seed));
            }

            foreach (SimulatedFile file in _files.Values)
            {
                file.IsLocked = false;
            }
        }
    }

    /// <summary>Turns one bit of a file over, as a medium does with age.</summary>
    public void FlipBit(string path, long offset, int bit)
    {
        lock (_gate)
        {
            _files[path].FlipBit(offset, bit);
            _usedBytes = -1;
        }
    }

    /// <summary>The page of the medium at an offset can be read no more, until all of it is written anew.</summary>
    public void BreakSector(string path, long offset)
    {
        lock (_gate)
        {
            _files[path].Break(offset);
        }
    }

    /// <summary>Turns over one bit, anywhere in what was written to a file; false if nothing was.</summary>
    public bool RotSomewhere(string path, Prng prng)
    {
        lock (_gate)
        {
            _usedBytes = -1;
            return _files[path].RotSomewhere(prng);
        }
    }

    /// <summary>Bytes that files below a folder take or reserve.</summary>
    public long SpaceOf(string folder)
    {
        lock (_gate)
        {
            return _files.Where(file => file.Key.StartsWith(folder + "/", StringComparison.Ordinal))
                .Sum(file => file.Value.SpaceBytes);
        }
    }

    /// <summary>The length of a file; -1 if there is none.</summary>
    public long LengthOf(string path)
    {
        lock (_gate)
        {
            return _files.TryGetValue(path, out SimulatedFile? file) ? file.Length : -1;
        }
    }

    /// <summary>What a file begins with, as it is read now: for who looks from outside, and counts as no operation.</summary>
    public void Peek(string path, Span<byte> beginning)
    {
        lock (_gate)
        {
            _files[path].Read(0, beginning);
        }
    }

    /// <summary>Cuts a file, as a bad tool or a bad repair would.</summary>
    public void Truncate(string path, long length)
    {
        lock (_gate)
        {
            _files[path].SetLength(length);
            _files[path].Sync();
            _usedBytes = -1;
        }
    }

    /// <summary>A disk with the same files, and a life of its own: for trying several ends of one story.</summary>
    public SimulatedDisk Clone()
    {
        lock (_gate)
        {
            SimulatedDisk copy = new(_totalBytes, _equal) { ForeignBytes = ForeignBytes };
            Dictionary<SimulatedFile, SimulatedFile> clones = [];
            SimulatedFile? CloneOf(SimulatedFile? file)
            {
                if (file is not null && !clones.ContainsKey(file))
                {
                    clones[file] = file.Clone();
                }

                return file is null ? null : clones[file];
            }

            foreach ((string path, SimulatedFile file) in _files)
            {
                copy.SetName(path, CloneOf(file));
            }

            copy._folders.UnionWith(_folders);
            foreach (DirectoryChange change in _unsynced)
            {
                SimulatedFile? before = CloneOf(change.Before);
                copy._unsynced.Add(change with { Before = before, FromFile = CloneOf(change.FromFile) });
            }

            return copy;
        }
    }

    internal long FreeBytes()
    {
        if (_usedBytes < 0)
        {
            _usedBytes = _files.Values.Sum(static file => file.SpaceBytes);
        }

        return Math.Max(0, _totalBytes - ForeignBytes - _usedBytes);
    }

    /// <summary>A file that takes as much as this is about to change: what it takes then is noted when the answer is disposed.</summary>
    internal SpaceChange Changing(SimulatedFile file) => new(this, file, file.SpaceBytes);

    private void LosePower(Prng prng)
    {
        int kept = prng.Next(_unsynced.Count + 1);
        for (int i = _unsynced.Count - 1; i >= kept; i--)
        {
            DirectoryChange change = _unsynced[i];
            SetName(change.Path, change.Before);
            if (change.From is not null)
            {
                SetName(change.From, change.FromFile);
            }
        }

        _unsynced.Clear();
        foreach (SimulatedFile file in _files.Values)
        {
            file.LosePower(prng);
        }
    }

    private void Change(string path, SimulatedFile? after)
    {
        _unsynced.Add(new DirectoryChange(path, _files.GetValueOrDefault(path), null, null));
        SetName(path, after);
    }

    private void SetName(string path, SimulatedFile? file)
    {
        if (_files.Remove(path, out SimulatedFile? before))
        {
            NoteNames(before, -1);
        }

        if (file is not null)
        {
            _files[path] = file;
            NoteNames(file, 1);
        }
    }

    private void NoteNames(SimulatedFile file, int names)
    {
        file.Names += names;
        _usedBytes += _usedBytes < 0 ? 0 : names * file.SpaceBytes;
    }

    /// <summary>Notes what a change of a file's bytes does to the disk's space.</summary>
    internal readonly ref struct SpaceChange(SimulatedDisk disk, SimulatedFile file, long before)
    {
        public void Dispose() =>
            disk._usedBytes += disk._usedBytes < 0 ? 0 : (file.SpaceBytes - before) * file.Names;
    }

    private static string FolderOf(string path) =>
        path.LastIndexOf('/') is var slash and >= 0 ? path[..slash] : string.Empty;

    private sealed record DirectoryChange(string Path, SimulatedFile? Before, string? From, SimulatedFile? FromFile);
}
