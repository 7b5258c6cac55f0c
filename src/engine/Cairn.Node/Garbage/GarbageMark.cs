using System.Buffers;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;

namespace Cairn.Node.Garbage;

/// <summary>What one member says about condemnations, in the volume's own log: which it has acknowledged and carried out.</summary>
/// <remarks>
/// Written as the rule of an object that never exists, so that it is ordered after the rescues it follows, and durable and
/// replicated like everything else; obeyed from its author alone (<see cref="MarkPlace"/>). Format: docs/formats/garbage-mark.md.
/// </remarks>
/// <param name="Acknowledged">Condemnations whose chunks this member does not need.</param>
/// <param name="CarriedOut">Condemnations whose chunks this member has removed.</param>
public sealed record GarbageMark(
    IReadOnlyList<TransactionId> Acknowledged, IReadOnlyList<TransactionId> CarriedOut)
{
    /// <summary>The version of the layout, the first byte.</summary>
    public const byte FormatVersion = 1;

    /// <summary>Nothing said.</summary>
    public static GarbageMark Empty { get; } = new([], []);

    /// <summary>What a member says in this state of the tree; nothing if it is not to be understood.</summary>
    public static GarbageMark Of(TreeQueries queries, NodeId member) =>
        queries.GarbageMark(member) is { } bytes && Decode(bytes.Span) is { } mark ? mark : Empty;

    /// <summary>The mark as a primitive of this member's log.</summary>
    public SetRule ToPrimitive(NodeId member)
    {
        var output = new ArrayBufferWriter<byte>(128);
        var writer = new WireWriter(output);
        writer.Byte(FormatVersion);
        Encode(writer, Acknowledged);
        Encode(writer, CarriedOut);
        return new SetRule(MarkPlace.Of(member), output.WrittenMemory.ToArray());
    }

    /// <summary>Reads a mark; null if the bytes are none.</summary>
    public static GarbageMark? Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        reader.Require(reader.Byte() == FormatVersion);
        List<TransactionId> acknowledged = DecodeIds(ref reader);
        List<TransactionId> carriedOut = DecodeIds(ref reader);
        return reader.Complete ? new GarbageMark(acknowledged, carriedOut) : null;
    }

    private static void Encode(WireWriter writer, IReadOnlyList<TransactionId> ids)
    {
        writer.Count(ids.Count);
        foreach (TransactionId id in ids)
        {
            writer.Bytes32(id.Log.Author.Value);
            writer.VarUInt(id.Log.Incarnation);
            writer.VarUInt(id.Seq);
        }
    }

    private static List<TransactionId> DecodeIds(ref WireReader reader)
    {
        int count = reader.Count(NodeId.Size + 2);
        var ids = new List<TransactionId>(count);
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            var author = new NodeId(reader.Bytes32());
            ulong incarnation = reader.VarUInt();
            reader.Require(incarnation is > 0 and <= uint.MaxValue);
            ids.Add(new TransactionId(new LogId(author, (uint)incarnation), reader.VarUInt()));
        }

        return ids;
    }
}
