using Cairn.Core.Primitives;

namespace Cairn.Core.Protocol;

/// <summary>A chunk offered to be kept.</summary>
/// <param name="Address">The SHA-256 of <paramref name="Stored"/>.</param>
/// <param name="Stored">The stored bytes.</param>
public readonly record struct OfferedChunk(ChunkAddress Address, ReadOnlyMemory<byte> Stored);

/// <summary>Chunks to keep: a large one alone, small ones together.</summary>
public sealed record ChunkPut(ulong Request, IReadOnlyList<OfferedChunk> Chunks) : NumberedMessage(Request)
{
    /// <summary>The most chunks in one message.</summary>
    public const int CountMax = 256;

    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.ChunkPut;
}

/// <summary>What became of an offered or wanted chunk.</summary>
public enum ChunkOutcome : byte
{
    /// <summary>Verified and on stable storage (or: here are the bytes).</summary>
    Held = 0,

    /// <summary>Not held.</summary>
    Absent = 1,

    /// <summary>No space for it.</summary>
    NoSpace = 2,

    /// <summary>The bytes do not match the address.</summary>
    Corrupt = 3,

    /// <summary>The node's disk failed.</summary>
    DiskFailed = 4,

    /// <summary>Held, but about to be dropped: it does not count.</summary>
    Dropping = 5,
}

/// <summary>The outcome per chunk of a <see cref="ChunkPut"/> or <see cref="HoldingAsk"/>, in its order.</summary>
public sealed record ChunkPutReply(ulong Request, IReadOnlyList<ChunkOutcome> Outcomes) : NumberedMessage(Request)
{
    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.ChunkPutReply;
}

/// <summary>Asks for a chunk's stored bytes.</summary>
/// <param name="Request">The request's number.</param>
/// <param name="Address">Which.</param>
public sealed record ChunkGet(ulong Request, ChunkAddress Address) : NumberedMessage(Request)
{
    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.ChunkGet;
}

/// <summary>A chunk's stored bytes, not checked by the sender.</summary>
public sealed record ChunkData(ulong Request, ChunkOutcome Outcome, ReadOnlyMemory<byte> Stored) : NumberedMessage(Request)
{
    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.ChunkData;
}

/// <summary>Asks which chunks are held, verified and on stable storage.</summary>
public sealed record HoldingAsk(ulong Request, IReadOnlyList<ChunkAddress> Addresses) : NumberedMessage(Request)
{
    /// <summary>The most addresses in one message.</summary>
    public const int CountMax = 16 << 10;

    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.HoldingAsk;
}

/// <summary>Answers, per address, in order.</summary>
public sealed record HoldingReply(ulong Request, IReadOnlyList<ChunkOutcome> Outcomes) : NumberedMessage(Request)
{
    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.HoldingReply;
}

/// <summary>Asks who will keep chunks that the sender means to drop.</summary>
public sealed record DropAsk(ulong Request, IReadOnlyList<ChunkAddress> Addresses) : NumberedMessage(Request)
{
    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.DropAsk;
}

/// <summary>Per address: held and not about to be dropped (<see cref="ChunkOutcome.Held"/>), or why not.</summary>
public sealed record DropReply(ulong Request, IReadOnlyList<ChunkOutcome> Outcomes) : NumberedMessage(Request)
{
    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.DropReply;
}

/// <summary>Asks for the digests of partitions.</summary>
public sealed record DigestAsk(ulong Request, IReadOnlyList<PartitionId> Partitions) : NumberedMessage(Request)
{
    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.DigestAsk;
}

/// <summary>Per partition asked for: the digest of the copies the sender holds durably, in the order asked.</summary>
public sealed record DigestReply(ulong Request, IReadOnlyList<Bytes16> Digests) : NumberedMessage(Request)
{
    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.DigestReply;
}

/// <summary>Asks for the records of one partition.</summary>
/// <param name="Request">The request's number.</param>
/// <param name="Partition">Which.</param>
/// <param name="After">Only addresses after this one; zeros for the first page.</param>
public sealed record PartitionAsk(ulong Request, PartitionId Partition, ChunkAddress After) : NumberedMessage(Request)
{
    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.PartitionAsk;
}

/// <summary>The addresses of copies held durably in a partition, ascending.</summary>
/// <param name="Request">The request's number.</param>
/// <param name="Addresses">At most <see cref="CountMax"/>.</param>
/// <param name="HasMore">Whether another page follows.</param>
public sealed record PartitionReply(ulong Request, IReadOnlyList<ChunkAddress> Addresses, bool HasMore)
    : NumberedMessage(Request)
{
    /// <summary>The most addresses in one message.</summary>
    public const int CountMax = 16 << 10;

    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.PartitionReply;
}
