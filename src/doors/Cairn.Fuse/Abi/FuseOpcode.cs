namespace Cairn.Fuse.Abi;

/// <summary>What the kernel asks. Source: include/uapi/linux/fuse.h, enum fuse_opcode, protocol 7.45.</summary>
internal enum FuseOpcode : uint
{
    Lookup = 1,
    Forget = 2,
    GetAttr = 3,
    SetAttr = 4,
    ReadLink = 5,
    SymLink = 6,
    MkNod = 8,
    MkDir = 9,
    Unlink = 10,
    RmDir = 11,
    Rename = 12,
    Link = 13,
    Open = 14,
    Read = 15,
    Write = 16,
    StatFs = 17,
    Release = 18,
    FSync = 20,
    SetXAttr = 21,
    GetXAttr = 22,
    ListXAttr = 23,
    RemoveXAttr = 24,
    Flush = 25,
    Init = 26,
    OpenDir = 27,
    ReadDir = 28,
    ReleaseDir = 29,
    FSyncDir = 30,
    GetLk = 31,
    SetLk = 32,
    SetLkW = 33,
    Access = 34,
    Create = 35,
    Interrupt = 36,
    BMap = 37,
    Destroy = 38,
    IoCtl = 39,
    Poll = 40,
    NotifyReply = 41,
    BatchForget = 42,
    FAllocate = 43,
    ReadDirPlus = 44,
    Rename2 = 45,
    LSeek = 46,
    CopyFileRange = 47,
    SetupMapping = 48,
    RemoveMapping = 49,
    SyncFs = 50,
    TmpFile = 51,
    StatX = 52,
    CopyFileRange64 = 53,
}

/// <summary>What the server tells unasked, as the error of an out header. Source: enum fuse_notify_code.</summary>
internal static class FuseNotifyCode
{
    public const int InvalidateInode = 2;
    public const int InvalidateEntry = 3;

    /// <summary>All names are to be looked up again; since Linux 6.16, older kernels refuse it.</summary>
    public const int IncrementEpoch = 8;
}
