using System.Runtime.InteropServices;
using Cairn.Core.Primitives;
using Cairn.Storage.Ports;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Io.Disk;

/// <summary>A file of the host's file system, by positional system calls.</summary>
/// <remarks>Thread: any number at once. Allocates: only when a call fails.</remarks>
internal sealed unsafe class RealDiskFile(string path, SafeFileHandle handle) : IDiskFile
{
    private const int FromEnd = 2;
    private const int ZeroBytes = 64 * 1024;

    private static readonly byte[] Zeros = new byte[ZeroBytes];
    private readonly Lazy<DirectFile?> _direct = new(() => DirectFile.TryOpen(handle));

    // The kernel reports a lost write once and then forgets it, so a second fsync would lie: the failure is kept here.
    private volatile SyncFailure? _syncFailure;

    public string Path => path;

    public Result<long, DiskError> Length()
    {
        long length = LibC.Seek(handle, 0, FromEnd);
        return length < 0 ? Errno.Last(path) : length;
    }

    public Result<Unit, DiskError> Read(long offset, Span<byte> buffer)
    {
        Invariant.That(offset >= 0, $"{path}: a read at {offset}");
        // Safety: the pointer is used only while pinned, and never past the span's length.
        fixed (byte* start = buffer)
        {
            int done = 0;
            while (done < buffer.Length)
            {
                nint count = LibC.Read(handle, start + done, buffer.Length - done, offset + done);
                if (count == 0)
                {
                    string detail = $"{buffer.Length} bytes wanted at {offset}, the file ends after {done} of them";
                    return new DiskError(DiskErrorKind.EndOfFile, path, detail);
                }

                if (count < 0 && !Errno.WasInterrupted)
                {
                    return Errno.Last(path);
                }

                done += (int)Math.Max(0, count);
            }
        }

        return Unit.Value;
    }

    public Result<Unit, DiskError> Write(long offset, ReadOnlySpan<byte> data)
    {
        Invariant.That(offset >= 0, $"{path}: a write at {offset}");
        // Safety: the pointer is used only while pinned, and never past the span's length.
        fixed (byte* start = data)
        {
            int done = 0;
            while (done < data.Length)
            {
                nint count = LibC.Write(handle, start + done, data.Length - done, offset + done);
                if (count < 0 && !Errno.WasInterrupted)
                {
                    return Errno.Last(path);
                }

                done += (int)Math.Max(0, count);
            }
        }

        return Unit.Value;
    }

    public Result<Unit, DiskError> Write(long offset, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        Invariant.That(offset >= 0, $"{path}: a write at {offset}");
        nint count;
        // Safety: both pointers are used only while pinned, with the spans' own lengths.
        fixed (byte* firstStart = first, secondStart = second)
        {
            LibC.IoVector* vectors = stackalloc LibC.IoVector[2];
            vectors[0] = new LibC.IoVector { Base = firstStart, Length = first.Length };
            vectors[1] = new LibC.IoVector { Base = secondStart, Length = second.Length };
            do
            {
                count = LibC.WriteVector(handle, vectors, 2, offset);
            }
            while (count < 0 && Errno.WasInterrupted);
        }

        if (count < 0)
        {
            return Errno.Last(path);
        }

        // A short write happens when the disk fills up in the middle: the rest is tried alone and then says why.
        int done = (int)count;
        Result<Unit, DiskError> head = done < first.Length ? Write(offset + done, first[done..]) : Unit.Value;
        int tail = Math.Max(0, done - first.Length);
        return head.IsOk && tail < second.Length ? Write(offset + first.Length + tail, second[tail..]) : head;
    }

    public Result<Unit, DiskError> WriteBulk(long offset, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        Invariant.That(offset >= 0, $"{path}: a write at {offset}");
        long end = offset + first.Length + second.Length;
        long blocks = (offset + DirectFile.BlockBytes - 1) & -DirectFile.BlockBytes;
        int length = (int)((end & -DirectFile.BlockBytes) - blocks);
        int head = (int)(blocks - offset);
        if (length < IDiskFile.BulkBytesMin || head < first.Length || _direct.Value is not { } direct)
        {
            return Write(offset, first, second);
        }

        // The blocks at both ends are shared with neighbours. They go through the cache, where writes side by side meet.
        Result<Unit, DiskError> edge = Write(offset, first, second[..(head - first.Length)]);
        if (!edge.IsOk)
        {
            return edge;
        }

        // What went wrong on the way past the cache is tried again through it: it works, or says why not.
        int written = direct.Write(blocks, first, second, head, length);
        return Write(blocks + written, second[(head - first.Length + written)..]);
    }

