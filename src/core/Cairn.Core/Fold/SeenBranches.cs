using Cairn.Core.Primitives;

namespace Cairn.Core.Fold;

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
    /// <summary>How many authors may each lack something else.</summary>
    private const int BranchesMax = 8;

    /// <summary>Larger ones are not kept.</summary>
    private const int KeysMax = 100_000;

    /// <summary>The one that was used last comes last.</summary>
    private readonly List<SeenBranch> _branches = [];

    /// <summary>How many there are.</summary>
    internal int Count => _branches.Count;

    /// <summary>Those up to a place, the last place first.</summary>
    internal IReadOnlyList<SeenBranch> UpTo(TransactionOrder place) =>
        _branches.Count == 0
            ? []
            : [.. _branches.Where(branch => branch.Place <= place).OrderByDescending(static branch => branch.Place)];

    /// <summary>Keeps one for what comes later.</summary>
    internal void Add(SeenBranch branch)
    {
        if (branch.Otherwise.Count <= KeysMax)
        {
            _branches.Add(branch);
            _branches.RemoveRange(0, Math.Max(0, _branches.Count - BranchesMax));
        }
    }

    /// <summary>One was of use.</summary>
    internal void Used(SeenBranch branch)
    {
        _branches.Remove(branch);
        _branches.Add(branch);
    }

    /// <summary>Everything from a place on was undone.</summary>
    internal void UndoneFrom(TransactionOrder place) => _branches.RemoveAll(branch => branch.Place >= place);

    /// <summary>Everything up to a place is fixed: who does not know it cannot write behind it any more.</summary>
    internal void CutAt(TransactionOrder cut) => _branches.RemoveAll(branch => branch.First <= cut);

    /// <summary>Forgets all.</summary>
    internal void Clear() => _branches.Clear();
}
