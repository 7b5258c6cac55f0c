using System.Buffers;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;

namespace Cairn.Node.Garbage;

/// <summary>How far the chunks of a removed volume have been condemned.</summary>
/// <remarks>
/// Written in one transaction with each condemnation, as the rule of an object that never exists, so that whoever condemns
/// next goes on from there. Format: docs/formats/garbage-mark.md.
/// </remarks>
/// <param name="Stage">Which chunks: of contents first, since what lists them must be readable until they are condemned.</param>
/// <param name="After">The last record of the tree that is done; empty for none.</param>
/// <param name="Skip">How many chunks of the record behind it are done: a large file has more than one condemnation takes.</param>
public sealed record PurgeMark(PurgeStage Stage, ReadOnlyMemory<byte> After, int Skip)
{
    /// <summary>The version of the layout, the first byte.</summary>
    public const byte FormatVersion = 1;

    /// <summary>Nothing condemned.</summary>
    public static PurgeMark Begin { get; } = new(PurgeStage.Contents, ReadOnlyMemory<byte>.Empty, 0);

    private const int KeyBytesMax = 1024;

    private static ObjectId Place { get; } = MarkPlace.Of("cairn/purge-mark"u8);

    /// <summary>What this state of the tree says; the beginning if it says nothing that can be understood.</summary>
    public static PurgeMark Of(TreeQueries queries)
    {
        if (queries.Rule(Place) is not { } bytes)
        {
            return Begin;
        }

        var reader = new WireReader(bytes.Span);
        reader.Require(reader.Byte() == FormatVersion);
        byte stage = reader.Byte();
        reader.Require(stage <= (byte)PurgeStage.Done);
        byte[] after = reader.LengthPrefixed(KeyBytesMax).ToArray();
        ulong skip = reader.VarUInt();
        reader.Require(skip <= int.MaxValue);
        return reader.Complete ? new PurgeMark((PurgeStage)stage, after, (int)skip) : Begin;
    }

    /// <summary>The mark as a primitive.</summary>
    public SetRule ToPrimitive()
    {
        var output = new ArrayBufferWriter<byte>(64);
        var writer = new WireWriter(output);
        writer.Byte(FormatVersion);
        writer.Byte((byte)Stage);
        writer.LengthPrefixed(After.Span);
        writer.VarUInt((ulong)Skip);
        return new SetRule(Place, output.WrittenMemory.ToArray());
    }
}

/// <summary>Which chunks of a removed volume are being condemned.</summary>
public enum PurgeStage : byte
{
    /// <summary>Those that the lists of large files name.</summary>
    Contents = 0,

    /// <summary>Those that the tree itself names, the lists among them.</summary>
    Named = 1,

    /// <summary>All are condemned.</summary>
    Done = 2,
}
