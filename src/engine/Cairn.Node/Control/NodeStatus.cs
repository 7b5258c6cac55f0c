using Cairn.Core.Primitives;

namespace Cairn.Node.Control;

/// <summary>What `cairn status` shows: this node, the pool, what is owed, and a plain verdict.</summary>
public sealed record NodeStatus
{
    /// <summary>This node.</summary>
    public required NodeId Node { get; init; }

    /// <summary>Its name, for people.</summary>
    public required string Name { get; init; }

    /// <summary>The pool.</summary>
    public required PoolId Pool { get; init; }

    /// <summary>Its lifecycle state in lower case: "online", "away", "decommissioning"...</summary>
    public required string State { get; init; }

    /// <summary>Whether this node may grant, revoke, create and remove.</summary>
    public required bool IsAdmin { get; init; }

    /// <summary>Whether this node's membership was withdrawn.</summary>
    public required bool IsRevoked { get; init; }

    /// <summary>Whether this node may only read the volumes.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>Where it listens ("127.0.0.1:4460").</summary>
    public required string ListenAddress { get; init; }

    /// <summary>How long the engine has run.</summary>
    public required TimeSpan Uptime { get; init; }

    /// <summary>The space this node gives.</summary>
    public required SpaceStatus Space { get; init; }

    /// <summary>What this node still has to send or fetch.</summary>
    public required OwedStatus Owed { get; init; }

    /// <summary>What would be lost if this node were lost now.</summary>
    public required OnlyHereStatus OnlyHere { get; init; }

    /// <summary>The pool as a whole.</summary>
    public required PoolStatus PoolState { get; init; }

    /// <summary>The volumes, by name.</summary>
    public required IReadOnlyList<VolumeSummary> Volumes { get; init; }

    /// <summary>What needs the owner's attention; empty when nothing does.</summary>
    public required IReadOnlyList<NodeProblem> Problems { get; init; }

    /// <summary>Bandwidth limits in force.</summary>
    public required BandwidthLimit Limit { get; init; }

    /// <summary>One sentence: "Everything has 4 copies. Nothing to do."</summary>
    public required string Verdict { get; init; }

    /// <summary>Whether everything this node knows of has as many copies as its rule asks and the pool has.</summary>
    public required bool IsSafe { get; init; }
}

/// <summary>One node's given space, in bytes.</summary>
/// <param name="AllocatedBytes">What the owner gives.</param>
/// <param name="ReplicatedBytes">Copies this node owes the pool.</param>
/// <param name="CachedBytes">Extra copies, given up when space is needed.</param>
/// <param name="StagedBytes">Written here and not yet on enough nodes.</param>
/// <param name="DeadBytes">To be compacted away.</param>
/// <param name="FreeBytes">Not used.</param>
public readonly record struct SpaceStatus(
    long AllocatedBytes, long ReplicatedBytes, long CachedBytes, long StagedBytes, long DeadBytes, long FreeBytes);

/// <summary>Work between this node and the others that is not finished.</summary>
/// <param name="PublishFiles">Files with writes that are in this node's journal alone, not cut into chunks yet.</param>
/// <param name="SendChunks">Chunks written here that are not yet confirmed on enough nodes.</param>
/// <param name="SendBytes">Their bytes.</param>
/// <param name="FetchChunks">Chunks that placement wants here and that are not here yet.</param>
/// <param name="SendBlocks">Log blocks that some online peer has not confirmed.</param>
/// <param name="ReceiveBlocks">Log blocks that online peers said they hold, that are not here yet and can still come.</param>
public readonly record struct OwedStatus(
    long PublishFiles, long SendChunks, long SendBytes, long FetchChunks, long SendBlocks, long ReceiveBlocks);

/// <summary>The pool as this node sees it.</summary>
/// <param name="NodesTotal">Members that are not gone.</param>
/// <param name="NodesOnline">Of those, alive now, this one included.</param>
/// <param name="CopiesWanted">What the pool's rule asks.</param>
/// <param name="CopiesPossible">What the pool's nodes allow.</param>
/// <param name="AllocatedBytes">The sum of the room that the nodes have for copies.</param>
/// <param name="UsableBytes">What can honestly be stored with that many copies.</param>
/// <param name="UsedBytes">Of the usable bytes, how many are used.</param>
public readonly record struct PoolStatus(
    int NodesTotal,
    int NodesOnline,
    int CopiesWanted,
    int CopiesPossible,
    long AllocatedBytes,
    long UsableBytes,
    long UsedBytes);

/// <summary>Something an owner should know or do.</summary>
/// <param name="Code">A stable word for scripts, such as "node-away"; docs/operations/json.md lists them.</param>
/// <param name="Message">What and where.</param>
/// <param name="Advice">What to do.</param>
public readonly record struct NodeProblem(string Code, string Message, string Advice);

/// <summary>A volume in a listing.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">Its name, unique in the pool.</param>
/// <param name="HasKeys">Whether this node can open it.</param>
public readonly record struct VolumeSummary(VolumeId Id, string Name, bool HasKeys)
{
    /// <summary>Whether this node may only read it.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>The names of the nodes that alone may edit it; null: every member's.</summary>
    public IReadOnlyList<string>? Writers { get; init; }

    /// <summary>The snapshot that it is a clone of, as VOLUME@SNAPSHOT; null for a volume of its own.</summary>
    public string? CloneOf { get; init; }

    /// <summary>Whether all that it begins with is there; a clone can be opened only then.</summary>
    public bool IsComplete { get; init; }
}

/// <summary>Who may edit a volume, or below one of its folders.</summary>
/// <param name="Path">
/// The volume's name, and the folder's path behind it; null: the folder was removed, or the volume is not open here.
/// </param>
/// <param name="Writers">The names of the nodes that alone may; null: every member's that may edit the volume.</param>
public sealed record FolderWriters(string? Path, IReadOnlyList<string>? Writers)
{
    /// <summary>Those of the writers that may not edit the volume: they change nothing here either, both must allow it.</summary>
    public IReadOnlyList<string> ShutOut { get; init; } = [];
}

/// <summary>How fast this node may send and receive chunks, in bytes per second; null is no limit.</summary>
public readonly record struct BandwidthLimit(long? SendBytesPerSecond, long? ReceiveBytesPerSecond);
