using Cairn.Core.Primitives;

namespace Cairn.Core.Fold;

/// <summary>
/// Records in key order: blocks of up to 256, found by binary search. Insertion moves at most one block's references.
/// </summary>
internal sealed class SortedRecords
{
    private const int BlockRecordsMax = 256;

    private readonly List<Block> _blocks = [];

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

    internal void Remove(ReadOnlySpan<byte> key)
    {
        Structure++;
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

    /// <summary>The place of the first record at or after a key.</summary>
    internal (int Block, int Index) Seek(ReadOnlySpan<byte> key)
    {
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
