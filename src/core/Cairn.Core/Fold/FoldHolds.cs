using Cairn.Core.Fold.Tables;

namespace Cairn.Core.Fold;

/// <summary>
/// Transactions that must stay undoable for the sake of a later one: it is about what its author saw, and they were not
/// among that.
/// </summary>
/// <remarks>
/// While such a transaction may still be undone and applied again, what its author saw must be found again: the cut
/// never comes between it and the first transaction before it that its author had not seen. Kept in the table, so that
/// a node that starts anew knows.
/// </remarks>
internal sealed class FoldHolds
{
    private const byte HoldTag = (byte)'S';
    private const int KeySize = 2 + TransactionOrder.KeySize;

    private readonly ITreeTable _table;
    private readonly SortedDictionary<TransactionOrder, TransactionOrder> _firstUnseen = [];

    internal FoldHolds(ITreeTable table)
    {
        _table = table;
        TableCursor cursor = table.Scan([FoldKeys.Reserved, HoldTag], [FoldKeys.Reserved, HoldTag + 1]);
        while (cursor.MoveNext())
        {
            _firstUnseen.Add(TransactionOrder.From(cursor.Key.AsSpan(2)), TransactionOrder.From(cursor.Value));
        }
    }

    /// <summary>Sets, or with null takes away, what a transaction holds.</summary>
    internal void Set(TransactionOrder holder, TransactionOrder? firstUnseen)
    {
        Span<byte> key = stackalloc byte[KeySize];
        key[0] = FoldKeys.Reserved;
        key[1] = HoldTag;
        holder.CopyTo(key[2..]);
        if (firstUnseen is { } first)
        {
            byte[] value = new byte[TransactionOrder.KeySize];
            first.CopyTo(value);
            _firstUnseen[holder] = first;
            _table.Put(key, value);
        }
        else if (_firstUnseen.Remove(holder))
        {
            _table.Put(key, null);
        }
    }

    /// <summary>
    /// The first transaction that a cut must not take in, because its holder is behind the cut; or null.
    /// </summary>
    internal TransactionOrder? FirstHeld(TransactionOrder cut)
    {
        TransactionOrder? held = null;
        foreach ((TransactionOrder holder, TransactionOrder first) in _firstUnseen)
        {
            if (holder > cut && first <= cut && (held is null || first < held))
            {
                held = first;
            }
        }

        return held;
    }

    /// <summary>Forgets holders that are fixed themselves.</summary>
    internal void CutAt(TransactionOrder cut)
    {
        TransactionOrder[] gone = [.. _firstUnseen.Keys.TakeWhile(holder => holder <= cut)];
        foreach (TransactionOrder holder in gone)
        {
            Set(holder, null);
        }
    }
}
