using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Fold;

/// <summary>
/// The applied transactions that may still have to be undone, in order: the newest in memory, all but the very newest
/// in blocks in the table.
/// </summary>
internal sealed class FoldTail
{
    private const byte CutTag = (byte)'C';

    /// <summary>One record a transaction: what earlier programs wrote.</summary>
    private const byte SingleTag = (byte)'T';

    private const int MemoryMax = 4096;

    private readonly ITreeTable _table;

    /// <summary>What is in the table, in order; of the first a part may be cut.</summary>
    private readonly List<TailBlock> _blocks;

    /// <summary>What is not in the table yet; all of it after the blocks.</summary>
    private readonly List<AppliedTransaction> _fresh = [];

    /// <summary>Blocks whose records the table still has.</summary>
    private readonly List<TailBlock> _gone = [];

    private readonly List<byte[]> _singles = [];
    private bool _cutDirty;

    internal FoldTail(ITreeTable table)
    {
        _table = table;
        Cut = CutIn(table) ?? default;

        _blocks = TailBlock.Load(table);
        if (_blocks.Count > 0)
        {
            _blocks[0].CutAt(table, Cut);
        }

        TableCursor cursor = table.Scan([FoldKeys.Reserved, SingleTag], [FoldKeys.Reserved, SingleTag + 1]);
        while (cursor.MoveNext())
        {
            _singles.Add(cursor.Key);
            var reader = new WireReader(cursor.Value);
            _fresh.Add(TailBlock.DecodeEntry(ref reader, TransactionOrder.From(cursor.Key.AsSpan(2)).Depth));
            Invariant.That(reader.Complete, TailBlock.Damaged().Message);
        }

        FindLast();
    }

    /// <summary>Where the history of a table is cut; null if nothing says so.</summary>
    internal static TransactionOrder? CutIn(ITableSource table) =>
        table.Get([FoldKeys.Reserved, CutTag]) is { } cut ? TransactionOrder.From(cut) : null;

    /// <summary>Says in a table where its history is cut.</summary>
    internal static void Start(ITreeTable table, TransactionOrder cut)
    {
        byte[] bytes = new byte[TransactionOrder.KeySize];
        cut.CopyTo(bytes);
        table.Put([FoldKeys.Reserved, CutTag], bytes);
    }

    internal int Count => _fresh.Count + _blocks.Sum(block => block.Count);

    /// <summary>How many are not in the table.</summary>
    internal int UnsavedCount => _fresh.Count;

    /// <summary>The last transaction before the tail that is fixed in its place.</summary>
    internal TransactionOrder Cut { get; private set; }

    /// <summary>The last transaction of all.</summary>
    internal TransactionOrder Last { get; private set; }

    internal void Append(AppliedTransaction entry)
    {
        Invariant.That(entry.Order > Last, $"{entry.Order} appended after {Last}");
        _fresh.Add(entry);
        Last = entry.Order;
    }

    /// <summary>Removes and returns, in order, everything from a place on.</summary>
    internal List<AppliedTransaction> TakeFrom(TransactionOrder place)
    {
        if (place > Last)
        {
            return [];
        }

        int first = BlockOf(place);
        List<AppliedTransaction> taken = From(place);
        List<AppliedTransaction> kept = first < _blocks.Count
            ? [.. _blocks[first].Entries(_table, Cut).TakeWhile(entry => entry.Order < place)]
            : _fresh.GetRange(0, _fresh.Count - taken.Count);
        _gone.AddRange(_blocks.GetRange(first, _blocks.Count - first));
        _blocks.RemoveRange(first, _blocks.Count - first);
        _fresh.Clear();
        _fresh.AddRange(kept);
        FindLast();
        return taken;
    }

    /// <summary>Everything from a place on, which stays.</summary>
    internal List<AppliedTransaction> From(TransactionOrder place)
    {
        var found = new List<AppliedTransaction>();
        for (int i = BlockOf(place); i < _blocks.Count; i++)
        {
            found.AddRange(_blocks[i].Entries(_table, Cut));
        }

        found.AddRange(_fresh);
        found.RemoveRange(0, IndexOf(found, place));
        return found;
    }

