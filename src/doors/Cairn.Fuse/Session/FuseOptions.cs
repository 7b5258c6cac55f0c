namespace Cairn.Fuse.Session;

/// <summary>How a mount behaves.</summary>
public sealed record FuseOptions
{
    /// <summary>What a mount does when nobody says otherwise.</summary>
    public static FuseOptions Default { get; } = new();

    /// <summary>How long the kernel may trust attributes and entries, existing or not. Default: one hour.</summary>
    /// <remarks>Long, because the volume's watcher tells of every change that the kernel did not make itself.</remarks>
    public TimeSpan CacheTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// The largest read or write request, in bytes. Default: 1 MiB, the most that unprivileged kernels take.
    /// </summary>
    public int RequestBytesMax { get; init; } = 1 << 20;

    /// <summary>
    /// How far the kernel reads ahead, in bytes; it takes at most what its block device setting allows. Default: 1
    /// MiB.
    /// </summary>
    public int ReadaheadBytes { get; init; } = 1 << 20;

    /// <summary>
    /// How many background requests (readahead, asynchronous I/O) the kernel keeps going. Default: 64.
    /// </summary>
    public int BackgroundRequestsMax { get; init; } = 64;

    /// <summary>
    /// Whether locks go to the volume (true) or stay in the kernel (false, the default). The kernel's are exact for all
    /// processes on this mount and cost nothing; the volume's are shared with other mounts and doors of this node.
    /// </summary>
    public bool VolumeLocks { get; init; }

    /// <summary>
    /// Whom everything is shown to belong to; null (the default) shows the owners as they are. For a mount that only one
    /// user can enter and whose numbers mean nothing on the other machines.
    /// </summary>
    public ShownOwner? ShownOwner { get; init; }

    /// <summary>What st_blksize says, in bytes; stdio sizes its buffers by it. Default: 64 KiB.</summary>
    public int PreferredIoBytes { get; init; } = 1 << 16;
}

/// <summary>A user and a group of this machine.</summary>
/// <param name="UserId">uid.</param>
/// <param name="GroupId">gid.</param>
public readonly record struct ShownOwner(uint UserId, uint GroupId);
