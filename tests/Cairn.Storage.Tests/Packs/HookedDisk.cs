using Cairn.Core.Primitives;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Tests.Packs;

/// <summary>A disk that lets a test do something else just before a record's bytes are written, and see where bytes go.</summary>
internal sealed class HookedDisk(IDisk inner) : IDisk
{
    /// <summary>Run once, before the next write of two buffers.</summary>
    public Action? BeforeRecord { get; set; }

    /// <summary>Run before each write: the file's path, where, and how many bytes.</summary>
    public Action<string, long, int>? Writing { get; set; }

    /// <summary>How many reads were made past the host's cache.</summary>
    public int ReadsOnce { get; private set; }

    public Result<IDiskFile, DiskError> Open(string path, DiskOpenMode mode) =>
        inner.Open(path, mode).TryGet(out IDiskFile? file, out DiskError error)
            ? Result<IDiskFile, DiskError>.Ok(new HookedFile(this, file))
            : error;

    public Result<Unit, DiskError> Delete(string path) => inner.Delete(path);

    public Result<Unit, DiskError> Rename(string from, string to) => inner.Rename(from, to);

    public Result<IReadOnlyList<string>, DiskError> List(string folder) => inner.List(folder);

    public Result<Unit, DiskError> CreateDirectory(string folder) => inner.CreateDirectory(folder);

    public Result<Unit, DiskError> SyncDirectory(string folder) => inner.SyncDirectory(folder);

    public Result<DiskSpace, DiskError> Space() => inner.Space();

    private sealed class HookedFile(HookedDisk disk, IDiskFile inner) : IDiskFile
    {
        public string Path => inner.Path;

        public Result<long, DiskError> Length() => inner.Length();

        public Result<Unit, DiskError> Read(long offset, Span<byte> buffer) => inner.Read(offset, buffer);

        public Result<Unit, DiskError> ReadOnce(long offset, Span<byte> buffer)
        {
            disk.ReadsOnce++;
            return inner.ReadOnce(offset, buffer);
        }

        public Result<Unit, DiskError> Write(long offset, ReadOnlySpan<byte> data)
        {
            disk.Writing?.Invoke(Path, offset, data.Length);
            return inner.Write(offset, data);
        }

        public Result<Unit, DiskError> Write(long offset, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
        {
            Action? before = disk.BeforeRecord;
            disk.BeforeRecord = null;
            before?.Invoke();
            disk.Writing?.Invoke(Path, offset, first.Length + second.Length);
            return inner.Write(offset, first, second);
        }

        public Result<Unit, DiskError> Preallocate(long length) => inner.Preallocate(length);

        public Result<Unit, DiskError> SetLength(long length) => inner.SetLength(length);

        public Result<Unit, DiskError> PunchHole(long offset, long length) => inner.PunchHole(offset, length);

        public Result<Unit, DiskError> Sync() => inner.Sync();

        public Result<Unit, DiskError> TryLock() => inner.TryLock();

        public void Dispose() => inner.Dispose();
    }
}
