using System.Globalization;
using Cairn.Core.Text;

namespace Cairn.Core.Repair;

/// <summary>How much an owner should care.</summary>
public enum VerdictLevel
{
    /// <summary>Nothing to do.</summary>
    Safe = 0,

    /// <summary>It is being worked on, or is as good as this pool can be.</summary>
    Working = 1,

    /// <summary>The owner can and should do something.</summary>
    Attention = 2,

    /// <summary>Data cannot be read now, or is gone.</summary>
    Danger = 3,
}

/// <summary>What is known about how safe the data is, in numbers.</summary>
public sealed record SafetyCounts
{
    /// <summary>Copies the rule asks for.</summary>
    public required int CopiesWanted { get; init; }

    /// <summary>Copies that can be placed: the rule's, or as many as there are eligible nodes.</summary>
    public required int CopiesPossible { get; init; }

    /// <summary>Chunks that this node knows of.</summary>
    public long Chunks { get; init; }

    /// <summary>Files with writes on this node that are not cut into chunks yet: they are in its journal alone.</summary>
    public long FilesUnpublished { get; init; }

    /// <summary>Chunks written here and not yet confirmed on enough nodes.</summary>
    public long ChunksOwed { get; init; }

    /// <summary>Their bytes.</summary>
    public long BytesOwed { get; init; }

    /// <summary>Log blocks (names, folders, small files) that no other node has, while none is connected that could take them.</summary>
    public long BlocksOnlyHere { get; init; }

    /// <summary>Chunks that other nodes wrote and said not to be on enough nodes, some seconds ago.</summary>
    public long ChunksOwedElsewhere { get; init; }

    /// <summary>The names of those nodes.</summary>
    public IReadOnlyList<string> OwingNodes { get; init; } = [];

    /// <summary>Chunks this node should hold and is still fetching.</summary>
    public long ChunksToRepair { get; init; }

    /// <summary>Chunks of which no reachable node has a copy.</summary>
    public long ChunksUnreachable { get; init; }

    /// <summary>Chunks whose every copy was found damaged or that all nodes have lost.</summary>
    public long ChunksLost { get; init; }

    /// <summary>The names of the nodes that hold copies and cannot be reached.</summary>
    public IReadOnlyList<string> AbsentNodes { get; init; } = [];

    /// <summary>Whether so many nodes vanished together that the owner is asked before copies are remade.</summary>
    public bool IsBraked { get; init; }

    /// <summary>Whether new copies find no node with room.</summary>
    public bool IsPoolFull { get; init; }
}

