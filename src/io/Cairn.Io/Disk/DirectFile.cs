using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Io.Disk;

/// <summary>A file opened a second time, past the page cache (O_DIRECT): whole blocks, by way of aligned memory.</summary>
/// <remarks>
/// Why: bytes that go through the page cache are copied there, and the pages have to be found first. On a virtual machine
/// that gives idle memory back to its host that is 1 to 2.5 CPU seconds a GiB, against 0.1 to 0.25 this way
/// (docs/decisions/bulk-past-the-cache.md). Thread: any number at once. Allocates: native memory, a
/// buffer a concurrent call; two are kept.
/// </remarks>
internal sealed unsafe class DirectFile : IDisposable
{
    /// <summary>Offsets and lengths are multiples of this: no block device in use asks for more.</summary>
    internal const int BlockBytes = 4096;

    /// <summary>One system call moves at most so much.</summary>
    private const int PieceBytes = 2 << 20;

    // Buffers that nobody uses now; 0 is an empty place.
    private static readonly nint[] Kept = new nint[2];

    private readonly SafeFileHandle _handle;

    private DirectFile(SafeFileHandle handle) => _handle = handle;

    /// <summary>Opens the file behind a handle; null where the file system has no way past its cache.</summary>
    internal static DirectFile? TryOpen(SafeFileHandle file)
    {
        // Through /proc the file is the same even if its name is another's by now.
        string path = $"/proc/self/fd/{file.DangerousGetHandle()}";
        int descriptor = LibC.Open(path, LibC.ReadWrite | LibC.Direct | LibC.CloseOnExec, 0);
        return descriptor < 0 ? null : new DirectFile(new SafeFileHandle(descriptor, ownsHandle: true));
    }

    /// <summary>Writes the concatenation of two buffers from <paramref name="from"/> on, in whole blocks.</summary>
    /// <param name="offset">Where in the file: a multiple of <see cref="BlockBytes"/>.</param>
    /// <param name="first">The one buffer.</param>
    /// <param name="second">The other.</param>
    /// <param name="from">Where in the concatenation to begin.</param>
    /// <param name="length">A multiple of <see cref="BlockBytes"/>.</param>
    /// <returns>Bytes written; less than asked when a call failed, and errno says why.</returns>
    internal int Write(long offset, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, int from, int length)
    {
        nint buffer = Rent();
        int done = 0;
        while (done < length)
        {
            // Safety: the buffer has PieceBytes bytes and is this call's alone until it is given back.
            Span<byte> piece = new((void*)buffer, Math.Min(PieceBytes, length - done));
            Gather(first, second, from + done, piece);
            nint count;
            do
            {
                count = LibC.Write(_handle, (byte*)buffer, piece.Length, offset + done);
            }
            while (count < 0 && Errno.WasInterrupted);
            if (count < 0)
            {
                break;
            }

            done += (int)count;
        }

        Return(buffer);
        return done;
    }

    /// <summary>Fills a buffer from anywhere in the file.</summary>
    /// <returns>Bytes filled; less than asked at the file's end or when a call failed.</returns>
    internal int Read(long offset, Span<byte> destination)
    {
        nint buffer = Rent();
        int done = 0;
        while (done < destination.Length)
        {
            long at = (offset + done) & -BlockBytes;
            int skip = (int)(offset + done - at);
            long blocks = ((long)skip + destination.Length - done + BlockBytes - 1) & -BlockBytes;
            int wanted = (int)Math.Min(PieceBytes, blocks);
            nint count;
            do
            {
                // Safety: as above; wanted is at most PieceBytes.
                count = LibC.Read(_handle, (byte*)buffer, wanted, at);
            }
            while (count < 0 && Errno.WasInterrupted);
            if (count <= skip)
            {
                break;
            }

            int useful = (int)Math.Min(count - skip, destination.Length - done);
            new ReadOnlySpan<byte>((byte*)buffer + skip, useful).CopyTo(destination[done..]);
            done += useful;
        }

        Return(buffer);
        return done;
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    private static void Gather(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, int from, Span<byte> piece)
    {
        int ofFirst = Math.Clamp(first.Length - from, 0, piece.Length);
        first.Slice(Math.Min(from, first.Length), ofFirst).CopyTo(piece);
        second.Slice(from + ofFirst - first.Length, piece.Length - ofFirst).CopyTo(piece[ofFirst..]);
    }

    private static nint Rent()
    {
        foreach (ref nint place in Kept.AsSpan())
        {
            nint kept = Interlocked.Exchange(ref place, 0);
            if (kept != 0)
            {
                return kept;
            }
        }

        return (nint)NativeMemory.AlignedAlloc(PieceBytes, BlockBytes);
    }

    private static void Return(nint buffer)
    {
        foreach (ref nint place in Kept.AsSpan())
        {
            if (Interlocked.CompareExchange(ref place, buffer, 0) == 0)
            {
                return;
            }
        }

        NativeMemory.AlignedFree((void*)buffer);
    }
}
