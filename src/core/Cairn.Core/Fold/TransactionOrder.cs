using System.Buffers.Binary;
using Cairn.Core.Primitives;

namespace Cairn.Core.Fold;

/// <summary>
/// The place of a transaction in the total order: (depth, log, seq). Every node computes the same; none transmits it.
/// </summary>
/// <param name="Depth">1 + the greatest depth of its dependencies.</param>
/// <param name="Id">Breaks ties by author, incarnation, seq.</param>
public readonly record struct TransactionOrder(ulong Depth, TransactionId Id) : IComparable<TransactionOrder>
{
    /// <summary>Length of the form that sorts as bytes.</summary>
    internal const int KeySize = 8 + NodeId.Size + 4 + 8;

    /// <inheritdoc/>
    public int CompareTo(TransactionOrder other)
    {
        int order = Depth.CompareTo(other.Depth);
        return order != 0 ? order : Id.CompareTo(other.Id);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Depth}:{Id}";

    /// <summary>Before.</summary>
    public static bool operator <(TransactionOrder left, TransactionOrder right) => left.CompareTo(right) < 0;

    /// <summary>After.</summary>
    public static bool operator >(TransactionOrder left, TransactionOrder right) => left.CompareTo(right) > 0;

    /// <summary>Before or the same.</summary>
    public static bool operator <=(TransactionOrder left, TransactionOrder right) => left.CompareTo(right) <= 0;

    /// <summary>After or the same.</summary>
    public static bool operator >=(TransactionOrder left, TransactionOrder right) => left.CompareTo(right) >= 0;

    internal void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, Depth);
        Id.Log.Author.Value.CopyTo(destination[8..]);
        BinaryPrimitives.WriteUInt32BigEndian(destination[(8 + NodeId.Size)..], Id.Log.Incarnation);
        BinaryPrimitives.WriteUInt64BigEndian(destination[(12 + NodeId.Size)..], Id.Seq);
    }

    internal static TransactionOrder From(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt64BigEndian(bytes),
        new TransactionId(
            new LogId(
                new NodeId(bytes.Slice(8, NodeId.Size)),
                BinaryPrimitives.ReadUInt32BigEndian(bytes[(8 + NodeId.Size)..])),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[(12 + NodeId.Size)..])));
}
