namespace Cairn.Io.FuseDevice;

/// <summary>Why a drive could not be mounted or unmounted.</summary>
public enum MountErrorKind
{
    /// <summary>The directory does not exist. Helps: make it.</summary>
    NotFound,

    /// <summary>The mount point is not a directory.</summary>
    NotADirectory,

    /// <summary>The directory has something in it, which a mount would hide. Helps: an empty one.</summary>
    NotEmpty,

    /// <summary>
    /// Something is mounted there, or files are open in it. Helps: unmount, close them, or detach by force.
    /// </summary>
    Busy,

    /// <summary>The user may not mount there.</summary>
    NotPermitted,

    /// <summary>
    /// The kernel has no FUSE, or /dev/fuse is missing. Helps: modprobe fuse; in a container, pass /dev/fuse in.
    /// </summary>
    NoFuse,

    /// <summary>Not root, and fusermount3 is not installed. Helps: the package fuse3.</summary>
    NoHelper,

    /// <summary>Something else; the detail has the system's words.</summary>
    Other,
}

/// <summary>A failure to mount, for people.</summary>
/// <param name="Kind">What went wrong.</param>
/// <param name="Directory">Where.</param>
/// <param name="Detail">What is the matter and what helps, in one sentence.</param>
public readonly record struct MountError(MountErrorKind Kind, string Directory, string Detail)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Directory}: {Detail}";
}
