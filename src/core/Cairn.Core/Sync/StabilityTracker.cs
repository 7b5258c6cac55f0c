using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Sync;

/// <summary>What members said they have, and what follows: up to where nothing can arrive late any more.</summary>
/// <remarks>
/// A member's word counts only once everything is held here that it had written when it said so: what it writes later
/// depends on all it had, and so comes later in the order. A new incarnation of its log counts as later writing,
/// because a
/// node asks its peers for its own tail, and names what it has seen, before it opens one.
/// </remarks>
public sealed class StabilityTracker
{
    private readonly SortedDictionary<NodeId, LogPositions> _said = [];

    /// <summary>Notes what a member said it has folded; an older word than the last changes nothing.</summary>
    public void Said(NodeId member, LogPositions positions)
    {
        if (!_said.TryGetValue(member, out LogPositions? before) || positions.Covers(before))
        {
            _said[member] = positions;
        }
    }

    /// <summary>What a member said last; empty if it never said anything.</summary>
    public LogPositions SaidBy(NodeId member) => _said.GetValueOrDefault(member, LogPositions.Empty);

    /// <summary>The cut that every one of <paramref name="members"/> has, as far as this node can know.</summary>
    /// <param name="members">All who may write and are not excluded; this node itself may be among them or not.</param>
    /// <param name="self">This node: it has <paramref name="held"/>.</param>
    /// <param name="held">What this node has folded.</param>
    public LogPositions Stable(IEnumerable<NodeId> members, NodeId self, LogPositions held)
    {
        LogPositions stable = held;
        foreach (NodeId member in members)
        {
            if (member == self)
            {
                continue;
            }

            LogPositions said = SaidBy(member);
            foreach ((LogId log, LogPosition position) in said.Logs)
            {
                if (log.Author == member && held[log].TransactionSeq < position.TransactionSeq)
                {
                    return LogPositions.Empty;
                }
            }

            stable = stable.Meet(said);
        }

        return stable;
    }
}
