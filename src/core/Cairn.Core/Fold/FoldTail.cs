using System.Buffers;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Fold;

/// <summary>
/// The applied transactions that may still have to be undone, in order: the newest in memory, older ones in the
/// table.
/// </summary>
internal sealed class FoldTail
{
    private const byte TailTag = (byte)'T';
    private const byte CutTag = (byte)'C';
    private const int KeySize = 2 + TransactionOrder.KeySize;
    private const int MemoryMax = 4096;

    private readonly ITreeTable _table;
    private readonly List<AppliedTransaction> _memory = [];
    private readonly SortedSet<TransactionOrder> _removed = [];
    private readonly ArrayBufferWriter<byte> _inner = new(1024);
    private readonly ArrayBufferWriter<byte> _outer = new(1024);
    private bool _cutDirty;

    /// <summary>Entries that are only in the table; all of them before those in memory.</summary>
    private int _spilled;

    internal FoldTail(ITreeTable table)
    {
        _table = table;
        if (table.Get([FoldKeys.Reserved, CutTag]) is { } cut)
        {
            Cut = TransactionOrder.From(cut);
        }

        Last = Cut;
        TableCursor cursor = Entries(default, null);
        while (cursor.MoveNext())
        {
            _spilled++;
            Last = OrderOf(cursor.Key);
        }
    }

    /// <summary>Says in an empty table where its history is cut.</summary>
    internal static void Start(ITreeTable table, TransactionOrder cut)
    {
        byte[] bytes = new byte[TransactionOrder.KeySize];
        cut.CopyTo(bytes);
        table.Put([FoldKeys.Reserved, CutTag], bytes);
    }

    internal int Count => _spilled + _memory.Count;

    /// <summary>The last transaction before the tail that is fixed in its place.</summary>
    internal TransactionOrder Cut { get; private set; }

    /// <summary>The last transaction of all.</summary>
    internal TransactionOrder Last { get; private set; }

    internal void Append(AppliedTransaction entry)
    {
        Invariant.That(entry.Order > Last, $"{entry.Order} appended after {Last}");
        _memory.Add(entry);
        Last = entry.Order;
    }

    /// <summary>Removes and returns, in order, everything from a place on.</summary>
    internal List<AppliedTransaction> TakeFrom(TransactionOrder place)
    {
        if (place > Last)
        {
            return [];
        }

        Recall(place);
        int at = IndexOf(place);
        List<AppliedTransaction> taken = _memory.GetRange(at, _memory.Count - at);
        _memory.RemoveRange(at, taken.Count);
        Last = _memory.Count > 0 ? _memory[^1].Order : LastSpilled();
        return taken;
    }

    /// <summary>Everything from a place on, which stays.</summary>
    internal List<AppliedTransaction> From(TransactionOrder place)
    {
        Recall(place);
        int at = IndexOf(place);
        return _memory.GetRange(at, _memory.Count - at);
    }

    /// <summary>
    /// The last place up to a cut such that everything in the tail up to there is within some positions.
    /// </summary>
    internal TransactionOrder LastWithin(LogPositions positions, TransactionOrder cut)
    {
        TransactionOrder last = Cut;
        foreach (TransactionOrder order in Orders())
        {
            if (order > cut)
            {
                break;
            }

            if (order.Id.Seq > positions[order.Id.Log].TransactionSeq)
            {
                return last;
            }

            last = order;
        }

        return cut;
    }

    /// <summary>The last place before another.</summary>
    internal TransactionOrder LastBefore(TransactionOrder place)
    {
        TransactionOrder last = Cut;
        foreach (TransactionOrder order in Orders())
        {
            if (order >= place)
            {
                break;
            }

            last = order;
        }

        return last;
    }

    /// <summary>Drops everything up to a place.</summary>
    internal void CutAt(TransactionOrder cut)
    {
        if (cut <= Cut)
        {
            return;
        }

        Cut = cut;
        Last = cut > Last ? cut : Last;
        _cutDirty = true;
        int drop = 0;
        while (drop < _memory.Count && _memory[drop].Order <= cut)
        {
            if (_memory[drop].InTable)
            {
                _removed.Add(_memory[drop].Order);
            }

            drop++;
        }

        _memory.RemoveRange(0, drop);
        if (_spilled > 0)
        {
            DropSpilled(cut);
        }
    }