    public Result<Unit, DiskError> ReadBulk(long offset, Span<byte> buffer)
    {
        Invariant.That(offset >= 0, $"{path}: a read at {offset}");
        bool bulk = buffer.Length >= IDiskFile.BulkBytesMin;
        int done = bulk && _direct.Value is { } direct ? direct.Read(offset, buffer) : 0;
        return Read(offset + done, buffer[done..]);
    }

    public Result<Unit, DiskError> ReadOnce(long offset, Span<byte> buffer)
    {
        Invariant.That(offset >= 0, $"{path}: a read at {offset}");
        int cached = ReadCached(offset, buffer);
        return cached < 0 ? Read(offset, buffer)
            : cached == buffer.Length ? Unit.Value
            : ReadBulk(offset + cached, buffer[cached..]);
    }

    public Result<Unit, DiskError> Preallocate(long length)
    {
        if (!Length().TryGet(out long current, out DiskError error))
        {
            return error;
        }

        Result<Unit, DiskError> all = Allocate(0, 0, length);
        if (!all.IsOk && all.Error.Kind == DiskErrorKind.NoSpace && length > current)
        {
            // What was reserved before the disk ran full is given back, so that a refused request costs nothing.
            _ = SetLength(current);
        }

        return all;
    }

    public Result<Unit, DiskError> SetLength(long length)
    {
        int result;
        do
        {
            result = LibC.Truncate(handle, length);
        }
        while (result != 0 && Errno.WasInterrupted);
        return result == 0 ? Unit.Value : Errno.Last(path);
    }

    public Result<Unit, DiskError> PunchHole(long offset, long length) =>
        Allocate(LibC.PunchHole | LibC.KeepSize, offset, length);

    public Result<Unit, DiskError> Sync()
    {
        if (_syncFailure is { } earlier)
        {
            return earlier.Error;
        }

        int result;
        do
        {
            result = LibC.SyncData(handle);
        }
        while (result != 0 && Errno.WasInterrupted);
        if (result == 0)
        {
            return Unit.Value;
        }

        _syncFailure = new SyncFailure(Errno.Last(path));
        return _syncFailure.Error;
    }

    public Result<Unit, DiskError> TryLock()
    {
        int result;
        do
        {
            result = LibC.Lock(handle, LibC.LockExclusive | LibC.LockNonBlocking);
        }
        while (result != 0 && Errno.WasInterrupted);
        return result == 0 ? Unit.Value : Errno.Last(path);
    }

    public void Dispose()
    {
        if (_direct.IsValueCreated)
        {
            _direct.Value?.Dispose();
        }

        handle.Dispose();
    }

    /// <returns>How many of the first bytes the page cache had; less than none if the file system does not say.</returns>
    private int ReadCached(long offset, Span<byte> buffer)
    {
        // Safety: the pointer is used only while pinned, with the span's own length.
        fixed (byte* start = buffer)
        {
            LibC.IoVector vector = new() { Base = start, Length = buffer.Length };
            nint count = LibC.ReadVector(handle, &vector, 1, offset, LibC.CachedOnly);
            return count >= 0 ? (int)count
                : Marshal.GetLastPInvokeError() is Errno.TryAgain or Errno.Interrupted ? 0
                : -1;
        }
    }

    private Result<Unit, DiskError> Allocate(int mode, long offset, long length)
    {
        if (length <= 0)
        {
            return Unit.Value;
        }

        int result;
        do
        {
            result = LibC.Allocate(handle, mode, offset, length);
        }
        while (result != 0 && Errno.WasInterrupted);
        if (result == 0)
        {
            return Unit.Value;
        }

        return Marshal.GetLastPInvokeError() == Errno.NotSupported
            ? AllocateByHand(mode, offset, length)
            : Errno.Last(path);
    }

    // File systems without fallocate: zeros reserve blocks as well, and read like a hole.
    private Result<Unit, DiskError> AllocateByHand(int mode, long offset, long length)
    {
        if (!Length().TryGet(out long end, out DiskError error))
        {
            return error;
        }

        bool punches = (mode & LibC.PunchHole) != 0;
        long position = punches ? offset : Math.Max(offset, end);
        long stop = punches ? Math.Min(offset + length, end) : offset + length;
        while (position < stop)
        {
            int count = (int)Math.Min(ZeroBytes, stop - position);
            if (!Write(position, Zeros.AsSpan(0, count)).TryGet(out _, out error))
            {
                return error;
            }

            position += count;
        }

        return Unit.Value;
    }

    private sealed record SyncFailure(DiskError Error);
}
