using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Node.Peers;

/// <summary>A block as it travels: its place, and its signed bytes.</summary>
/// <param name="Log">Whose log.</param>
/// <param name="Position">The block's number and its last transaction.</param>
/// <param name="Bytes">The encoded block.</param>
public readonly record struct SharedBlock(LogId Log, LogPosition Position, ReadOnlyMemory<byte> Bytes);

/// <summary>A replicated log as its synchronisation sees it: the pool's own, or a volume's.</summary>
/// <remarks>Thread: the engine's loop, unless said otherwise.</remarks>
public interface ISharedLog
{
    /// <summary>Which volume; the pool's log is the volume of the pool's id.</summary>
    VolumeId Volume { get; }

    /// <summary>The members that signed two histories of one of its logs, as far as both came here since the start. Any thread.</summary>
    IReadOnlyCollection<NodeId> Forked => [];

    /// <summary>What is held here on stable storage.</summary>
    LogPositions Positions { get; }

    /// <summary>What of it is folded here, and all that was written here.</summary>
    LogPositions Seen => Positions;

    /// <summary>What a peer is told of it: the blocks of <see cref="Positions"/>, and what others may take for settled.</summary>
    LogPositions Word => Positions;

    /// <summary>Blocks held here on stable storage that a peer with these positions lacks, in order per log.</summary>
    /// <param name="held">What the peer holds.</param>
    /// <param name="bytesMax">Stop at so many bytes; at least one block if there is any.</param>
    IReadOnlyList<SharedBlock> BlocksAfter(LogPositions held, int bytesMax);

    /// <summary>The first block that is here of each log of which a peer with these positions lacks blocks that were dropped.</summary>
    IReadOnlyList<ReadOnlyMemory<byte>> FirstKept(LogPositions held) => [];

    /// <summary>A peer dropped blocks that are lacking here: these are the first that it has of those logs.</summary>
    /// <returns>Where logs begin of which this node lacks what is before, and cannot do without.</returns>
    ValueTask<LogBeginnings> HearBeginnings(IReadOnlyList<ReadOnlyMemory<byte>> first) => new(LogBeginnings.None);

    /// <summary>Takes a peer's blocks in; when it ends, <see cref="Positions"/> says what was kept.</summary>
    /// <returns>What was wrong with the first bad one, for people.</returns>
    ValueTask<Result<Unit, string>> Receive(IReadOnlyList<ReadOnlyMemory<byte>> blocks);

    /// <summary>Whether it waits for <see cref="Settle"/>: the end of what this node wrote was lost here.</summary>
    bool AwaitsWord => false;

    /// <summary>All connected members that can read the log have said what they hold.</summary>
    /// <param name="held">The most of each log that any member is known to hold.</param>
    void Settle(LogPositions held)
    {
    }

    /// <summary>Own blocks became ready to be sent. Raised on any thread.</summary>
    event Action? BlocksReady;
}
