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

/// <summary>Asks who will keep chunks that the sender, in a durable intent, means to drop.</summary>
/// <param name="Request">The request's number.</param>
/// <param name="Nonce">Random; picks the segment that proves each.</param>
/// <param name="Addresses">Which.</param>
public sealed record DropAsk(ulong Request, Bytes16 Nonce, IReadOnlyList<ChunkAddress> Addresses) : NumberedMessage(Request)
{
    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.DropAsk;
}

/// <summary>Per address, in order: the proof that it is held and will be kept; zeros if not.</summary>
public sealed record DropReply(ulong Request, IReadOnlyList<Bytes32> Proofs) : NumberedMessage(Request)
{
    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.DropReply;
}

/// <summary>Asks how the peer's holdings differ from the sender's, in the partitions that placement gives to both.</summary>
/// <param name="Request">The request's number.</param>
/// <param name="Root">The root over the sender's digests of those partitions.</param>
public sealed record DigestAsk(ulong Request, Bytes32 Root) : NumberedMessage(Request)
{
    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.DigestAsk;
}

/// <summary>Answers it.</summary>
/// <param name="Request">The request's number.</param>
/// <param name="Reports">Empty when the roots are equal; else the digests, as docs/formats/holdings.md encodes them.</param>
public sealed record DigestReply(ulong Request, ReadOnlyMemory<byte> Reports) : NumberedMessage(Request)
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

    /// <summary>Whether it is a page of one ascending list: each address behind the one before it.</summary>
    /// <remarks>Otherwise a peer could answer with one page after the other for ever.</remarks>
    /// <param name="after">The last address of the page before; zeros for the first page.</param>
    public bool Follows(ChunkAddress after)
    {
        foreach (ChunkAddress address in Addresses)
        {
            if (address <= after)
            {
                return false;
            }

            after = address;
        }

        return true;
    }
}
