namespace Cairn.Fuse.Abi;

/// <summary>
/// What both sides can do, asked and answered in INIT: flags in the low half, flags2 in the high half.
/// </summary>
/// <remarks>Source: include/uapi/linux/fuse.h, "INIT request/reply flags".</remarks>
[Flags]
internal enum FuseInitFlags : ulong
{
    None = 0,
    AsyncRead = 1UL << 0,
    PosixLocks = 1UL << 1,
    AtomicOpenTruncate = 1UL << 3,
    BigWrites = 1UL << 5,
    FlockLocks = 1UL << 10,
    DoReadDirPlus = 1UL << 13,
    ReadDirPlusAuto = 1UL << 14,
    AsyncDirectIo = 1UL << 15,
    ParallelDirectoryOperations = 1UL << 18,
    AbortError = 1UL << 21,
    MaxPages = 1UL << 22,
    CacheSymlinks = 1UL << 23,
    NoOpenDirSupport = 1UL << 24,
    ExplicitInvalidateData = 1UL << 25,
    HandleKillPrivV2 = 1UL << 28,
    InitExt = 1UL << 30,
    HasExpireOnly = 1UL << 35,
}

/// <summary>Source: FATTR_*: which members of a SETATTR request count.</summary>
[Flags]
internal enum FuseSetAttrValid : uint
{
    Mode = 1 << 0,
    Uid = 1 << 1,
    Gid = 1 << 2,
    Size = 1 << 3,
    Atime = 1 << 4,
    Mtime = 1 << 5,
    Handle = 1 << 6,
    AtimeNow = 1 << 7,
    MtimeNow = 1 << 8,
    KillSuidGid = 1 << 11,
}

/// <summary>Source: FOPEN_*: what the kernel may do with an open file.</summary>
internal static class FuseOpenFlags
{
    public const uint KeepCache = 1 << 1;
    public const uint CacheDirectory = 1 << 3;
    public const uint NoFlush = 1 << 5;
}

/// <summary>Flags of single requests. Source: the FUSE_* groups of fuse.h after the structs they belong to.</summary>
internal static class FuseRequestFlags
{
    public const uint ReleaseFlockUnlock = 1 << 1;
    public const uint WriteCache = 1 << 0;
    public const uint WriteKillSuidGid = 1 << 2;
    public const uint OpenKillSuidGid = 1 << 0;
    public const uint LockIsFlock = 1 << 0;
    public const uint FSyncDataOnly = 1 << 0;
    public const uint InvalidateEntryExpireOnly = 1 << 0;
}

/// <summary>Numbers of Linux that the protocol carries (x86-64 and arm64 agree on those used here).</summary>
internal static class Linux
{
    public const uint OpenAccessMode = 3;
    public const uint OpenWriteOnly = 1;
    public const uint OpenReadWrite = 2;
    public const uint OpenExclusive = 0x80;
    public const uint OpenTruncate = 0x200;
    public const uint OpenAppend = 0x400;
    public const uint OpenDataSync = 0x1000;

    public const uint ModePermissions = 0xFFF;
    public const uint ModeSetUserId = 0x800;
    public const uint ModeSetGroupId = 0x400;
    public const uint ModeGroupExecute = 0x8;
    public const int ModeKindShift = 12;

    public const uint LockRead = 0;
    public const uint LockWrite = 1;
    public const uint LockUnlock = 2;

    public const uint AllocateKeepSize = 1;
    public const uint AllocatePunchHole = 2;
    public const uint AllocateZeroRange = 0x10;

    public const uint SeekData = 3;
    public const uint SeekHole = 4;

    public const uint RenameNoReplace = 1;
    public const uint RenameExchange = 2;

    public const uint XAttrCreate = 1;
    public const uint XAttrReplace = 2;
}
