using System.Globalization;

namespace Cairn.Core.Repair;

/// <summary>What would be lost if this node were lost now, in numbers.</summary>
public sealed record OnlyHereCounts
{
    /// <summary>Chunks that no other node confirmed.</summary>
    public long Chunks { get; init; }

    /// <summary>Of those, chunks that every node that was asked had no room for.</summary>
    public long ChunksRefused { get; init; }

    /// <summary>Of those, chunks that cannot be read here now.</summary>
    public long ChunksUnreadable { get; init; }

    /// <summary>Log blocks that no other node said it holds.</summary>
    public long Blocks { get; init; }

    /// <summary>Whether something written is not in a version or not in a block yet.</summary>
    public bool HasUnpublishedWrites { get; init; }

    /// <summary>Other nodes that a stream is open to.</summary>
    public int Connected { get; init; }

    /// <summary>Whether nothing would be lost.</summary>
    public bool IsNothing => this is { Chunks: 0, Blocks: 0, HasUnpublishedWrites: false };
}

/// <summary>How far an evacuation is.</summary>
public enum EvacuationStep
{
    /// <summary>Data is on its way.</summary>
    Going,

    /// <summary>Everything is on another node, too: this machine may leave.</summary>
    Done,

    /// <summary>No other node can be reached.</summary>
    NobodyThere,

    /// <summary>The nodes that can be reached have no room for the rest.</summary>
    Full,

    /// <summary>The rest cannot be read from this machine's disk.</summary>
    Unreadable,
}

/// <summary>Whether a machine may leave without taking the only copy of something along.</summary>
/// <param name="Step">How far it is.</param>
/// <param name="Text">For people: what is waited for, or what to do.</param>
public sealed record EvacuationVerdict(EvacuationStep Step, string Text)
{
    /// <summary>Judges by the counts alone; how long a lack of peers or room is borne with is the caller's.</summary>
    public static EvacuationVerdict Of(OnlyHereCounts counts) => counts switch
    {
        { IsNothing: true } => new(EvacuationStep.Done, "Nothing is only here: this machine may leave."),
        { Connected: 0 } => new(
            EvacuationStep.NobodyThere, $"No other node can be reached. {Rest(counts)} only here."),
        { HasUnpublishedWrites: true } => new(EvacuationStep.Going, "Writes are being published."),
        { ChunksUnreadable: > 0 }
            when counts.ChunksRefused + counts.ChunksUnreadable == counts.Chunks && counts.Blocks == 0 => new(
            EvacuationStep.Unreadable,
            $"{Many(counts.ChunksUnreadable, "chunk")} only here, and cannot be read from this machine's disk now: "
            + "`cairn status` says more."),
        { ChunksRefused: > 0 } when counts.ChunksRefused == counts.Chunks && counts.Blocks == 0 => new(
            EvacuationStep.Full,
            $"The nodes that can be reached are full. {Rest(counts)} only here: give more space there or add a node."),
        _ => new(EvacuationStep.Going, $"{Rest(counts)} still only here."),
    };

    private static string Rest(OnlyHereCounts counts) => counts switch
    {
        { Chunks: 0, Blocks: 0 } => "Unpublished writes are",
        { Chunks: 0 } => Many(counts.Blocks, "log block"),
        _ => Many(counts.Chunks, "chunk"),
    };

    private static string Many(long count, string one) => count == 1
        ? $"1 {one} is"
        : string.Create(CultureInfo.InvariantCulture, $"{count:N0} {one}s are");
}
