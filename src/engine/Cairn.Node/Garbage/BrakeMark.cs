using System.Buffers;
using System.Buffers.Binary;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Past;

namespace Cairn.Node.Garbage;

/// <summary>What of one log's takings is held for review, and up to where somebody has released them.</summary>
/// <remarks>
/// Kept as the rule of an object that never exists, one a log: replicated and ordered like everything else, so all nodes
/// show the same and keep it over restarts. Format: docs/formats/brake-mark.md.
/// </remarks>
/// <param name="HeldFrom">From this transaction on nothing that the log takes away is condemned; 0 for nothing held.</param>
/// <param name="ReleasedTo">Up to this transaction it was decided that what was taken away may go.</param>
/// <param name="Taken">How much it is, as it was measured last; zeros with nothing held.</param>
public sealed record BrakeMark(ulong HeldFrom, ulong ReleasedTo, Takings Taken)
{
    /// <summary>The version of the layout, the first byte.</summary>
    public const byte FormatVersion = 1;

    /// <summary>Whether somebody has to decide.</summary>
    public bool IsHeld => HeldFrom > 0;

    /// <summary>Nothing held, and nothing ever released.</summary>
    public static BrakeMark None(LogId log) => new(0, 0, new Takings(log, 0, default, default, 0, 0, 0, 0));

    /// <summary>What this state of the tree says of a log; nothing if it is not to be understood.</summary>
    public static BrakeMark Of(TreeQueries queries, LogId log) =>
        queries.Rule(PlaceOf(log)) is { } bytes && Decode(bytes.Span, log) is { } mark ? mark : None(log);

    /// <summary>Whether what a transaction of the log took away may not be condemned.</summary>
    public bool Holds(ulong seq) => IsHeld && seq >= HeldFrom;

    /// <summary>The mark as a primitive.</summary>
    public SetRule ToPrimitive()
    {
        var output = new ArrayBufferWriter<byte>(64);
        var writer = new WireWriter(output);
        writer.Byte(FormatVersion);
        writer.VarUInt(HeldFrom);
        writer.VarUInt(ReleasedTo);
        writer.VarUInt((ulong)Taken.Objects);
        writer.VarUInt((ulong)Taken.Bytes);
        writer.VarUInt((ulong)Taken.ObjectsBefore);
        writer.VarUInt((ulong)Taken.BytesBefore);
        writer.Int64(Taken.From.UnixNanoseconds);
        writer.Int64(Taken.To.UnixNanoseconds);
        return new SetRule(PlaceOf(Taken.Log), output.WrittenMemory.ToArray());
    }

    /// <summary>Reads a mark; null if the bytes are none.</summary>
    public static BrakeMark? Decode(ReadOnlySpan<byte> bytes, LogId log)
    {
        var reader = new WireReader(bytes);
        reader.Require(reader.Byte() == FormatVersion);
        ulong heldFrom = reader.VarUInt();
        ulong releasedTo = reader.VarUInt();
        long objects = (long)reader.VarUInt();
        long taken = (long)reader.VarUInt();
        long objectsBefore = (long)reader.VarUInt();
        long bytesBefore = (long)reader.VarUInt();
        var from = new WallTime(reader.Int64());
        var to = new WallTime(reader.Int64());
        return reader.Complete
            ? new BrakeMark(
                heldFrom, releasedTo, new Takings(log, heldFrom, from, to, objects, taken, objectsBefore, bytesBefore))
            : null;
    }

    private static ObjectId PlaceOf(LogId log)
    {
        Span<byte> whose = stackalloc byte[NodeId.Size + sizeof(uint)];
        log.Author.Value.CopyTo(whose);
        BinaryPrimitives.WriteUInt32LittleEndian(whose[NodeId.Size..], log.Incarnation);
        return MarkPlace.Of("cairn/brake-mark"u8, whose);
    }
}
