using System.Numerics;

namespace Cairn.Core.Fold;

/// <summary>What a source said last, by key: a direct-mapped cache that stays below a number of bytes.</summary>
internal sealed class ReadCache
{
    private const int OverheadBytes = 96;
    private const int BytesPerSlot = 256;

    /// <summary>A larger record would push too many others out.</summary>
    private const int RecordBytesMax = 16 << 10;

    private readonly long _bytesMax;
    private readonly TableRecord?[] _slots;
    private long _bytes;
    private int _hand;

    internal ReadCache(long bytesMax)
    {
        _bytesMax = bytesMax;
        long slots = Math.Clamp(bytesMax / BytesPerSlot, 1, 1 << 20);
        _slots = bytesMax <= 0 ? [] : new TableRecord?[BitOperations.RoundUpToPowerOf2((ulong)slots)];
    }

    /// <summary>Whether more would push something out.</summary>
    internal bool IsFull => _bytes + BytesPerSlot > _bytesMax;

    internal byte[]? Get(ReadOnlySpan<byte> key, uint hash)
    {
        if (_slots.Length == 0)
        {
            return null;
        }

        TableRecord? record = _slots[hash & (uint)(_slots.Length - 1)];
        return record is not null && record.Hash == hash && key.SequenceEqual(record.Key) ? record.Value : null;
    }

    internal void Put(TableRecord record)
    {
        int size = record.Key.Length + record.Value!.Length + OverheadBytes;
        if (size > Math.Min(_bytesMax, RecordBytesMax))
        {
            Forget(record);
            return;
        }

        int slot = (int)(record.Hash & (uint)(_slots.Length - 1));
        Drop(slot);
        while (_bytes + size > _bytesMax)
        {
            _hand = (_hand + 1) & (_slots.Length - 1);
            Drop(_hand);
        }

        _slots[slot] = record;
        _bytes += size;
    }

    /// <summary>What it said before about this key is not true any more.</summary>
    private void Forget(TableRecord record)
    {
        if (Get(record.Key, record.Hash) is not null)
        {
            Drop((int)(record.Hash & (uint)(_slots.Length - 1)));
        }
    }

    private void Drop(int slot)
    {
        if (_slots[slot] is { } record)
        {
            _bytes -= record.Key.Length + record.Value!.Length + OverheadBytes;
            _slots[slot] = null;
        }
    }
}
