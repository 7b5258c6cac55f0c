namespace Cairn.Core.Log;

/// <summary>
/// The wire tag of a primitive: docs/formats/transaction.md, section "Primitives". A tag is never reused.
/// </summary>
public enum PrimitiveKind : byte
{
    /// <summary>A new file, directory or other object.</summary>
    CreateObject = 1,

    /// <summary>An entry for an object.</summary>
    Place = 2,

    /// <summary>An entry is removed.</summary>
    Unplace = 3,

    /// <summary>An entry changes its name or directory.</summary>
    Move = 4,

    /// <summary>Two entries change places.</summary>
    Exchange = 5,

    /// <summary>A file has a new version.</summary>
    WriteVersion = 6,

    /// <summary>Mode, owner or times change.</summary>
    SetAttributes = 7,

    /// <summary>An extended attribute is set or removed.</summary>
    SetExtendedAttribute = 8,

    /// <summary>A conflicting head is given up by someone who saw it.</summary>
    DiscardHeads = 9,

    /// <summary>The author tells the name it is shown under.</summary>
    NameAuthor = 10,

    /// <summary>A rule for a file or folder.</summary>
    SetRule = 16,

    /// <summary>A snapshot is made or removed.</summary>
    Snapshot = 17,

    /// <summary>What was kept for snapshots that are gone is forgotten.</summary>
    SweepKept = 18,

    /// <summary>A member is admitted or changes its role.</summary>
    GrantMember = 32,

    /// <summary>A member is expelled.</summary>
    RevokeMember = 33,

    /// <summary>A volume is made.</summary>
    CreateVolume = 34,

    /// <summary>A volume is removed.</summary>
    RemoveVolume = 35,

    /// <summary>A volume gets another name.</summary>
    RenameVolume = 36,

    /// <summary>An epoch key, wrapped for one member.</summary>
    GrantKey = 37,

    /// <summary>Solved placement weights.</summary>
    PublishWeights = 38,

    /// <summary>The holder of the recovery kit comes back as an admin, let in by any member.</summary>
    RecoverMember = 39,

    /// <summary>A member may only read from now on, or may write again.</summary>
    LimitMember = 40,

    /// <summary>Who may edit a volume.</summary>
    LimitVolume = 41,

    /// <summary>Who may edit below a folder.</summary>
    LimitFolder = 42,

    /// <summary>What came into limited folders since is guarded by another mark.</summary>
    RenewMark = 43,

    /// <summary>A volume is made that begins with the chunks of a snapshot.</summary>
    CloneVolume = 44,

    /// <summary>A clone has all that it begins with.</summary>
    CompleteClone = 45,

    /// <summary>A clone is removed.</summary>
    RemoveClone = 46,

    /// <summary>Another mark stands for one that never came.</summary>
    ReplaceMark = 47,

    /// <summary>Objects, versions and chunks that nothing refers to any more.</summary>
    Condemn = 48,

    /// <summary>Chunks that are needed after all.</summary>
    Rescue = 49,

    /// <summary>A member that garbage no longer waits for.</summary>
    Exclude = 50,

    /// <summary>The rest was written before, under numbers that were lost.</summary>
    Repeats = 51,

    /// <summary>A member has made a checkpoint of a volume.</summary>
    VouchCheckpoint = 52,

    /// <summary>Which person uses a member's machine.</summary>
    AssignUser = 53,

    /// <summary>A removed volume has given back all it took.</summary>
    PurgeVolume = 54,

    /// <summary>A member begins every fold of a volume with a checkpoint from now on.</summary>
    SettleCheckpoint = 55,
}
