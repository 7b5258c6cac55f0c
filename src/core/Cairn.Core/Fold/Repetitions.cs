using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Fold;

/// <summary>
/// Transactions that say what another one says, whose author did not know that it was not lost (<see cref="Repeats"/>):
/// the first in the order counts.
/// </summary>
/// <remarks>
/// Which had no effect (refused by rights, or set aside) did not say it: that stands in the table, and so does what was
/// repeated, undone and done again with the rest.
/// </remarks>
internal sealed class Repetitions
{
    /// <summary>Behind <see cref="FoldKeys.Reserved"/>: a transaction that was repeated. Undone like the state.</summary>
    internal const byte RepeatedTag = (byte)'A';

    /// <summary>Behind <see cref="FoldKeys.Reserved"/>: a transaction that had no effect. Undone like the state.</summary>
    internal const byte UnsaidTag = (byte)'N';

    private readonly ITreeTable _table;
    private bool _isAny;

    internal Repetitions(ITreeTable table)
    {
        _table = table;
        TableCursor cursor = table.Scan([FoldKeys.Reserved, RepeatedTag], [FoldKeys.Reserved, RepeatedTag + 1]);
        _isAny = cursor.MoveNext();
    }

    /// <summary>The transactions of which a table has a note.</summary>
    internal static HashSet<TransactionId> Noted(ITableSource table, byte tag)
    {
        var noted = new HashSet<TransactionId>();
        TableCursor cursor = table.Scan([FoldKeys.Reserved, tag], [FoldKeys.Reserved, (byte)(tag + 1)]);
        while (cursor.MoveNext())
        {
            noted.Add(TransactionOrder.From(cursor.Key.AsSpan(2)).Id);
        }

        return noted;
    }

    /// <summary>Whether what a transaction says is done already at its place.</summary>
    internal bool IsDone(Transaction transaction, FoldLogs logs)
    {
        if (_isAny && !_table.Find(Key(RepeatedTag, transaction.Id)).IsAbsent)
        {
            return true;
        }

        foreach (TransactionId original in Repeats.OriginalsOf(transaction))
        {
            if (IsSaidBefore(original, transaction, logs))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Notes what a transaction that was applied repeats, or that it said nothing.</summary>
    internal void Note(Transaction transaction, bool hadEffect, ITreeTable state)
    {
        if (!hadEffect)
        {
            state.Put(Key(UnsaidTag, transaction.Id), []);
            return;
        }

        foreach (TransactionId original in Repeats.OriginalsOf(transaction))
        {
            _isAny = true;
            state.Put(Key(RepeatedTag, original), [1]);
        }
    }

    /// <summary>What has no place any more is fixed, and before everything that is applied.</summary>
    private bool IsSaidBefore(TransactionId original, Transaction again, FoldLogs logs) =>
        logs.Has(original)
        && (logs.PlaceOf(original) is not { } place || place < logs.PlaceOf(again.Id))
        && _table.Find(Key(UnsaidTag, original)).IsAbsent;

    private static byte[] Key(byte tag, TransactionId id)
    {
        byte[] key = new byte[2 + TransactionOrder.KeySize];
        (key[0], key[1]) = (FoldKeys.Reserved, tag);
        new TransactionOrder(0, id).CopyTo(key.AsSpan(2));
        return key;
    }
}
