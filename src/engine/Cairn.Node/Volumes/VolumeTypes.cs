using Cairn.Core.Primitives;

namespace Cairn.Node.Volumes;

/// <summary>What an object is.</summary>
public enum ObjectKind : byte
{
    /// <summary>A regular file.</summary>
    File = 0,

    /// <summary>A directory.</summary>
    Directory = 1,

    /// <summary>A symbolic link.</summary>
    SymbolicLink = 2,

    /// <summary>A named pipe.</summary>
    Fifo = 3,

    /// <summary>A socket's name.</summary>
    Socket = 4,

    /// <summary>A character device.</summary>
    CharacterDevice = 5,

    /// <summary>A block device.</summary>
    BlockDevice = 6,
}

/// <summary>A 64-bit number for an object that is the same in every process and after every restart of this node.</summary>
/// <remarks>
/// The rule (docs/formats/nodeid.md): the first eight bytes of the <see cref="ObjectId"/>, little-endian, top bit cleared;
/// 1 is the root; 0 is never used. The rare collision is resolved by linear probing, recorded in the index.
/// </remarks>
/// <param name="Value">Used as FUSE nodeid and st_ino.</param>
public readonly record struct InodeNumber(ulong Value)
{
    /// <summary>The volume's root directory.</summary>
    public static InodeNumber Root => new(1);
}

/// <summary>An open file. The rule (docs/formats/nodeid.md): a number from a durable counter, never reused by this node.</summary>
/// <param name="Value">Used as the FUSE file handle.</param>
public readonly record struct OpenHandle(ulong Value);

/// <summary>Who asks: for permission checks, new objects' owner and authorship.</summary>
/// <param name="UserId">The caller's uid.</param>
/// <param name="GroupId">The caller's gid.</param>
/// <param name="ProcessId">The caller's pid; 0 if unknown.</param>
public readonly record struct Caller(uint UserId, uint GroupId, uint ProcessId)
{
    /// <summary>The daemon itself.</summary>
    public static Caller Daemon => default;
}

/// <summary>Everything stat shows.</summary>
public readonly record struct ObjectAttributes
{
    /// <summary>The object's durable number.</summary>
    public InodeNumber Inode { get; init; }

    /// <summary>What it is.</summary>
    public ObjectKind Kind { get; init; }

    /// <summary>Permission bits, 07777.</summary>
    public uint Mode { get; init; }

    /// <summary>Owner.</summary>
    public uint UserId { get; init; }

    /// <summary>Group.</summary>
    public uint GroupId { get; init; }

    /// <summary>Entries that point at it (2 + subdirectories for a directory).</summary>
    public uint LinkCount { get; init; }

    /// <summary>Length in bytes.</summary>
    public long SizeBytes { get; init; }

    /// <summary>Bytes of data, holes not counted.</summary>
    public long DataBytes { get; init; }

    /// <summary>Device number of a device node, as the kernel encodes it.</summary>
    public uint Device { get; init; }

    /// <summary>Last access, as far as kept (relatime, local only).</summary>
    public WallTime Accessed { get; init; }

    /// <summary>Last change of content.</summary>
    public WallTime Modified { get; init; }

    /// <summary>Last change of anything.</summary>
    public WallTime Changed { get; init; }
}

/// <summary>An entry with the attributes of what it points at.</summary>
/// <param name="Name">The name's bytes: any but '/' and NUL, 1 to 255 of them, not necessarily UTF-8.</param>
/// <param name="Attributes">Of the object.</param>
/// <param name="Cookie">Where a listing continues after this entry; stable while the entry exists.</param>
public readonly record struct DirectoryEntry(ReadOnlyMemory<byte> Name, ObjectAttributes Attributes, ulong Cookie);

/// <summary>An opened file.</summary>
/// <param name="Handle">To be released once.</param>
/// <param name="Attributes">At the time of opening.</param>
/// <param name="BaseVersion">The version it was opened on; a writer supersedes only this one.</param>
public readonly record struct OpenedFile(OpenHandle Handle, ObjectAttributes Attributes, VersionId BaseVersion);

