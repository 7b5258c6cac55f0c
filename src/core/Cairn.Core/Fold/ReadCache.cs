namespace Cairn.Core.Fold;

/// <summary>What a source said last, by key: a direct-mapped cache that is emptied when it grows too large.</summary>
internal sealed class ReadCache(long bytesMax)
{
    private const int Slots = 1 << 16;
    private const int OverheadBytes = 96;

    private TableRecord?[] _slots = [];
    private long _bytes;

    internal byte[]? Get(ReadOnlySpan<byte> key)
    {
        if (_slots.Length == 0)
        {
            return null;
        }

        uint hash = TableKey.Hash(key);
        TableRecord? record = _slots[hash & (Slots - 1)];
        return record is not null && record.Hash == hash && key.SequenceEqual(record.Key) ? record.Value : null;
    }

    internal void Put(ReadOnlySpan<byte> key, byte[] value)
    {
        int size = key.Length + value.Length + OverheadBytes;
        if (size > bytesMax)
        {
            return;
        }

        if (_slots.Length == 0 || _bytes + size > bytesMax)
        {
            _slots = new TableRecord?[Slots];
            _bytes = 0;
        }

        uint hash = TableKey.Hash(key);
        ref TableRecord? slot = ref _slots[hash & (Slots - 1)];
        if (slot is not null)
        {
            _bytes -= slot.Key.Length + slot.Value!.Length + OverheadBytes;
        }

        slot = new TableRecord(key.ToArray(), hash, value);
        _bytes += size;
    }
}
