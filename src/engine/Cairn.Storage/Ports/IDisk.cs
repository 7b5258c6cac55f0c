using Cairn.Core.Primitives;

namespace Cairn.Storage.Ports;

/// <summary>Why a disk did not do what was asked.</summary>
public enum DiskErrorKind
{
    /// <summary>No such file. Retrying does not help.</summary>
    NotFound,

    /// <summary>A file of that name exists already.</summary>
    AlreadyExists,

    /// <summary>The host's disk is full. Retrying helps once space is freed.</summary>
    NoSpace,

    /// <summary>The device failed to read or write. What was being written must be treated as lost.</summary>
    InputOutput,

    /// <summary>The system refuses access.</summary>
    NotPermitted,

    /// <summary>Another process holds the file's lock.</summary>
    Locked,

    /// <summary>A read went past the end of the file.</summary>
    EndOfFile,
}

/// <summary>A disk failure: what, where, and the system's own words.</summary>
/// <param name="Kind">The closed set a caller may act on.</param>
/// <param name="Path">The file, relative to the disk's root.</param>
/// <param name="Detail">The system's message, for people.</param>
public readonly record struct DiskError(DiskErrorKind Kind, string Path, string Detail)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Path}: {Kind} ({Detail})";
}

/// <summary>How a file is opened.</summary>
public enum DiskOpenMode
{
    /// <summary>The file must exist; it is only read.</summary>
    Read,

    /// <summary>The file must exist; it is read and written.</summary>
    ReadWrite,

    /// <summary>Made if absent; read and written.</summary>
    OpenOrCreate,

    /// <summary>Must not exist; read and written.</summary>
    CreateNew,
}

/// <summary>Space of the file system below a disk's root.</summary>
/// <param name="TotalBytes">Its size.</param>
/// <param name="FreeBytes">What this process may still fill.</param>
public readonly record struct DiskSpace(long TotalBytes, long FreeBytes);

/// <summary>One folder of one disk, as the engine sees it. Paths are relative, with '/', below the root.</summary>
/// <remarks>
/// All calls block; the engine sends those that can be slow (<see cref="IDiskFile.Sync"/>, bulk reads) to its workers.
/// Implementations are safe to call from several threads. The simulated one loses what was not synced at a crash.
/// </remarks>
public interface IDisk
{
    /// <summary>Opens a file.</summary>
    Result<IDiskFile, DiskError> Open(string path, DiskOpenMode mode);

    /// <summary>Removes a file. Durable after <see cref="SyncDirectory"/>.</summary>
    Result<Unit, DiskError> Delete(string path);

    /// <summary>Renames over whatever has the new name, atomically. Durable after <see cref="SyncDirectory"/>.</summary>
    Result<Unit, DiskError> Rename(string from, string to);

    /// <summary>The names (not paths) of the files directly in a folder, in ordinal order; empty if it does not exist.</summary>
    Result<IReadOnlyList<string>, DiskError> List(string folder);

    /// <summary>Makes a folder and its parents if absent.</summary>
    Result<Unit, DiskError> CreateDirectory(string folder);

    /// <summary>Makes creations, renames and deletions in a folder survive power loss.</summary>
    Result<Unit, DiskError> SyncDirectory(string folder);

    /// <summary>Total and free space of the file system.</summary>
    Result<DiskSpace, DiskError> Space();
}

/// <summary>An open file. Reads and writes are positional; there is no cursor.</summary>
public interface IDiskFile : IDisposable
{
    /// <summary>Below so many bytes the host's cache is cheaper than a trip to the device, even for what passes once.</summary>
    const int BulkBytesMin = 128 * 1024;

    /// <summary>The path it was opened by.</summary>
    string Path { get; }

    /// <summary>Its length in bytes now.</summary>
    Result<long, DiskError> Length();

    /// <summary>Fills the whole buffer, or fails with <see cref="DiskErrorKind.EndOfFile"/> and an undefined buffer.</summary>
    Result<Unit, DiskError> Read(long offset, Span<byte> buffer);

    /// <summary>Writes everything. It survives the death of this process at once, power loss after <see cref="Sync"/>.</summary>
    Result<Unit, DiskError> Write(long offset, ReadOnlySpan<byte> data);

    /// <summary>Writes two buffers one after the other in one call: a frame's header and its payload.</summary>
    Result<Unit, DiskError> Write(long offset, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second);

    /// <summary>As the write of two buffers, for much data that will hardly be read soon: kept out of the host's cache.</summary>
    Result<Unit, DiskError> WriteBulk(long offset, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second) =>
        Write(offset, first, second);

    /// <summary>As <see cref="Read"/>, for much data that will hardly be read again soon: kept out of the host's cache.</summary>
    Result<Unit, DiskError> ReadBulk(long offset, Span<byte> buffer) => Read(offset, buffer);

    /// <summary>As <see cref="ReadBulk"/>, but what the host's cache has of it already is taken from there.</summary>
    Result<Unit, DiskError> ReadOnce(long offset, Span<byte> buffer) => Read(offset, buffer);

    /// <summary>Reserves blocks so that later writes below <paramref name="length"/> cannot find the disk full. Extends the length.</summary>
    Result<Unit, DiskError> Preallocate(long length);

    /// <summary>Cuts or extends (with zeros).</summary>
    Result<Unit, DiskError> SetLength(long length);

    /// <summary>Gives a range's blocks back to the disk; it reads as zeros.</summary>
    Result<Unit, DiskError> PunchHole(long offset, long length);

    /// <summary>fdatasync: everything written before survives power loss. The system call's own result is checked.</summary>
    /// <remarks>After a failure the file's unsynced data must be treated as lost; retrying the sync proves nothing.</remarks>
    Result<Unit, DiskError> Sync();

    /// <summary>Takes an exclusive lock that ends with this process; <see cref="DiskErrorKind.Locked"/> if another has it.</summary>
    Result<Unit, DiskError> TryLock();
}
