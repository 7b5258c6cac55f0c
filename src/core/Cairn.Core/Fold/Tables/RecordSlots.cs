namespace Cairn.Core.Fold.Tables;

/// <summary>Finds records by key: open addressing with linear probing, at most two thirds full.</summary>
/// <remarks>A slot has the whole hash, so that a look at another record's bytes is almost never in vain.</remarks>
internal sealed class RecordSlots(RecordList records)
{
    private Slot[] _slots = new Slot[64];
    private int _count;

    /// <param name="Hash">Of the key.</param>
    /// <param name="Number">The record's and one; 0 if the slot is free.</param>
    private readonly record struct Slot(uint Hash, int Number);

    /// <summary>The number of the record with a key, or -1.</summary>
    /// <param name="key">The key.</param>
    /// <param name="hash">Its hash.</param>
    /// <param name="slot">Where it is, or has to be put.</param>
    internal int Find(ReadOnlySpan<byte> key, uint hash, out int slot)
    {
        Slot[] slots = _slots;
        int mask = slots.Length - 1;
        slot = (int)(hash & (uint)mask);
        while (slots[slot] is { Number: > 0 } found)
        {
            if (found.Hash == hash && key.SequenceEqual(records[found.Number - 1].Key.Span))
            {
                return found.Number - 1;
            }

            slot = (slot + 1) & mask;
        }

        return -1;
    }

    /// <summary>Puts a record into the free slot that <see cref="Find"/> gave.</summary>
    internal void Fill(int slot, uint hash, int number)
    {
        _slots[slot] = new Slot(hash, number + 1);
        if (++_count * 3 > _slots.Length * 2)
        {
            Grow();
        }
    }

    /// <summary>Frees a slot; those that were put behind it because of it move up.</summary>
    internal void Vacate(int slot)
    {
        int mask = _slots.Length - 1;
        int hole = slot;
        for (int next = (hole + 1) & mask; _slots[next] is { Number: > 0 } moved; next = (next + 1) & mask)
        {
            int home = (int)(moved.Hash & (uint)mask);
            if (((next - home) & mask) >= ((next - hole) & mask))
            {
                _slots[hole] = moved;
                hole = next;
            }
        }

        _slots[hole] = default;
        _count--;
    }

    private void Grow()
    {
        Slot[] old = _slots;
        _slots = new Slot[old.Length * 2];
        int mask = _slots.Length - 1;
        foreach (Slot moved in old)
        {
            if (moved.Number == 0)
            {
                continue;
            }

            int slot = (int)(moved.Hash & (uint)mask);
            while (_slots[slot].Number > 0)
            {
                slot = (slot + 1) & mask;
            }

            _slots[slot] = moved;
        }
    }
}