/// <summary>How a file is opened.</summary>
[Flags]
public enum OpenIntent
{
    /// <summary>Nothing asked.</summary>
    None = 0,

    /// <summary>To read.</summary>
    Read = 1,

    /// <summary>To write.</summary>
    Write = 2,

    /// <summary>Cut to nothing first.</summary>
    Truncate = 4,

    /// <summary>Every write goes to the end.</summary>
    Append = 8,

    /// <summary>Every write is a barrier (O_SYNC).</summary>
    WriteThrough = 16,

    /// <summary>Creation fails if the name is taken (O_EXCL).</summary>
    Exclusive = 32,

    /// <summary>
    /// What is read is one version to its end, though others write newer ones meanwhile; a file with unpublished writes on this
    /// node shows those, as they come.
    /// </summary>
    Steady = 64,

    /// <summary>A new file stays on this node whatever its name: it takes the name of one that does later.</summary>
    Here = 128,
}

/// <summary>Which attributes to change; null leaves one as it is.</summary>
public readonly record struct AttributeChange
{
    /// <summary>Permission bits.</summary>
    public uint? Mode { get; init; }

    /// <summary>Owner.</summary>
    public uint? UserId { get; init; }

    /// <summary>Group.</summary>
    public uint? GroupId { get; init; }

    /// <summary>New length; cuts or extends with a hole.</summary>
    public long? SizeBytes { get; init; }

    /// <summary>Access time.</summary>
    public WallTime? Accessed { get; init; }

    /// <summary>Modification time.</summary>
    public WallTime? Modified { get; init; }
}

/// <summary>What a rename does when the target exists.</summary>
public enum RenameMode
{
    /// <summary>The target is replaced in the same transaction.</summary>
    Replace = 0,

    /// <summary>The rename fails.</summary>
    NoReplace = 1,

    /// <summary>The two entries change places in one transaction.</summary>
    Exchange = 2,
}

/// <summary>What an xattr write requires.</summary>
public enum AttributeWriteMode
{
    /// <summary>Create or replace.</summary>
    Any = 0,

    /// <summary>It must not exist.</summary>
    Create = 1,

    /// <summary>It must exist.</summary>
    Replace = 2,
}

/// <summary>How a range is allocated or given up.</summary>
public enum AllocateMode
{
    /// <summary>Extend the size if the range goes beyond it.</summary>
    Extend,

    /// <summary>Reserve without changing the size.</summary>
    KeepSize,

    /// <summary>Make the range a hole; the size stays.</summary>
    PunchHole,

    /// <summary>Make the range read as zeros; extend if it goes beyond the size.</summary>
    ZeroRange,
}

/// <summary>What a seek looks for.</summary>
public enum SeekTarget
{
    /// <summary>The next byte that is not in a hole.</summary>
    Data,

    /// <summary>The next hole; the end of the file counts as one.</summary>
    Hole,
}

/// <summary>Space as statfs shows it, honest about copies: what a user could still write.</summary>
/// <param name="TotalBytes">What the pool could hold of this volume at its rule.</param>
/// <param name="FreeBytes">What is left of it.</param>
/// <param name="Objects">How many objects there are.</param>
public readonly record struct VolumeSpace(long TotalBytes, long FreeBytes, long Objects);

/// <summary>A POSIX record lock on a file.</summary>
/// <param name="Owner">The kernel's lock owner.</param>
/// <param name="ProcessId">Shown to whoever asks who holds it.</param>
/// <param name="Start">First byte.</param>
/// <param name="End">Last byte, included; long.MaxValue means to the end.</param>
/// <param name="Kind">Shared, exclusive, or none to unlock.</param>
public readonly record struct RangeLock(ulong Owner, uint ProcessId, long Start, long End, LockKind Kind);

/// <summary>What a lock excludes.</summary>
public enum LockKind
{
    /// <summary>Nothing: an unlock.</summary>
    None,

    /// <summary>Writers.</summary>
    Shared,

    /// <summary>Everyone.</summary>
    Exclusive,
}
