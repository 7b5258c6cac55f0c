using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Fold;

/// <summary>
/// Transactions that say what another one says, whose author did not know that it was not lost (<see cref="Repeats"/>):
/// the first in the order counts.
/// </summary>
/// <remarks>
/// An original is found in the tail: it is fixed only when its author has it again, and all have what repeats it. What
/// was repeated stands in the table, undone and done again with the rest.
/// </remarks>
internal sealed class Repetitions
{
    /// <summary>Behind <see cref="FoldKeys.Reserved"/>: a transaction that was repeated. Undone like the state.</summary>
    internal const byte Tag = (byte)'A';

    private readonly ITreeTable _table;
    private readonly ITransactionApplier _applier;
    private bool _isAny;

    internal Repetitions(ITreeTable table, ITransactionApplier applier)
    {
        (_table, _applier) = (table, applier);
        TableCursor cursor = table.Scan([FoldKeys.Reserved, Tag], [FoldKeys.Reserved, Tag + 1]);
        _isAny = cursor.MoveNext();
    }

    /// <summary>Whether what a transaction says is done already at its place.</summary>
    internal bool IsDone(Transaction transaction, FoldLogs logs, FoldTail tail)
    {
        if (_isAny && !_table.Find(Key(transaction.Id)).IsAbsent)
        {
            return true;
        }

        foreach (TransactionId original in Repeats.OriginalsOf(transaction))
        {
            if (IsThere(original, transaction, logs, tail))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Notes what a transaction that is applied repeats.</summary>
    internal void Note(Transaction transaction, ITreeTable state)
    {
        ImmutableArray<TransactionId> originals = Repeats.OriginalsOf(transaction);
        if (originals.IsEmpty || !_applier.IsObeyed(transaction))
        {
            return;
        }

        _isAny = true;
        foreach (TransactionId original in originals)
        {
            state.Put(Key(original), [1]);
        }
    }

    /// <summary>Whether an original comes before and was obeyed: one that is set aside says something else.</summary>
    private bool IsThere(TransactionId original, Transaction again, FoldLogs logs, FoldTail tail) =>
        logs.PlaceOf(original) is { } place
        && tail.From(place) is [AppliedTransaction first, ..] && first.Transaction.Id == original
        && _applier.IsObeyed(first.Transaction)
        && Repeats.MeaningOf(first.Transaction).AsSpan().SequenceEqual(Repeats.MeaningOf(again));

    private static byte[] Key(TransactionId id)
    {
        byte[] key = new byte[2 + TransactionOrder.KeySize];
        (key[0], key[1]) = (FoldKeys.Reserved, Tag);
        new TransactionOrder(0, id).CopyTo(key.AsSpan(2));
        return key;
    }
}
