using Cairn.Core.Presence;
using Cairn.Core.Primitives;

namespace Cairn.Core.Protocol;

/// <summary>The digest of the sender's pool map.</summary>
public sealed record MapRoot(Bytes16 Root) : PeerMessage
{
    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.MapRoot;
}

/// <summary>The digests of all buckets of the sender's pool map.</summary>
/// <param name="Digests">Always <see cref="BucketCount"/> of them.</param>
public sealed record MapBuckets(IReadOnlyList<Bytes16> Digests) : PeerMessage
{
    /// <summary>How many buckets a map has.</summary>
    public const int BucketCount = 256;

    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.MapBuckets;
}

/// <summary>Signed node records.</summary>
public sealed record MapRecords(IReadOnlyList<ReadOnlyMemory<byte>> Records) : PeerMessage
{
    /// <summary>A record's largest encoding, in bytes.</summary>
    public const int RecordBytesMax = 16 << 10;

    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.MapRecords;
}

/// <summary>What the sender holds, on stable storage, of a volume's logs.</summary>
/// <param name="Volume">Which volume; the pool's own log is the volume of the pool's id.</param>
/// <param name="Positions">As encoded by the log.</param>
public sealed record LogPositionsMessage(VolumeId Volume, ReadOnlyMemory<byte> Positions) : PeerMessage
{
    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.LogPositions;
}

/// <summary>Signed blocks, in order per log.</summary>
public sealed record LogBlocks(VolumeId Volume, IReadOnlyList<ReadOnlyMemory<byte>> Blocks) : PeerMessage
{
    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.LogBlocks;
}

/// <summary>The sender dropped blocks that the other lacks: these are the first that it has of those logs.</summary>
/// <remarks>A block is signed, and names what is before it: so where its log begins need not be believed.</remarks>
public sealed record LogBegins(VolumeId Volume, IReadOnlyList<ReadOnlyMemory<byte>> Blocks) : PeerMessage
{
    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.LogBegins;
}

/// <summary>Which files of a volume the sender has open for writing: all of them, in place of what it said before.</summary>
/// <param name="Volume">Which volume.</param>
/// <param name="Files">At most <see cref="OpenFilesTold.FilesMax"/>; none when it has closed the last.</param>
public sealed record OpenFilesMessage(VolumeId Volume, IReadOnlyList<ObjectId> Files) : PeerMessage
{
    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.OpenFiles;
}