/// <summary>The one plain sentence or two that `cairn status` ends with.</summary>
/// <param name="Level">How much to care.</param>
/// <param name="Text">For people. Says what is, then what to do.</param>
public sealed record SafetyVerdict(VerdictLevel Level, string Text)
{
    /// <summary>Judges the worst first, and says only that.</summary>
    public static SafetyVerdict Of(SafetyCounts counts) => counts switch
    {
        { ChunksLost: > 0 } => new(VerdictLevel.Danger, string.Create(
            CultureInfo.InvariantCulture,
            $"{CountText.Of(counts.ChunksLost, "chunk")} lost: no good copy is left. `cairn status` lists the files.")),
        { ChunksUnreachable: > 0, AbsentNodes.Count: 0 } => new(VerdictLevel.Danger, string.Create(
            CultureInfo.InvariantCulture,
            $"{CountText.Of(counts.ChunksUnreachable, "chunk")} cannot be read now. `cairn status` says where.")),
        { ChunksUnreachable: > 0 } => new(VerdictLevel.Danger, string.Create(
            CultureInfo.InvariantCulture,
            $"{CountText.Of(counts.ChunksUnreachable, "chunk")} cannot be read now. "
            + $"Bring back {Names(counts.AbsentNodes)}.")),
        { CopiesPossible: 0 } => new(VerdictLevel.Attention,
            "No node gives space. Give some: `cairn space set 50GiB`."),
        { IsBraked: true } => new(VerdictLevel.Attention,
            $"Many nodes vanished together: {Names(counts.AbsentNodes)}. Only last copies are being remade. "
            + "If they will not come back, forget them: `cairn node forget NODE`."),
        { IsPoolFull: true, ChunksOwed: > 0 } => new(VerdictLevel.Attention, string.Create(
            CultureInfo.InvariantCulture,
            $"The pool is full: {Bytes(counts.BytesOwed)} cannot be copied. Give more space or delete something.")),
        { ChunksOwed: > 0 } => new(VerdictLevel.Working, string.Create(
            CultureInfo.InvariantCulture,
            $"{Bytes(counts.BytesOwed)} in {CountText.Of(counts.ChunksOwed, "chunk")} not yet on enough nodes. "
            + $"{Doing(counts)}")),
        { FilesUnpublished: > 0 } => new(VerdictLevel.Working, string.Create(
            CultureInfo.InvariantCulture,
            $"Writes to {CountText.Of(counts.FilesUnpublished, "file")} are being published. Nothing to do.")),
        { BlocksOnlyHere: > 0 } => new(VerdictLevel.Working,
            $"What was written last is on this machine alone: {Names(counts.AbsentNodes)} cannot be reached."),
        { ChunksToRepair: > 0 } => new(VerdictLevel.Working, string.Create(
            CultureInfo.InvariantCulture,
            $"{CountText.Of(counts.ChunksToRepair, "copy", "copies")} being remade. Nothing to do.")),
        { ChunksOwedElsewhere: > 0 } => new(VerdictLevel.Working, string.Create(
            CultureInfo.InvariantCulture,
            $"{CountText.Of(counts.ChunksOwedElsewhere, "chunk")} written on {Names(counts.OwingNodes)} "
            + $"not yet on enough nodes. {Doing(counts)}")),
        { CopiesPossible: var possible, CopiesWanted: var wanted } when possible < wanted => new(
            VerdictLevel.Attention, string.Create(
                CultureInfo.InvariantCulture,
                $"Everything has {possible} of {possible} copies, the rule wants {wanted}. "
                + $"Add {CountText.Of(wanted - possible, "node")}.")),
        { AbsentNodes.Count: > 0 } => new(VerdictLevel.Working, string.Create(
            CultureInfo.InvariantCulture,
            $"Everything has {Copies(counts.CopiesPossible)}, some of them on {Names(counts.AbsentNodes)}, "
            + $"which cannot be reached. If that lasts, the copies are remade elsewhere. Nothing to do.")),
        { Chunks: 0 } => new(VerdictLevel.Safe, "Nothing is stored yet."),
        _ => new(VerdictLevel.Safe, $"Everything has {Copies(counts.CopiesPossible)}. Nothing to do."),
    };

    /// <summary>
    /// How safe one file is: "4 of 4 copies", or with fewer nodes than the rule asks "1 of 1, rule wants 4".
    /// </summary>
    /// <param name="confirmed">The fewest confirmed copies of any of its chunks.</param>
    /// <param name="possible">Copies that can be placed.</param>
    /// <param name="wanted">Copies the rule asks for.</param>
    public static string OfFile(int confirmed, int possible, int wanted) => possible < wanted
        ? string.Create(CultureInfo.InvariantCulture, $"{confirmed} of {possible} copies, the rule wants {wanted}")
        : string.Create(CultureInfo.InvariantCulture, $"{confirmed} of {wanted} copies");

    private static string Doing(SafetyCounts counts) => counts.AbsentNodes.Count == 0
        ? "Copying."
        : $"Copying; {Names(counts.AbsentNodes)} cannot be reached.";

    private static string Copies(int count) => CountText.Of(count, "copy", "copies");

    private static string Names(IReadOnlyList<string> names) => names.Count switch
    {
        0 => "the absent nodes",
        1 => names[0],
        <= 4 => $"{string.Join(", ", names.Take(names.Count - 1))} and {names[^1]}",
        _ => string.Create(CultureInfo.InvariantCulture,
            $"{string.Join(", ", names.Take(3))} and {names.Count - 3} others"),
    };

    private static string Bytes(long bytes) => bytes switch
    {
        < 1L << 10 => string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes"),
        < 1L << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.#} KiB"),
        < 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):0.#} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.##} GiB"),
    };
}
