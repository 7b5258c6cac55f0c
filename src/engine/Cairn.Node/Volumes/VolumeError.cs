namespace Cairn.Node.Volumes;

/// <summary>Every way an operation on a volume can fail. Doors translate it; nothing else crosses the waist.</summary>
public enum VolumeError
{
    /// <summary>No such entry or object. The caller's path is wrong or was removed.</summary>
    NotFound,

    /// <summary>The name is taken.</summary>
    AlreadyExists,

    /// <summary>A directory was needed.</summary>
    NotADirectory,

    /// <summary>Something other than a directory was needed.</summary>
    IsADirectory,

    /// <summary>The directory is not empty.</summary>
    NotEmpty,

    /// <summary>The name is empty, ".", "..", has a '/' or NUL, or is otherwise not allowed.</summary>
    InvalidName,

    /// <summary>The name is over 255 bytes.</summary>
    NameTooLong,

    /// <summary>An argument makes no sense. Retrying does not help.</summary>
    InvalidArgument,

    /// <summary>The handle is not open, or not for this.</summary>
    BadHandle,

    /// <summary>The caller may not do this.</summary>
    NotPermitted,

    /// <summary>The permission bits refuse it.</summary>
    AccessDenied,

    /// <summary>The volume, snapshot or membership is read-only.</summary>
    ReadOnly,

    /// <summary>
    /// No space: staging is full, the reserve is reached or the host's disk is filling. Helps: free space, or wait for
    /// replication.
    /// </summary>
    NoSpace,

    /// <summary>The file would exceed the largest size (2^63 - 1 bytes).</summary>
    FileTooLarge,

    /// <summary>Data is not held here and no node that holds it can be reached now. Helps: reconnect.</summary>
    Unreachable,

    /// <summary>Data failed authentication and no other copy was good.</summary>
    Corrupt,

    /// <summary>This node's disk failed.</summary>
    InputOutput,

    /// <summary>The move would put a directory below itself.</summary>
    WouldLoop,

    /// <summary>A lock is held by another.</summary>
    Locked,

    /// <summary>The lock wait would deadlock.</summary>
    Deadlock,

    /// <summary>The attribute does not exist.</summary>
    NoAttribute,

    /// <summary>The buffer is too small for the attribute.</summary>
    RangeTooSmall,

    /// <summary>The volume does not offer this.</summary>
    NotSupported,

    /// <summary>There is nothing there (seek past the last data).</summary>
    NoData,

    /// <summary>The object has as many links as it can.</summary>
    TooManyLinks,

    /// <summary>The node's keys are sealed. Helps: cairn unlock.</summary>
    NodeLocked,

    /// <summary>The daemon is stopping. Retrying after its restart helps.</summary>
    Stopping,

    /// <summary>A folder, link or device cannot move between what is shared and what stays local. Helps: copy it.</summary>
    CrossesVolumes,

    /// <summary>The wait was given up by the caller.</summary>
    Interrupted,

    /// <summary>This node has left the pool. Helps: write on a machine that is in it.</summary>
    Left,

    /// <summary>A clone needs the snapshot. Helps: remove the clone first.</summary>
    InUse,

    /// <summary>It is older than what the logs go back to. Helps: a later moment, or a snapshot.</summary>
    BeforeBeginning,
}