    /// <summary>Writes new entries and the cut into the table; keeps only the newest in memory.</summary>
    internal void Save()
    {
        Span<byte> key = stackalloc byte[KeySize];
        foreach (TransactionOrder order in _removed)
        {
            Key(key, order);
            _table.Put(key, null);
        }

        _removed.Clear();
        foreach (AppliedTransaction entry in _memory)
        {
            if (!entry.Saved)
            {
                Key(key, entry.Order);
                _table.Put(key, Encode(entry));
                entry.Saved = true;
                entry.InTable = true;
            }
        }

        if (_cutDirty)
        {
            byte[] cut = new byte[TransactionOrder.KeySize];
            Cut.CopyTo(cut);
            _table.Put([FoldKeys.Reserved, CutTag], cut);
            _cutDirty = false;
        }

        if (_memory.Count > MemoryMax)
        {
            int spill = _memory.Count - MemoryMax;
            _memory.RemoveRange(0, spill);
            _spilled += spill;
        }
    }

    /// <summary>The places of all entries, in order, without reading those that are only in the table.</summary>
    private IEnumerable<TransactionOrder> Orders()
    {
        if (_spilled > 0)
        {
            TableCursor cursor = Entries(default, _memory.Count > 0 ? _memory[0].Order : null);
            while (cursor.MoveNext())
            {
                TransactionOrder order = OrderOf(cursor.Key);
                if (!_removed.Contains(order))
                {
                    yield return order;
                }
            }
        }

        foreach (AppliedTransaction entry in _memory)
        {
            yield return entry.Order;
        }
    }

    private void Recall(TransactionOrder place)
    {
        if (_spilled == 0 || (_memory.Count > 0 && place >= _memory[0].Order))
        {
            return;
        }

        var recalled = new List<AppliedTransaction>();
        TableCursor cursor = Entries(place, _memory.Count > 0 ? _memory[0].Order : null);
        while (cursor.MoveNext())
        {
            recalled.Add(Decode(cursor.Key, cursor.Value));
        }

        _memory.InsertRange(0, recalled);
        _spilled -= recalled.Count;
    }

    private void DropSpilled(TransactionOrder cut)
    {
        var keys = new List<byte[]>();
        TableCursor cursor = Entries(default, _memory.Count > 0 ? _memory[0].Order : null);
        while (cursor.MoveNext() && OrderOf(cursor.Key) <= cut)
        {
            if (!_removed.Contains(OrderOf(cursor.Key)))
            {
                keys.Add(cursor.Key);
            }
        }

        foreach (byte[] key in keys)
        {
            _table.Put(key, null);
        }

        _spilled -= keys.Count;
    }

    private TransactionOrder LastSpilled()
    {
        TransactionOrder last = Cut;
        if (_spilled > 0)
        {
            int left = _spilled;
            TableCursor cursor = Entries(default, null);
            while (left-- > 0 && cursor.MoveNext())
            {
                last = OrderOf(cursor.Key);
            }
        }

        return last;
    }

    private int IndexOf(TransactionOrder place)
    {
        int low = 0;
        int high = _memory.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            (low, high) = _memory[middle].Order < place ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    private TableCursor Entries(TransactionOrder from, TransactionOrder? to)
    {
        Span<byte> first = stackalloc byte[KeySize];
        Key(first, from);
        if (to is not { } end)
        {
            return _table.Scan(first, [FoldKeys.Reserved, TailTag + 1]);
        }

        Span<byte> last = stackalloc byte[KeySize];
        Key(last, end);
        return _table.Scan(first, last);
    }

    private byte[] Encode(AppliedTransaction entry)
    {
        _inner.ResetWrittenCount();
        _outer.ResetWrittenCount();
        TransactionCodec.Encode(entry.Transaction, _inner);
        var writer = new WireWriter(_outer);
        writer.LengthPrefixed(_inner.WrittenSpan);
        writer.Count(entry.Undo.Length);
        foreach (PreImage image in entry.Undo)
        {
            writer.LengthPrefixed(image.Key);
            writer.Boolean(image.Before is not null);
            if (image.Before is not null)
            {
                writer.LengthPrefixed(image.Before);
            }
        }

        return _outer.WrittenSpan.ToArray();
    }

    private static AppliedTransaction Decode(byte[] key, byte[] value)
    {
        var reader = new WireReader(value);
        Result<Transaction, LogError> transaction = TransactionCodec.Decode(reader.LengthPrefixed());
        var images = new PreImage[reader.Count(2)];
        for (int i = 0; i < images.Length; i++)
        {
            images[i] = new PreImage(
                reader.LengthPrefixed().ToArray(), reader.Boolean() ? reader.LengthPrefixed().ToArray() : null);
        }

        Invariant.That(reader.Complete && transaction.IsOk, "a fold's tail record is damaged: rebuild the index");
        return new AppliedTransaction(transaction.Value, OrderOf(key)) { Undo = images, Saved = true, InTable = true };
    }

    private static void Key(Span<byte> key, TransactionOrder order)
    {
        key[0] = FoldKeys.Reserved;
        key[1] = TailTag;
        order.CopyTo(key[2..]);
    }

    private static TransactionOrder OrderOf(ReadOnlySpan<byte> key) => TransactionOrder.From(key[2..]);
}
