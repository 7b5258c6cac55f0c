using System.Buffers;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;

namespace Cairn.Node.Garbage;

/// <summary>Up to where the trash of a volume was emptied: removals before it are kept by no rule.</summary>
/// <remarks>
/// Kept as the rule of an object that never exists, so that it is replicated and ordered like everything else; of two
/// marks made apart the last in order stays, and the other's removals wait for the next emptying.
/// Format: docs/formats/garbage-mark.md.
/// </remarks>
public static class TrashMark
{
    /// <summary>The version of the layout, the first byte.</summary>
    public const byte FormatVersion = 1;

    private static ObjectId Place { get; } = MarkPlace.Of("cairn/trash-mark"u8);

    /// <summary>What this state of the tree says; nothing emptied if it is not to be understood.</summary>
    public static LogPositions Of(TreeQueries queries)
    {
        if (queries.Rule(Place) is not { } bytes)
        {
            return LogPositions.Empty;
        }

        var reader = new WireReader(bytes.Span);
        reader.Require(reader.Byte() == FormatVersion);
        LogPositions positions = LogPositions.Decode(ref reader);
        return reader.Complete ? positions : LogPositions.Empty;
    }

    /// <summary>The mark as a primitive.</summary>
    public static SetRule ToPrimitive(LogPositions emptiedTo)
    {
        var output = new ArrayBufferWriter<byte>(256);
        var writer = new WireWriter(output);
        writer.Byte(FormatVersion);
        emptiedTo.Encode(writer);
        return new SetRule(Place, output.WrittenMemory.ToArray());
    }
}
