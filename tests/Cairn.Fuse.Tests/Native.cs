using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Fuse.Tests;

/// <summary>What .NET's file classes do not offer.</summary>
internal static partial class Native
{
    private const int PunchHoleKeepSize = 3;
    private const int ZeroRange = 0x10;

    public static void Punch(SafeFileHandle file, long offset, long length) =>
        Assert.Equal(0, FAllocate(file, PunchHoleKeepSize, offset, length));

    public static void Zero(SafeFileHandle file, long offset, long length) =>
        Assert.Equal(0, FAllocate(file, ZeroRange, offset, length));

    public static void Sync(SafeFileHandle file) => Assert.Equal(0, FSync(file));

    public static long SeekData(SafeFileHandle file, long offset) => LSeek(file, offset, 3);

    public static long SeekHole(SafeFileHandle file, long offset) => LSeek(file, offset, 4);

    public static long Copy(SafeFileHandle file, long from, long to, long length)
    {
        long copied = 0;
        while (copied < length)
        {
            long count = CopyFileRange(file, ref from, file, ref to, (nuint)(length - copied), 0);
            if (count <= 0)
            {
                break;
            }

            copied += count;
        }

        return copied;
    }

    /// <summary>A byte of a mapped file of the drive.</summary>
    /// <remarks>
    /// By the system library's hand. The page comes from this very process: a thread that waits for it in managed code would
    /// hold up a collection, and with it the drive's threads.
    /// </remarks>
    public static unsafe byte ReadMapped(MemoryMappedViewAccessor view, long offset)
    {
        byte value;
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        CopyMemory(&value, start + view.PointerOffset + offset, 1);
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        return value;
    }

    /// <summary>Writes into a mapped file of the drive; as <see cref="ReadMapped"/>.</summary>
    public static unsafe void WriteMapped(MemoryMappedViewAccessor view, long offset, ReadOnlySpan<byte> bytes)
    {
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        fixed (byte* source = bytes)
        {
            CopyMemory(start + view.PointerOffset + offset, source, (nuint)bytes.Length);
        }

        view.SafeMemoryMappedViewHandle.ReleasePointer();
    }

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int FAllocate(SafeFileHandle file, int mode, long offset, long length);

    [LibraryImport("libc", EntryPoint = "memcpy")]
    private static unsafe partial void CopyMemory(byte* target, byte* source, nuint count);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    private static partial long LSeek(SafeFileHandle file, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "copy_file_range", SetLastError = true)]
    private static partial nint CopyFileRange(
        SafeFileHandle from, ref long fromOffset, SafeFileHandle to, ref long toOffset, nuint length, uint flags);
}
