using System.Runtime.InteropServices;

namespace Cairn.Fuse.Abi;

[StructLayout(LayoutKind.Sequential)]
internal struct FuseOpenIn
{
    public const int Size = 8;

    public uint Flags;
    public uint OpenFlags;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseOpenOut
{
    public const int Size = 16;

    public ulong Handle;
    public uint OpenFlags;
    public int BackingId;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseCreateIn
{
    public const int Size = 16;

    public uint Flags;
    public uint Mode;
    public uint Umask;
    public uint OpenFlags;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseCreateOut
{
    public const int Size = FuseEntryOut.Size + FuseOpenOut.Size;

    public FuseEntryOut Entry;
    public FuseOpenOut Open;
}

/// <summary>A READ, READDIR or READDIRPLUS.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FuseReadIn
{
    public const int Size = 40;

    public ulong Handle;
    public ulong Offset;
    public uint Length;
    public uint ReadFlags;
    public ulong LockOwner;
    public uint Flags;
    public uint Padding;
}

/// <summary>A WRITE; the data follow.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FuseWriteIn
{
    public const int Size = 40;

    public ulong Handle;
    public ulong Offset;
    public uint Length;
    public uint WriteFlags;
    public ulong LockOwner;
    public uint Flags;
    public uint Padding;
}

/// <summary>The reply to WRITE and COPY_FILE_RANGE.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FuseWriteOut
{
    public const int Size = 8;

    public uint Length;
    public uint Padding;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseReleaseIn
{
    public const int Size = 24;

    public ulong Handle;
    public uint Flags;
    public uint ReleaseFlags;
    public ulong LockOwner;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseFlushIn
{
    public const int Size = 24;

    public ulong Handle;
    public uint Unused;
    public uint Padding;
    public ulong LockOwner;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseFSyncIn
{
    public const int Size = 16;

    public ulong Handle;
    public uint Flags;
    public uint Padding;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseFileLock
{
    public const int Size = 24;

    public ulong Start;
    public ulong End;
    public uint Type;
    public uint Pid;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseLockIn
{
    public const int Size = 48;

    public ulong Handle;
    public ulong Owner;
    public FuseFileLock Lock;
    public uint Flags;
    public uint Padding;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseFAllocateIn
{
    public const int Size = 32;

    public ulong Handle;
    public ulong Offset;
    public ulong Length;
    public uint Mode;
    public uint Padding;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseLSeekIn
{
    public const int Size = 24;

    public ulong Handle;
    public ulong Offset;
    public uint Whence;
    public uint Padding;
}

/// <summary>The reply to LSEEK and COPY_FILE_RANGE_64.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FuseOffsetOut
{
    public const int Size = 8;

    public ulong Offset;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseCopyFileRangeIn
{
    public const int Size = 56;

    public ulong SourceHandle;
    public ulong SourceOffset;
    public ulong TargetNodeId;
    public ulong TargetHandle;
    public ulong TargetOffset;
    public ulong Length;
    public ulong Flags;
}
