using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Fold;

/// <summary>
/// The state that the author of a transaction saw: the fold of exactly the transaction's causal past.
/// </summary>
internal static class SeenState
{
    private const int FirstLook = 64;

    /// <summary>
    /// Finds the first of the transactions before one that its author had not seen.
    /// </summary>
    /// <remarks>
    /// From the end: as soon as the author is known to have reached every log up to a depth, it has seen all that is less deep. Who made
    /// a snapshot has mostly seen all but the last few, and the history that is folded again may be long.
    /// </remarks>
    /// <param name="before">
    /// What comes before it in the order and is not fixed, or the end of that; what is fixed, every author has seen.
    /// </param>
    /// <param name="isAll">Whether it is all of it.</param>
    /// <param name="transaction">The transaction.</param>
    /// <param name="logs">How deep all these are.</param>
    /// <param name="cut">Up to where everything is fixed.</param>
    /// <param name="first">Its index; -1 when its author had seen all.</param>
    /// <param name="seen">Gets, for each of <paramref name="before"/>, whether its author had seen it.</param>
    /// <returns>False if more of what comes before must be looked at.</returns>
    internal static bool TryFindUnseen(
        List<AppliedTransaction> before, bool isAll, Transaction transaction, FoldLogs logs, TransactionOrder cut,
        out int first, out bool[] seen)
    {
        seen = new bool[before.Count];
        first = -1;
        int look = before.Count - FirstLook;
        ulong seenBelow = 0;
        var reached = new Dictionary<LogId, ulong>();
        Reach(transaction, reached);
        for (int i = before.Count - 1; i >= 0; i--)
        {
            ulong depth = before[i].Order.Depth;
            if (depth < seenBelow)
            {
                Array.Fill(seen, true, 0, i + 1);
                return true;
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
                seenBelow = logs.AreReached(depth, cut, reached) ? depth : seenBelow;
            }
        }

        return isAll;
    }

    /// <summary>The keys whose value in the author's state differs from the table's, with that value.</summary>
    /// <param name="table">The state after all of <paramref name="before"/>; it is not changed.</param>
    /// <param name="applier">Its decoded copies are void afterwards.</param>
    /// <param name="before">What comes before the transaction and is not fixed.</param>
    /// <param name="seen">What of that the author had seen.</param>
    /// <param name="firstUnseen">The first that it had not.</param>
    internal static List<TableChange> Differences(
        ITreeTable table, ITransactionApplier applier, List<AppliedTransaction> before, bool[] seen, int firstUnseen)
    {
        var scratch = new OverlayTable(table, cacheBytesMax: 0, learnKeysMax: 0);
        var state = new UndoRecorder(scratch) { Recording = false };
        for (int i = before.Count - 1; i >= firstUnseen; i--)
        {
            state.Undo(before[i].Undo);
        }

        applier.Forget();
        for (int i = firstUnseen; i < before.Count; i++)
        {
            if (seen[i])
            {
                applier.Apply(before[i].Transaction, state);
            }
        }

        applier.Forget();
        var differences = new List<TableChange>();
        foreach ((TableBytes key, TableBytes value) in scratch.TakeChanges())
        {
            if (key.Span[0] < FoldKeys.Reserved && table.Find(key.Span) != value)
            {
                differences.Add(new TableChange(key, value));
            }
        }

        return differences;
    }

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
