using Cairn.Core.Fold.Tables;
using Cairn.Core.Primitives;

namespace Cairn.Core.Fold.Seen;

/// <summary>What the author of a transaction had seen of what comes before it in the order.</summary>
/// <param name="Before">That, or the end of it.</param>
/// <param name="Seen">For each of these from <paramref name="Start"/> on, whether its author had seen it.</param>
/// <param name="Start">
/// With a branch, the first behind its place. Without, the first that its author had not seen; -1 if it had seen all.
/// </param>
/// <param name="Branch">What it had seen of all before that; null for all.</param>
internal sealed record SeenBefore(List<AppliedTransaction> Before, bool[] Seen, int Start, SeenBranch? Branch)
{
    /// <summary>The first that it had not seen; null if it had seen all.</summary>
    internal TransactionOrder? FirstUnseen => Branch?.First ?? (Start < 0 ? null : Before[Start].Order);

    /// <summary>Up to where it had seen everything, with itself as the witness; null if there is nothing, or nothing new.</summary>
    internal SeenBranch? WholeBy(TransactionId by)
    {
        int whole = Start < 0 ? Before.Count : Start;
        return Branch is null && whole > 0 ? SeenBranch.Whole(Before[whole - 1].Order, by) : null;
    }

    /// <summary>What it had seen of all up to a place.</summary>
    /// <param name="end">How many of <see cref="Before"/> are up to there; behind the start.</param>
    /// <param name="by">The transaction.</param>
    /// <param name="otherwise">What is otherwise in that state.</param>
    internal SeenBranch BranchAt(int end, TransactionId by, IReadOnlyList<TableChange> otherwise)
    {
        Dictionary<LogId, ulong> unseen = Branch is null ? [] : new(Branch.Unseen);
        for (int i = Start; i < end; i++)
        {
            if (!Seen[i])
            {
                unseen.TryAdd(Before[i].Order.Id.Log, Before[i].Order.Id.Seq);
            }
        }

        return new SeenBranch(Before[end - 1].Order, by, FirstUnseen, unseen, otherwise);
    }
}
