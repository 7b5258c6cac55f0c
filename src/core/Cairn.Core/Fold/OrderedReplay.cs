using Cairn.Core.Log;

namespace Cairn.Core.Fold;

/// <summary>
/// Makes a state out of whole logs, one transaction after the other in the total order, leaving some out.
/// </summary>
/// <remarks>
/// What was known at a moment, or what there would be without one member's work: questions that are asked rarely, so
/// nothing is kept for them. It holds one transaction of each log and what it takes to undo nothing. Leaving a
/// transaction out leaves nothing broken: what makes no sense without it has no effect.
/// </remarks>
public static class OrderedReplay
{
    /// <summary>Applies the wanted transactions to an empty table.</summary>
    /// <param name="logs">Each log's transactions from its first on; read as far as needed.</param>
    /// <param name="isWanted">Which take effect; all count for the order. It may throw to end it early.</param>
    /// <param name="applier">What they mean.</param>
    /// <param name="table">Gets the state.</param>
    /// <returns>How many took effect.</returns>
    public static long Run(
        IReadOnlyList<IEnumerable<Transaction>> logs, Func<Transaction, bool> isWanted, ITransactionApplier applier,
        ITreeTable table)
    {
        var accepted = new FoldLogs();
        var state = new UndoRecorder(table) { Recording = false };
        var heads = new List<IEnumerator<Transaction>>();
        long applied = 0;
        try
        {
            foreach (IEnumerable<Transaction> log in logs)
            {
                IEnumerator<Transaction> head = log.GetEnumerator();
                heads.Add(head);
                MoveOn(heads, head);
            }

            // The first in the order is always the head of a log: what a transaction depends on comes before it.
            while (First(heads, accepted, out TransactionOrder order) is { } first)
            {
                Transaction transaction = first.Current;
                accepted.Accept(transaction, order);
                if (isWanted(transaction))
                {
                    applier.Apply(transaction, state);
                    applied++;
                }

                MoveOn(heads, first);
            }

            return applied;
        }
        finally
        {
            heads.ForEach(static head => head.Dispose());
        }
    }

    private static void MoveOn(List<IEnumerator<Transaction>> heads, IEnumerator<Transaction> head)
    {
        if (!head.MoveNext())
        {
            heads.Remove(head);
            head.Dispose();
        }
    }

    private static IEnumerator<Transaction>? First(
        List<IEnumerator<Transaction>> heads, FoldLogs accepted, out TransactionOrder order)
    {
        IEnumerator<Transaction>? first = null;
        order = default;
        foreach (IEnumerator<Transaction> head in heads)
        {
            if (accepted.MissingOf(head.Current) is null && accepted.OrderOf(head.Current) is { } place
                && (first is null || place < order))
            {
                (first, order) = (head, place);
            }
        }

        return first;
    }
}
