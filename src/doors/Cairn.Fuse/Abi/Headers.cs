using System.Runtime.InteropServices;

namespace Cairn.Fuse.Abi;

/// <summary>Before every request.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FuseInHeader
{
    public const int Size = 40;

    public uint Length;
    public FuseOpcode Opcode;
    public ulong Unique;
    public ulong NodeId;
    public uint Uid;
    public uint Gid;
    public uint Pid;
    public ushort TotalExtLength;
    public ushort Padding;
}

/// <summary>Before every reply and notification.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FuseOutHeader
{
    public const int Size = 16;

    public uint Length;

    /// <summary>0 or a negative errno; a positive notify code when <see cref="Unique"/> is 0.</summary>
    public int Error;
    public ulong Unique;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseInitIn
{
    public const int Size = 64;

    /// <summary>What kernels before 7.36 send.</summary>
    public const int CompatSize = 16;

    public uint Major;
    public uint Minor;
    public uint MaxReadahead;
    public uint Flags;
    public uint Flags2;
    public Unused11 Unused;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseInitOut
{
    public const int Size = 64;

    public uint Major;
    public uint Minor;
    public uint MaxReadahead;
    public uint Flags;
    public ushort MaxBackground;
    public ushort CongestionThreshold;
    public uint MaxWrite;
    public uint TimeGranularity;
    public ushort MaxPages;
    public ushort MapAlignment;
    public uint Flags2;
    public uint MaxStackDepth;
    public ushort RequestTimeout;
    public ushort Unused0;
    public uint Unused1;
    public uint Unused2;
    public uint Unused3;
    public uint Unused4;
    public uint Unused5;
}

/// <summary>Eleven unused words.</summary>
[System.Runtime.CompilerServices.InlineArray(11)]
internal struct Unused11
{
    private uint _first;
}

/// <summary>A request that is no longer wanted.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FuseInterruptIn
{
    public const int Size = 8;

    public ulong Unique;
}

/// <summary>Drop the cached attributes, and pages when <see cref="Offset"/> is not negative.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FuseNotifyInvalidateInode
{
    public const int Size = 24;

    public ulong Inode;
    public long Offset;
    public long Length;
}

/// <summary>Drop or expire a cached entry; the name and a zero byte follow.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FuseNotifyInvalidateEntry
{
    public const int Size = 16;

    public ulong Parent;
    public uint NameLength;
    public uint Flags;
}