    /// <summary>The newest, in order: so many, or some more; those that are not in memory are read only if they must be.</summary>
    internal List<AppliedTransaction> Newest(int count, out bool isAll)
    {
        int inMemory = Math.Min(count, _fresh.Count);
        int block = _blocks.Count;
        for (int have = inMemory; block > 0 && have < count; block--)
        {
            have += _blocks[block - 1].Count;
        }

        isAll = block == 0 && inMemory == _fresh.Count;
        var found = new List<AppliedTransaction>();
        for (; block < _blocks.Count; block++)
        {
            found.AddRange(_blocks[block].Entries(_table, Cut));
        }

        found.AddRange(_fresh.GetRange(_fresh.Count - inMemory, inMemory));
        return found;
    }

    /// <summary>
    /// The last place up to a cut such that everything in the tail up to there is within some positions.
    /// </summary>
    internal TransactionOrder LastWithin(LogPositions positions, TransactionOrder cut)
    {
        TransactionOrder last = Cut;
        IReadOnlyList<AppliedTransaction> rest = _fresh;
        foreach (TailBlock block in _blocks)
        {
            if (block.Last > cut || !block.IsWithin(positions))
            {
                rest = block.Entries(_table, Cut);
                break;
            }

            last = block.Last;
        }

        foreach (AppliedTransaction entry in rest)
        {
            if (entry.Order > cut)
            {
                break;
            }

            if (entry.Order.Id.Seq > positions[entry.Order.Id.Log].TransactionSeq)
            {
                return last;
            }

            last = entry.Order;
        }

        return cut;
    }

    /// <summary>The last place before another.</summary>
    internal TransactionOrder LastBefore(TransactionOrder place)
    {
        int block = BlockOf(place);
        IReadOnlyList<AppliedTransaction> around =
            block < _blocks.Count ? _blocks[block].Entries(_table, Cut) : _fresh;
        int at = IndexOf(around, place);
        return at > 0 ? around[at - 1].Order : block > 0 ? _blocks[block - 1].Last : Cut;
    }

    /// <summary>Drops everything up to a place.</summary>
    internal void CutAt(TransactionOrder cut)
    {
        if (cut <= Cut)
        {
            return;
        }

        Last = cut > Last ? cut : Last;
        _cutDirty = true;
        int gone = _blocks.FindIndex(block => block.Last > cut) is >= 0 and int first ? first : _blocks.Count;
        _gone.AddRange(_blocks.GetRange(0, gone));
        _blocks.RemoveRange(0, gone);
        if (_blocks.Count > 0)
        {
            _blocks[0].CutAt(_table, cut);
        }

        Cut = cut;
        int fixedCount = _fresh.FindIndex(entry => entry.Order > cut);
        _fresh.RemoveRange(0, fixedCount < 0 ? _fresh.Count : fixedCount);
    }

    /// <summary>Writes new entries and the cut into the table; keeps only the newest in memory.</summary>
    internal void Save()
    {
        // Small blocks are joined with what follows, each time with as much again: few are left, however often this is done.
        while (_fresh.Count > 0 && _blocks is [.., { IsFull: false } small] && small.Count <= 2 * _fresh.Count)
        {
            _fresh.InsertRange(0, small.Entries(_table, Cut));
            _gone.Add(small);
            _blocks.RemoveAt(_blocks.Count - 1);
        }

        _gone.ForEach(block => block.Remove(_table));
        _gone.Clear();
        _singles.ForEach(key => _table.Put(key, null));
        _singles.Clear();
        _blocks.AddRange(TailBlock.Write(_table, _fresh));
        _fresh.Clear();
        if (_cutDirty)
        {
            Start(_table, Cut);
            _cutDirty = false;
        }

        int loaded = 0;
        for (int i = _blocks.Count - 1; i >= 0; i--)
        {
            loaded += _blocks[i].LoadedCount;
            if (loaded > MemoryMax)
            {
                _blocks[i].Unload();
            }
        }
    }

    private void FindLast() =>
        Last = _fresh.Count > 0 ? _fresh[^1].Order : _blocks.Count > 0 ? _blocks[^1].Last : Cut;

    /// <summary>The first block that ends at or after a place; their number if there is none.</summary>
    private int BlockOf(TransactionOrder place)
    {
        int at = _blocks.Count;
        while (at > 0 && _blocks[at - 1].Last >= place)
        {
            at--;
        }

        return at;
    }

    private static int IndexOf(IReadOnlyList<AppliedTransaction> entries, TransactionOrder place)
    {
        int low = 0;
        int high = entries.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            (low, high) = entries[middle].Order < place ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}
