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

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int FAllocate(SafeFileHandle file, int mode, long offset, long length);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    private static partial long LSeek(SafeFileHandle file, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "copy_file_range", SetLastError = true)]
    private static partial nint CopyFileRange(
        SafeFileHandle from, ref long fromOffset, SafeFileHandle to, ref long toOffset, nuint length, uint flags);
}
