using Cairn.Core.Primitives;

namespace Cairn.Node.Control;

/// <summary>One row of `cairn nodes`.</summary>
public sealed record NodeSummary
{
    /// <summary>The node.</summary>
    public required NodeId Node { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Whether it is the node that answers.</summary>
    public required bool IsSelf { get; init; }

    /// <summary>"admin", "member" or "revoked".</summary>
    public required string Role { get; init; }

    /// <summary>The person who uses it, as an admin said; empty: nobody in particular.</summary>
    public string User { get; init; } = string.Empty;

    /// <summary>Whether it may only read the volumes.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>Changes of it that are without effect, because it may only read.</summary>
    public long RefusedChanges { get; init; }

    /// <summary>Its own word about its life: "online", "away", "maintenance", "decommissioning", "gone".</summary>
    public required string State { get; init; }

    /// <summary>What failure detection says: "alive", "suspect", "dead".</summary>
    public required string Liveness { get; init; }

    /// <summary>Whether a stream to it is open now (true for this node).</summary>
    public required bool IsConnected { get; init; }

    /// <summary>Where it listens.</summary>
    public required IReadOnlyList<string> Addresses { get; init; }

    /// <summary>The room it has for copies, in bytes: what it gives without its journal, its logs and its indexes.</summary>
    public required long CapacityBytes { get; init; }

    /// <summary>What of that it says it uses, in bytes.</summary>
    public required long UsedBytes { get; init; }

    /// <summary>Its failure zone; empty if none was given.</summary>
    public required string Zone { get; init; }

    /// <summary>Its tags.</summary>
    public required IReadOnlyList<string> Tags { get; init; }
}

/// <summary>An invite, to be shown once.</summary>
/// <param name="Code">About 50 characters, to be typed on the other machine.</param>
/// <param name="Expires">Ten minutes from now.</param>
public readonly record struct InviteTicket(string Code, WallTime Expires);

/// <summary>A pool that was just founded.</summary>
/// <param name="Pool">Its id.</param>
/// <param name="RecoveryKit">The text to be printed and kept: it restores the owner on an empty machine.</param>
public sealed record FoundedPool(PoolId Pool, string RecoveryKit);

/// <summary>A pool that was just joined or recovered.</summary>
/// <param name="Pool">Its id.</param>
/// <param name="InviterName">The node that let us in.</param>
/// <param name="Members">How many members the pool now has.</param>
public sealed record JoinedPool(PoolId Pool, string InviterName, int Members);

/// <summary>What `cairn safe PATH` shows.</summary>
public sealed record SafetyReport
{
    /// <summary>The path asked for, "VOLUME/path".</summary>
    public required string Path { get; init; }

    /// <summary>Files below the path.</summary>
    public required long Files { get; init; }

    /// <summary>Distinct chunks of their current versions.</summary>
    public required long Chunks { get; init; }

    /// <summary>Stored bytes of those chunks; inline data is in the logs and not counted.</summary>
    public required long Bytes { get; init; }

    /// <summary>Copies the rule wants.</summary>
    public required int CopiesWanted { get; init; }

    /// <summary>Copies the pool's nodes allow: the smaller of rule and nodes.</summary>
    public required int CopiesPossible { get; init; }

    /// <summary>The fewest confirmed copies of any chunk; equals <see cref="CopiesPossible"/> when safe.</summary>
    public required int CopiesConfirmed { get; init; }

    /// <summary>Whether unpublished writes of this node are not covered yet.</summary>
    public required bool HasUnpublishedWrites { get; init; }

    /// <summary>Who holds how much of it, confirmed.</summary>
    public required IReadOnlyList<HolderSummary> Holders { get; init; }

    /// <summary>Whether every chunk has as many copies as the rule asks and the pool has, and the log is with all online peers.</summary>
    public required bool IsSafe { get; init; }

    /// <summary>"4 of 4 copies on desk, lap, nas, den."; "1 of 1, the rule wants 4: add nodes."</summary>
    public required string Sentence { get; init; }

    /// <summary>Files with parts that no machine of the pool has, with the bytes, the first ten.</summary>
    public IReadOnlyList<string> Lost { get; init; } = [];
}

/// <summary>A node's part of a path's chunks.</summary>
/// <param name="Node">The holder.</param>
/// <param name="Name">Its name.</param>
/// <param name="Chunks">How many of the path's chunks it has confirmed.</param>
public readonly record struct HolderSummary(NodeId Node, string Name, long Chunks);

/// <summary>A step towards safety, for a progress bar.</summary>
/// <param name="ChunksTotal">Chunks asked about.</param>
/// <param name="ChunksSafe">Of those, safe.</param>
/// <param name="BytesTotal">Their stored bytes.</param>
/// <param name="BytesSafe">Of those, safe.</param>
/// <param name="IsSafe">Whether this is the last report.</param>
/// <param name="Sentence">What is being waited for.</param>
public readonly record struct SafetyProgress(
    long ChunksTotal, long ChunksSafe, long BytesTotal, long BytesSafe, bool IsSafe, string Sentence);

/// <summary>How grave a log line is.</summary>
public enum LogLevel
{
    /// <summary>Normal life.</summary>
    Info,

    /// <summary>Something to look at.</summary>
    Warning,

    /// <summary>Something failed.</summary>
    Error,
}

/// <summary>One line of the node's diary.</summary>
/// <param name="Number">Grows by one each line; where a follower goes on.</param>
/// <param name="Time">When, by this node's clock.</param>
/// <param name="Level">How grave.</param>
/// <param name="Source">Which part: "peers", "repair".</param>
/// <param name="Text">One sentence.</param>
public readonly record struct LogLine(long Number, WallTime Time, LogLevel Level, string Source, string Text);
