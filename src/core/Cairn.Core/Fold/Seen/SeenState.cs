using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Fold.Seen;

/// <summary>
/// The state that the author of a transaction saw: the fold of exactly the transaction's causal past.
/// </summary>
internal static class SeenState
{
    private const int FirstLook = 64;

    /// <summary>
    /// What a branch leaves to be done again for the next snapshot: of the last few, its author has mostly seen more.
    /// </summary>
    private const int BranchBehind = 32;

    /// <summary>
    /// Finds which of the transactions before one its author had not seen.
    /// </summary>
    /// <remarks>
    /// From the end: as soon as the author is known to have reached every log up to a depth, it has seen all that is less deep. Who made
    /// a snapshot has mostly seen all but the last few, and the history that is folded again may be long. Who had not seen what came
    /// long ago had mostly seen what the author of another snapshot had, up to where a branch goes.
    /// </remarks>
    /// <param name="before">
    /// What comes before it in the order and is not fixed, or the end of that; what is fixed, every author has seen.
    /// </param>
    /// <param name="isAll">Whether it is all of it.</param>
    /// <param name="transaction">The transaction.</param>
    /// <param name="logs">How deep all these are.</param>
    /// <param name="cut">Up to where everything is fixed.</param>
    /// <param name="branches">States that other authors saw.</param>
    /// <returns>Null if more of what comes before must be looked at.</returns>
    internal static SeenBefore? TryFind(
        List<AppliedTransaction> before, bool isAll, Transaction transaction, FoldLogs logs, TransactionOrder cut,
        SeenBranches branches)
    {
        bool[] seen = new bool[before.Count];
        int first = -1;
        int look = before.Count - FirstLook;
        ulong seenBelow = 0;
        IReadOnlyList<SeenBranch> candidates =
            before.Count == 0 ? [] : branches.UpTo(before[^1].Order);
        int candidate = 0;
        var reached = new Dictionary<LogId, ulong>();
        Reach(transaction, reached);
        for (int i = before.Count - 1; i >= 0; i--)
        {
            TransactionOrder order = before[i].Order;
            if (order.Depth < seenBelow)
            {
                return new SeenBefore(before, seen, first, Branch: null);
            }

            for (; candidate < candidates.Count && candidates[candidate].Place >= order; candidate++)
            {
                SeenBranch branch = candidates[candidate];
                if (logs.AreReached(branch, cut, reached))
                {
                    branches.Add(branch);
                    return branch.First is null
                        ? new SeenBefore(before, seen, first, Branch: null)
                        : new SeenBefore(before, seen, i + 1, branch);
                }
            }

            Transaction earlier = before[i].Transaction;
            if (earlier.Id.Seq <= reached.GetValueOrDefault(earlier.Id.Log))
            {
                seen[i] = true;
                Reach(earlier, reached);
            }
            else
            {
                first = i;
            }

            if (i == look)
            {
                // At twice the distance each time: a look costs no more than the way to it.
                look = before.Count - (2 * (before.Count - i));
                seenBelow = logs.AreReached(order.Depth, cut, reached) ? order.Depth : seenBelow;
            }
        }

        return isAll ? new SeenBefore(before, seen, first, Branch: null) : null;
    }

    /// <summary>The keys whose value in the author's state differs from the table's, with that value; sorted.</summary>
    /// <param name="table">The state after all that comes before the transaction; it is not changed.</param>
    /// <param name="applier">Its decoded copies are void afterwards.</param>
    /// <param name="by">The transaction.</param>
    /// <param name="past">What of that the author had seen, and that there is something it had not.</param>
    /// <param name="branches">Gets the author's state as it was a little earlier.</param>
    internal static List<TableChange> Differences(
        ITreeTable table, ITransactionApplier applier, TransactionId by, SeenBefore past, SeenBranches branches)
    {
        List<AppliedTransaction> before = past.Before;
        int kept = Math.Max(past.Start, before.Count - BranchBehind);
        var scratch = new OverlayTable(table, cacheBytesMax: 0, learnKeysMax: 0);
        Undo(before, kept, before.Count, scratch);
        OverlayTable? atKept = null;
        if (kept > past.Start)
        {
            (atKept, scratch) = (scratch, new OverlayTable(scratch, cacheBytesMax: 0, learnKeysMax: 0));
            Undo(before, past.Start, kept, scratch);
        }

        foreach ((TableBytes key, TableBytes value) in past.Branch?.Otherwise ?? [])
        {
            Put(scratch, key, value);
        }

        applier.Forget();
        if (atKept is not null)
        {
            Redo(past, past.Start, kept, applier, scratch);
            branches.Add(past.BranchAt(kept, by, Otherwise(scratch, atKept, keep: true)));
        }

        Redo(past, kept, before.Count, applier, scratch);
        applier.Forget();
        foreach ((TableBytes key, TableBytes value) in atKept?.Changes() ?? [])
        {
            if (scratch.Find(key.Span) == value)
            {
                Put(scratch, key, value);
            }
        }

        return Otherwise(scratch, table, keep: false);
    }

    private static void Undo(List<AppliedTransaction> before, int from, int to, OverlayTable state)
    {
        var recorder = new UndoRecorder(state) { Recording = false };
        for (int i = to - 1; i >= from; i--)
        {
            recorder.Undo(before[i].Undo);
        }
    }

    private static void Redo(SeenBefore past, int from, int to, ITransactionApplier applier, OverlayTable state)
    {
        for (int i = from; i < to; i++)
        {
            if (past.Seen[i])
            {
                applier.Apply(past.Before[i].Transaction, state);
            }
        }
    }

    private static void Put(OverlayTable state, TableBytes key, TableBytes value)
    {
        if (value.IsAbsent)
        {
            state.Drop(key.Span);
        }
        else
        {
            state.Set(key.Span, value.Span);
        }
    }

    /// <summary>What was changed in a state and is otherwise in another.</summary>
    /// <param name="state">The one.</param>
    /// <param name="than">The other.</param>
    /// <param name="keep">Whether copies are wanted, the fold's own among them.</param>
    private static List<TableChange> Otherwise(OverlayTable state, ITreeTable than, bool keep)
    {
        var differences = new List<TableChange>();
        foreach ((TableBytes key, TableBytes value) in state.Changes())
        {
            if ((keep || key.Span[0] < FoldKeys.Reserved) && than.Find(key.Span) != value)
            {
                differences.Add(keep ? new TableChange(Copy(key), Copy(value)) : new TableChange(key, value));
            }
        }

        return differences;
    }

    /// <summary>So that nothing keeps the pages of a scratch layer.</summary>
    private static TableBytes Copy(TableBytes bytes) =>
        bytes.IsAbsent ? default : TableBytes.Of(bytes.Span.ToArray());

    private static void Reach(Transaction transaction, Dictionary<LogId, ulong> reached)
    {
        Reach(transaction.Id with { Seq = transaction.Id.Seq - 1 }, reached);
        foreach (TransactionId dependency in transaction.Dependencies)
        {
            Reach(dependency, reached);
        }
    }

    private static void Reach(TransactionId id, Dictionary<LogId, ulong> reached) =>
        reached[id.Log] = Math.Max(id.Seq, reached.GetValueOrDefault(id.Log));
}
