using Cairn.Core.Primitives;

namespace Cairn.Core.Fold;

/// <summary>
/// Records in key order: blocks of up to 256, found by binary search. Insertion moves at most one block's references.
/// </summary>
/// <remarks>
/// What comes is filed when the order is asked for: a fold writes many records and seldom walks over them, and filing many
/// at once, sorted, stays within the processor's caches.
/// </remarks>
internal sealed class SortedRecords
{
    private const int BlockRecordsMax = 256;

    private const int DroppedMax = 256;

    private readonly List<Block> _blocks = [];
    private readonly List<TableRecord> _unfiled = [];

    /// <summary>Records that left before they were filed.</summary>
    private int _dropped;

    private sealed class Block
    {
        internal readonly TableRecord[] Records = new TableRecord[BlockRecordsMax];
        internal int Count;
    }

    /// <summary>Grows with every insertion or removal, so that a cursor knows when its place is void.</summary>
    internal uint Structure { get; private set; }

    internal void Insert(TableRecord record)
    {
        Structure++;
        _unfiled.Add(record);
    }

    /// <summary>Takes out a record that has no value any more.</summary>
    internal void Remove(TableRecord record)
    {
        Structure++;
        if (record.IsFiled)
        {
            Unfile(record.Key);
        }
        else if (++_dropped > Math.Max(DroppedMax, _unfiled.Count / 2))
        {
            _unfiled.RemoveAll(static unfiled => unfiled.Value is null);
            _dropped = 0;
        }
    }

    /// <summary>All records in order, those that have a value.</summary>
    internal IEnumerable<TableRecord> All()
    {
        FileAll();
        return _blocks.SelectMany(static block => block.Records.Take(block.Count));
    }

    /// <summary>The place of the first record at or after a key.</summary>
    internal (int Block, int Index) Seek(ReadOnlySpan<byte> key)
    {
        FileAll();
        if (_blocks.Count == 0)
        {
            return (0, 0);
        }

        int at = BlockFor(key);
        int index = IndexIn(_blocks[at], key);
        return index < _blocks[at].Count ? (at, index) : (at + 1, 0);
    }

    /// <summary>The record at a place, or null at the end; a place past its block is carried to the next.</summary>
    internal TableRecord? At(ref (int Block, int Index) place)
    {
        if (place.Block < _blocks.Count && place.Index >= _blocks[place.Block].Count)
        {
            place = (place.Block + 1, 0);
        }

        return place.Block < _blocks.Count ? _blocks[place.Block].Records[place.Index] : null;
    }

    private void FileAll()
    {
        if (_unfiled.Count == 0)
        {
            return;
        }

        _unfiled.Sort(static (a, b) => a.Key.AsSpan().SequenceCompareTo(b.Key));
        foreach (TableRecord record in _unfiled)
        {
            if (record.Value is not null)
            {
                File(record);
            }
        }

        _unfiled.Clear();
        _dropped = 0;
    }

    private void File(TableRecord record)
    {
        record.IsFiled = true;
        if (_blocks.Count == 0)
        {
            _blocks.Add(new Block());
        }

        int at = BlockFor(record.Key);
        Block block = _blocks[at];
        int index = IndexIn(block, record.Key);
        if (block.Count == BlockRecordsMax)
        {
            // A full last block that grows at its end stays full: keys that come in order fill blocks completely.
            bool append = at == _blocks.Count - 1 && index == block.Count;
            int keep = append ? BlockRecordsMax : BlockRecordsMax / 2;
            var next = new Block { Count = BlockRecordsMax - keep };
            Array.Copy(block.Records, keep, next.Records, 0, next.Count);
            Array.Clear(block.Records, keep, next.Count);
            block.Count = keep;
            _blocks.Insert(at + 1, next);
            if (index > keep || append)
            {
                (block, index) = (next, index - keep);
            }
        }

        Array.Copy(block.Records, index, block.Records, index + 1, block.Count - index);
        block.Records[index] = record;
        block.Count++;
    }

    private void Unfile(ReadOnlySpan<byte> key)
    {
        int at = BlockFor(key);
        Block block = _blocks[at];
        int index = IndexIn(block, key);
        Invariant.That(index < block.Count && key.SequenceEqual(block.Records[index].Key),
            "removing a key that is not there");
        block.Count--;
        Array.Copy(block.Records, index + 1, block.Records, index, block.Count - index);
        block.Records[block.Count] = null!;
        if (block.Count == 0)
        {
            _blocks.RemoveAt(at);
        }
    }

    private int BlockFor(ReadOnlySpan<byte> key)
    {
        int low = 0;
        int high = _blocks.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) >>> 1;
            if (key.SequenceCompareTo(_blocks[middle].Records[0].Key) < 0)
            {
                high = middle - 1;
            }
            else
            {
                low = middle;
            }
        }

        return low;
    }

    private static int IndexIn(Block block, ReadOnlySpan<byte> key)
    {
        int low = 0;
        int high = block.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (key.SequenceCompareTo(block.Records[middle].Key) > 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
