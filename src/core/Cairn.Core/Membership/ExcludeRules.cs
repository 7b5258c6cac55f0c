using System.Collections.Immutable;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Membership;

/// <summary>What forgetting a member, taking it back, and leaving mean in the pool's log, and who was ever forgotten in earnest.</summary>
/// <remarks>
/// Where two parts of a pool meet, the word of an admin that was forgotten itself has no effect any more, or one that took the member
/// back comes behind it. But the author's part has gone by it meanwhile, and collected without the member: so each such word is noted
/// that could be said as its author had seen the pool, and the member makes good what was done by it.
/// Source: docs/decisions/garbage.md.
/// </remarks>
internal static class ExcludeRules
{
    internal const byte SaidTag = (byte)'X';

    /// <summary>Obeys it if its author may say it at that place, and notes it if that could as it had seen the pool.</summary>
    /// <param name="state">The pool at the place of the word.</param>
    /// <param name="transaction">Its transaction.</param>
    /// <param name="exclude">The word.</param>
    /// <param name="seenOtherwise">What is otherwise in the pool as its author had seen it.</param>
    public static void Apply(
        ITreeTable state, Transaction transaction, Exclude exclude, IReadOnlyList<TableChange> seenOtherwise)
    {
        NodeId author = transaction.Id.Log.Author;
        if (IsOfAnother(transaction, exclude) && WasDue(state, author, exclude.Member, seenOtherwise))
        {
            state.Put(Key(exclude.Member, transaction.Id), []);
        }

        Apply(state, author, exclude);
    }

    /// <summary>Whether a word forgets somebody else than its author.</summary>
    public static bool IsOfAnother(Transaction transaction, Exclude exclude) =>
        exclude.Excluded && exclude.Member != transaction.Id.Log.Author;

    /// <summary>Which words forgot a member as their authors saw it, in the order of their ids.</summary>
    public static IEnumerable<KeyValuePair<NodeId, ImmutableArray<TransactionId>>> Said(ITreeTable state)
    {
        var said = new SortedDictionary<NodeId, ImmutableArray<TransactionId>>();
        TableCursor cursor = state.Scan([SaidTag], [SaidTag + 1]);
        while (cursor.MoveNext())
        {
            ReadOnlySpan<byte> key = cursor.Key.AsSpan(1);
            var member = new NodeId(key[..NodeId.Size]);
            said[member] = said.GetValueOrDefault(member, []).Add(TreeKeys.Transaction(key[NodeId.Size..]));
        }

        return said;
    }

    /// <summary>Who leaves by its own will is out for good, whatever is said of being forgotten: nobody waits for it.</summary>
    private static void Apply(ITreeTable state, NodeId author, Exclude exclude)
    {
        bool leaves = exclude.Excluded && author == exclude.Member;
        if (PoolTable.GetMember(state, exclude.Member)?.Member is not { Role: not MemberRole.Recovery } target
            || !(leaves || PoolTable.IsAuthority(state, author)))
        {
            return;
        }

        bool isDue = exclude.Excluded
            ? target.Standing == MemberStanding.Active || (leaves && target.MayReturn)
            : target.MayReturn;
        if (isDue)
        {
            MemberStanding to = exclude.Excluded ? MemberStanding.Forgotten : MemberStanding.Active;
            PoolTable.PutMember(state, new(target with { Standing = to }, leaves ? author : default));
        }
    }

    private static bool WasDue(
        ITreeTable state, NodeId author, NodeId member, IReadOnlyList<TableChange> seenOtherwise)
    {
        ITreeTable seen = PoolTable.AsSeen(state, seenOtherwise);
        return PoolTable.IsAuthority(seen, author)
            && PoolTable.GetMember(seen, member) is { Member.IsActiveNode: true };
    }

    private static byte[] Key(NodeId member, TransactionId said)
    {
        byte[] word = new byte[TreeKeys.TransactionIdSize];
        TreeKeys.Transaction(word, said);
        return [SaidTag, .. member.Value.ToArray(), .. word];
    }
}
