namespace Cairn.Core.Fold.Seen;

/// <summary>
/// States that authors of snapshots saw, kept for the next snapshot: while a member is away, nobody sees what it does, and
/// when it is back each snapshot since is about a history without that.
/// </summary>
/// <remarks>
/// Without these every such snapshot would undo everything back to the day the member went and do it again: a history that
/// is folded anew would cost its length for each snapshot in it. With them it is done once, and then only what came since
/// the snapshot before. Never in the table: whoever starts anew works it out again.
/// </remarks>
internal sealed class SeenBranches
{
    /// <summary>How many authors may each lack something else; and of how many that lacked nothing it is known.</summary>
    private const int BranchesMax = 8;

    /// <summary>Larger ones are not kept.</summary>
    private const int KeysMax = 100_000;

    /// <summary>The one that was used last comes last.</summary>
    private readonly List<SeenBranch> _branches = [];

    /// <summary>The same of those who had seen all.</summary>
    private readonly List<SeenBranch> _wholes = [];

    /// <summary>Those up to a place, the last place first.</summary>
    internal IReadOnlyList<SeenBranch> UpTo(TransactionOrder place) =>
        _branches.Count + _wholes.Count == 0
            ? []
            : [.. _branches.Concat(_wholes).Where(branch => branch.Place <= place)
                .OrderByDescending(static branch => branch.Place)];

    /// <summary>Keeps one for what comes later, or longer, because it was of use.</summary>
    internal void Add(SeenBranch branch)
    {
        List<SeenBranch> like = branch.First is null ? _wholes : _branches;
        like.Remove(branch);
        if (branch.Otherwise.Count <= KeysMax)
        {
            like.Add(branch);
            like.RemoveRange(0, Math.Max(0, like.Count - BranchesMax));
        }
    }

    /// <summary>Everything from a place on was undone.</summary>
    internal void UndoneFrom(TransactionOrder place) => RemoveAll(branch => branch.Place >= place);

    /// <summary>Everything up to a place is fixed: who does not know it cannot write behind it any more.</summary>
    internal void CutAt(TransactionOrder cut) => RemoveAll(branch => (branch.First ?? branch.Place) <= cut);

    /// <summary>Forgets all.</summary>
    internal void Clear() => RemoveAll(static _ => true);

    private void RemoveAll(Predicate<SeenBranch> match)
    {
        _branches.RemoveAll(match);
        _wholes.RemoveAll(match);
    }
}
