using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Sync;

/// <summary>What members said they have, and what follows: up to where nothing can arrive late any more.</summary>
/// <remarks>
/// A member's word counts only once everything is held here that it had written when it said so: what it writes later
/// depends on all it had, and so comes later in the order. A new incarnation of its log counts as later writing,
/// because a node asks its peers for its own tail, and names what it has seen, before it opens one.
/// </remarks>
public sealed class StabilityTracker
{
    private readonly SortedDictionary<NodeId, LogPositions> _said = [];

    /// <summary>What a member says of itself: of others' logs what it holds and has folded, of its own all it has written.</summary>
    /// <remarks>
    /// A block that is held and waits for what it depends on does not count: what the member writes meanwhile does not
    /// depend on it, and may come before it in the order.
    /// </remarks>
    /// <param name="self">The member.</param>
    /// <param name="held">What it holds on stable storage; the blocks of the word are these.</param>
    /// <param name="folded">What it has folded, own transactions that are in no block yet among them.</param>
    /// <param name="vouched">
    /// What of it nothing that it writes can undo any more: of others' logs only that much counts.
    /// </param>
    public static LogPositions Word(NodeId self, LogPositions held, LogPositions folded, LogPositions vouched)
    {
        // Of all but a few authors nothing is new: what is held of them is what is said of them.
        var word = new List<AuthorPositions>(held.Authors.Length + 1);
        foreach (AuthorPositions author in held.Authors)
        {
            if (author.Author != self)
            {
                word.Add(author.UpTo(vouched));
            }
        }

        var own = new SortedDictionary<LogId, LogPosition>();
        foreach ((LogId log, LogPosition position) in held.Of(self))
        {
            ulong last = Math.Max(folded[log].TransactionSeq, position.TransactionSeq);
            own[log] = position with { TransactionSeq = last };
        }

        foreach ((LogId log, LogPosition position) in folded.Of(self))
        {
            if (held[log] == default)
            {
                own[log] = position with { BlockSeq = 0 };
            }
        }

        if (own.Count > 0)
        {
            int at = word.FindIndex(author => author.Author > self);
            word.Insert(at < 0 ? word.Count : at, new AuthorPositions([.. own]));
        }

        return LogPositions.Of(word);
    }

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
            foreach ((LogId log, LogPosition position) in said.Of(member))
            {
                if (held[log].TransactionSeq < position.TransactionSeq)
                {
                    return LogPositions.Empty;
                }
            }

            stable = stable.Meet(said);
        }

        return stable;
    }
}
