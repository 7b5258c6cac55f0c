using System.Collections.Immutable;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

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
    /// <summary>Applies the wanted transactions to an empty table, or to one that has the records of a checkpoint.</summary>
    /// <param name="logs">
    /// Each log's transactions from its first on, or from any that the checkpoint has; read as far as needed.
    /// </param>
    /// <param name="isWanted">Which take effect; all count for the order. It may throw to end it early.</param>
    /// <param name="applier">What they mean.</param>
    /// <param name="table">Gets the state.</param>
    /// <param name="ground">What the fold of these logs stands on: what is not in it comes behind it. Null for nothing.</param>
    /// <returns>How many took effect.</returns>
    public static long Run(
        IReadOnlyList<IEnumerable<Transaction>> logs, Func<Transaction, bool> isWanted, ITransactionApplier applier,
        ITreeTable table, FoldGround? ground = null)
    {
        FoldLogs accepted = FoldLogs.Load(table);
        accepted.Ground = ground ?? accepted.Ground;
        var state = new UndoRecorder(table) { Recording = false };
        using var merge = new LogMerge(logs);
        HashSet<TransactionId> repeated = Repetitions.Noted(table, Repetitions.RepeatedTag);
        HashSet<TransactionId> unsaid = Repetitions.Noted(table, Repetitions.UnsaidTag);
        long applied = 0;
        while (merge.Next(accepted, out TransactionOrder order) is { } transaction)
        {
            accepted.Accept(transaction, order);
            ImmutableArray<TransactionId> originals = Repeats.OriginalsOf(transaction);
            bool isDone = repeated.Contains(transaction.Id)
                || originals.Any(original => accepted.Has(original) && !unsaid.Contains(original));
            if (!isWanted(transaction) || isDone)
            {
                applier.LeaveOut(transaction, state);
            }
            else if (applier.Apply(transaction, state))
            {
                repeated.UnionWith(originals);
                applied++;
            }
            else
            {
                unsaid.Add(transaction.Id);
            }
        }

        return applied;
    }
}
