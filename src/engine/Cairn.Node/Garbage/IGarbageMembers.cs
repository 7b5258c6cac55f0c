using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Node.Garbage;

/// <summary>The members of a volume as its garbage sees them.</summary>
/// <remarks>Thread: any.</remarks>
public interface IGarbageMembers
{
    /// <summary>All who may write to the volume, this node among them, excluded ones not.</summary>
    IReadOnlyList<NodeId> Writers { get; }

    /// <summary>What every writer is known to have folded (<see cref="Core.Sync.StabilityTracker"/>); empty if that is not known.</summary>
    /// <param name="held">What this node has folded, and vouches for.</param>
    LogPositions Stable(LogPositions held);

    /// <summary>
    /// Whether this node was forgotten and has not made good yet what was settled without it: until then it agrees to nothing.
    /// </summary>
    bool IsReturning => false;

    /// <summary>Of a removed volume: whether every writer is known to have heard of that, and so writes no more.</summary>
    bool HaveHeardOfRemoval => true;

    /// <summary>Of a removed volume: whether the pool's log says that all members are done with it.</summary>
    bool IsPurged => false;
}

/// <summary>A volume that only one node writes.</summary>
/// <param name="self">That node.</param>
public sealed class LoneMember(NodeId self) : IGarbageMembers
{
    /// <inheritdoc/>
    public IReadOnlyList<NodeId> Writers { get; } = [self];

    /// <inheritdoc/>
    public LogPositions Stable(LogPositions held) => held;
}
