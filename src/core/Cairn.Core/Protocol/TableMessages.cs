using Cairn.Core.Primitives;

namespace Cairn.Core.Protocol;

/// <summary>Asks for records of a volume's table, as they stood when the first of them were asked for.</summary>
/// <param name="Request">The request's number.</param>
/// <param name="Volume">Which volume.</param>
/// <param name="View">What the first answer said; 0 for the first question.</param>
/// <param name="After">Only keys after this one; empty for the first page.</param>
public sealed record TableAsk(ulong Request, VolumeId Volume, ulong View, ReadOnlyMemory<byte> After)
    : NumberedMessage(Request)
{
    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.TableAsk;
}

/// <summary>Asks for records of a checkpoint, which are the same wherever they are asked for.</summary>
/// <param name="Request">The request's number.</param>
/// <param name="Volume">Of which volume.</param>
/// <param name="Hash">Names the checkpoint.</param>
/// <param name="After">Only keys after this one; empty for the first page.</param>
public sealed record CheckpointAsk(ulong Request, VolumeId Volume, Bytes32 Hash, ReadOnlyMemory<byte> After)
    : NumberedMessage(Request)
{
    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.CheckpointAsk;
}

/// <summary>A record of a table.</summary>
/// <param name="Key">Its key, at most <see cref="KeyBytesMax"/> bytes.</param>
/// <param name="Value">Its value.</param>
public readonly record struct TableRecordBytes(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value)
{
    /// <summary>The longest key.</summary>
    public const int KeyBytesMax = 1024;
}

/// <summary>Records of a table or checkpoint, in the order of their keys.</summary>
/// <param name="Request">The request's number.</param>
/// <param name="View">
/// Names what stands still until the last page; 1 for a checkpoint. 0: there is nothing to be had here.
/// </param>
/// <param name="Records">At most <see cref="CountMax"/>; none at the end only.</param>
/// <param name="IsEnd">Whether these are the last.</param>
public sealed record TableReply(ulong Request, ulong View, IReadOnlyList<TableRecordBytes> Records, bool IsEnd)
    : NumberedMessage(Request)
{
    /// <summary>The most records in one message.</summary>
    public const int CountMax = 16 << 10;

    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.TableReply;
}
