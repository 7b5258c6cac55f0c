using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Cairn.Core.Primitives;

namespace Cairn.Core.Fold.Tables;

/// <summary>
/// Records in key order: blocks of up to 256 numbers, found by binary search. Insertion moves at most one block's numbers.
/// </summary>
/// <remarks>
/// What comes is filed when the order is asked for: a fold writes many records and seldom walks over them, and filing many
/// at once, sorted, stays within the processor's caches.
/// </remarks>
internal sealed class SortedRecords(RecordList records)
{
    private const int BlockRecordsMax = 256;

    private const int DroppedMax = 256;

    private readonly List<Block> _blocks = [];
    private readonly List<Unfiled> _unfiled = [];

    /// <summary>Records that left before they were filed.</summary>
    private int _dropped;

    private sealed class Block
    {
        internal readonly int[] Records = new int[BlockRecordsMax];
        internal int Count;
    }

    /// <summary>A record with the first bytes of its key, which mostly tell two apart.</summary>
    private readonly record struct Unfiled(ulong Prefix, int Number);

    /// <summary>Grows with every insertion or removal, so that a cursor knows when its place is void.</summary>
    internal uint Structure { get; private set; }

    internal void Insert(int record)
    {
        Structure++;
        _unfiled.Add(new Unfiled(PrefixOf(records[record].Key.Span), record));
    }

    /// <summary>Takes out a record that has no value any more, and gives its number back.</summary>
    internal void Remove(int record)
    {
        Structure++;
        if (records[record].IsFiled)
        {
            Unfile(record);
            records.GiveBack(record);
        }
        else if (++_dropped > Math.Max(DroppedMax, _unfiled.Count / 2))
        {
            LeaveDropped();
        }
    }

    /// <summary>All records in order.</summary>
    internal IEnumerable<int> All()
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

    /// <summary>The record at a place, or -1 at the end; a place past its block is carried to the next.</summary>
    internal int At(ref (int Block, int Index) place)
    {
        if (place.Block < _blocks.Count && place.Index >= _blocks[place.Block].Count)
        {
            place = (place.Block + 1, 0);
        }

        return place.Block < _blocks.Count ? _blocks[place.Block].Records[place.Index] : -1;
    }

    private void FileAll()
    {
        if (_unfiled.Count == 0)
        {
            return;
        }

        LeaveDropped();
        CollectionsMarshal.AsSpan(_unfiled).Sort((a, b) => a.Prefix != b.Prefix
            ? a.Prefix.CompareTo(b.Prefix)
            : records[a.Number].Key.Span.SequenceCompareTo(records[b.Number].Key.Span));
        foreach (Unfiled unfiled in _unfiled)
        {
            File(unfiled.Number);
        }

        _unfiled.Clear();
    }

    private void LeaveDropped()
    {
        if (_dropped > 0)
        {
            _unfiled.RemoveAll(IsDropped);
            _dropped = 0;
        }
    }

    private bool IsDropped(Unfiled unfiled)
    {
        bool isDropped = records[unfiled.Number].Value.IsAbsent;
        if (isDropped)
        {
            records.GiveBack(unfiled.Number);
        }

        return isDropped;
    }

    private void File(int record)
    {
        records[record].IsFiled = true;
        ReadOnlySpan<byte> key = records[record].Key.Span;
        (int at, int index) = PlaceFor(key);
        Block block = _blocks[at];
        if (block.Count == BlockRecordsMax)
        {
            // A full last block that grows at its end stays full: keys that come in order fill blocks completely.
            bool append = at == _blocks.Count - 1 && index == block.Count;
            int keep = append ? BlockRecordsMax : BlockRecordsMax / 2;
            var next = new Block { Count = BlockRecordsMax - keep };
            Array.Copy(block.Records, keep, next.Records, 0, next.Count);
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

    /// <summary>Where a new key belongs: mostly behind the one that was filed before it, which is at the end at first.</summary>
    private (int Block, int Index) PlaceFor(ReadOnlySpan<byte> key)
    {
        if (_blocks.Count == 0)
        {
            _blocks.Add(new Block());
            return (0, 0);
        }

        Block last = _blocks[^1];
        if (KeyAt(last, last.Count - 1).SequenceCompareTo(key) < 0)
        {
            return (_blocks.Count - 1, last.Count);
        }

        int at = BlockFor(key);
        return (at, IndexIn(_blocks[at], key));
    }

    private void Unfile(int record)
    {
        ReadOnlySpan<byte> key = records[record].Key.Span;
        int at = BlockFor(key);
        Block block = _blocks[at];
        int index = IndexIn(block, key);
        Invariant.That(index < block.Count && block.Records[index] == record, "removing a key that is not there");
        block.Count--;
        Array.Copy(block.Records, index + 1, block.Records, index, block.Count - index);
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
            if (key.SequenceCompareTo(KeyAt(_blocks[middle], 0)) < 0)
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

    private int IndexIn(Block block, ReadOnlySpan<byte> key)
    {
        int low = 0;
        int high = block.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (key.SequenceCompareTo(KeyAt(block, middle)) > 0)
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

    private ReadOnlySpan<byte> KeyAt(Block block, int index) => records[block.Records[index]].Key.Span;

    /// <summary>The first eight bytes of a key as a number that sorts like them; what a shorter key has not is zero.</summary>
    private static ulong PrefixOf(ReadOnlySpan<byte> key)
    {
        Span<byte> first = stackalloc byte[sizeof(ulong)];
        first.Clear();
        key[..Math.Min(key.Length, first.Length)].CopyTo(first);
        return BinaryPrimitives.ReadUInt64BigEndian(first);
    }
}
