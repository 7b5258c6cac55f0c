using System.Runtime.InteropServices;

namespace Cairn.Fuse.Abi;

[StructLayout(LayoutKind.Sequential)]
internal struct FuseAttr
{
    public const int Size = 88;

    public ulong Inode;
    public ulong SizeBytes;
    public ulong Blocks;
    public ulong Atime;
    public ulong Mtime;
    public ulong Ctime;
    public uint AtimeNsec;
    public uint MtimeNsec;
    public uint CtimeNsec;
    public uint Mode;
    public uint LinkCount;
    public uint Uid;
    public uint Gid;
    public uint Device;
    public uint BlockSize;
    public uint Flags;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseEntryOut
{
    public const int Size = 128;

    public ulong NodeId;
    public ulong Generation;
    public ulong EntryValid;
    public ulong AttrValid;
    public uint EntryValidNsec;
    public uint AttrValidNsec;
    public FuseAttr Attr;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseAttrOut
{
    public const int Size = 104;

    public ulong AttrValid;
    public uint AttrValidNsec;
    public uint Dummy;
    public FuseAttr Attr;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseSetAttrIn
{
    public const int Size = 88;

    public FuseSetAttrValid Valid;
    public uint Padding;
    public ulong Handle;
    public ulong SizeBytes;
    public ulong LockOwner;
    public ulong Atime;
    public ulong Mtime;
    public ulong Ctime;
    public uint AtimeNsec;
    public uint MtimeNsec;
    public uint CtimeNsec;
    public uint Mode;
    public uint Unused4;
    public uint Uid;
    public uint Gid;
    public uint Unused5;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseMkNodIn
{
    public const int Size = 16;

    public uint Mode;
    public uint Device;
    public uint Umask;
    public uint Padding;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseMkDirIn
{
    public const int Size = 8;

    public uint Mode;
    public uint Umask;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseRename2In
{
    public const int Size = 16;

    public ulong NewDirectory;
    public uint Flags;
    public uint Padding;
}

/// <summary>The whole of a RENAME's and of a LINK's fixed part: one nodeid.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FuseNodeIdIn
{
    public const int Size = 8;

    public ulong NodeId;
}

/// <summary>A SETXATTR without FUSE_SETXATTR_EXT.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FuseSetXAttrIn
{
    public const int Size = 8;

    public uint ValueLength;
    public uint Flags;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseGetXAttrIn
{
    public const int Size = 8;

    public uint BufferLength;
    public uint Padding;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseGetXAttrOut
{
    public const int Size = 8;

    public uint NeededLength;
    public uint Padding;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseStatFsOut
{
    public const int Size = 80;

    public ulong Blocks;
    public ulong BlocksFree;
    public ulong BlocksAvailable;
    public ulong Files;
    public ulong FilesFree;
    public uint BlockSize;
    public uint NameLength;
    public uint FragmentSize;
    public uint Padding;
    public uint Spare0;
    public uint Spare1;
    public uint Spare2;
    public uint Spare3;
    public uint Spare4;
    public uint Spare5;
}

/// <summary>
/// A directory entry; the name follows, padded to eight bytes. READDIRPLUS puts a <see cref="FuseEntryOut"/> before
/// it.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FuseDirent
{
    public const int Size = 24;

    public ulong Inode;
    public ulong Offset;
    public uint NameLength;
    public uint Type;
}
