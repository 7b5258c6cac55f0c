namespace Cairn.Node.WritePath;

/// <summary>When and how drafts become versions.</summary>
public sealed record PublishOptions
{
    /// <summary>A draft without writes for so long is published though it is still open. Default 2 s.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>A draft is published at the latest so long after its first write. Default 30 s.</summary>
    public TimeSpan Latest { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long to wait, soon after another, for more small files to put into one bundle. Default 4 ms.</summary>
    public TimeSpan Gather { get; init; } = TimeSpan.FromMilliseconds(4);

    /// <summary>Files up to this size lie in their manifest. Default 512 bytes.</summary>
    public int InlineBytesMax { get; init; } = 512;

    /// <summary>
    /// A <c>.cairnignore</c> up to this size does, too: what it says must be known where nobody else can be reached. Default 3.5 KiB.
    /// </summary>
    public int NearInlineBytesMax { get; init; } = 3584;

    /// <summary>Runs of written bytes below this size share a chunk with others. Default 128 KiB.</summary>
    public int BundleBelowBytes { get; init; } = 128 << 10;

    /// <summary>Encoded manifests above this size are chunks themselves. Default 4 KiB.</summary>
    public int ManifestInlineBytesMax { get; init; } = 4 << 10;

    /// <summary>Bytes that one round of publishing takes at most before it makes them durable. Default 256 MiB.</summary>
    public long RoundBytesMax { get; init; } = 256L << 20;

    /// <summary>How long a writer waits for room before it is told that there is none. Default 30 s.</summary>
    public TimeSpan RoomPatience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long it waits instead while the host's disk is full. Default 1 s.</summary>
    public TimeSpan DiskPatience { get; init; } = TimeSpan.FromSeconds(1);
}
