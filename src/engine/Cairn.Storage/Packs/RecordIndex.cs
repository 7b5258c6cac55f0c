using Cairn.Core.Primitives;
using Cairn.Core.Repair;

namespace Cairn.Storage.Packs;

/// <summary>The records of a store with the sums that follow from them: bytes by use, bytes by pack, digests by partition.</summary>
/// <remarks>
/// Guarded by the store's gate. Invariant: every sum equals what walking the table would give.
/// A digest covers staged and replicated records: what a node answers for. Cached ones come and go unannounced.
/// </remarks>
internal sealed class RecordIndex
{
    private readonly RecordTable _table = new();
    private readonly PartitionDigest[] _digests = new PartitionDigest[PartitionId.Count];
    private long _digestChanges;
    private readonly long[] _bytes = new long[(int)ChunkUse.Staged + 1];
    private readonly List<int> _collected = [];
    private uint _clock;

    /// <summary>The table.</summary>
    public RecordTable Table => _table;

    /// <summary>Bytes of the records of one use.</summary>
    public long BytesOf(ChunkUse use) => _bytes[(int)use];

    /// <summary>Bytes of the cached records that are pinned.</summary>
    public long PinnedBytes { get; private set; }

    /// <summary>Whether the whole cache stays for now.</summary>
    public bool HoldsCache { get; set; }

    /// <summary>Bytes that yield when owed copies want the space.</summary>
    public long YieldingBytes => HoldsCache ? 0 : BytesOf(ChunkUse.Cached) - PinnedBytes;

    /// <summary>Whether a record is given up when space is wanted.</summary>
    public bool Yields(in RecordEntry entry) => entry.Use == ChunkUse.Cached && !entry.IsPinned && !HoldsCache;

    /// <summary>Pins a record, or unpins it.</summary>
    public void SetPinned(int index, bool isPinned)
    {
        ref RecordEntry entry = ref _table[index];
        Count(entry, -1);
        entry.IsPinned = isPinned;
        Count(entry, 1);
    }

    /// <summary>Grows with each change of a digest. Any thread.</summary>
    public long DigestChanges => Volatile.Read(ref _digestChanges);

    /// <summary>What the node answers for in a partition.</summary>
    public PartitionDigest DigestOf(PartitionId partition) => _digests[partition.Value];

    /// <summary>Adds a record that is not there.</summary>
    public void Add(RecordKey key, ChunkUse use, Pack pack, int offset, int length)
    {
        int index = _table.Add(key, use);
        ref RecordEntry entry = ref _table[index];
        entry.Pack = pack.Slot;
        entry.OffsetUnits = (uint)(offset / PackFormat.Alignment);
        entry.Length = length;
        entry.LastUse = ++_clock;
        pack.LiveBytes += entry.RecordBytes;
        Count(entry, 1);
    }

    /// <summary>Takes a record out.</summary>
    public void Remove(int index, Pack pack)
    {
        ref RecordEntry entry = ref _table[index];
        pack.LiveBytes -= entry.RecordBytes;
        Count(entry, -1);
        _table.RemoveAt(index);
    }

    /// <summary>Gives a record another use.</summary>
    public void SetUse(int index, ChunkUse use)
    {
        ref RecordEntry entry = ref _table[index];
        Count(entry, -1);
        entry.Use = use;
        Count(entry, 1);
    }

    /// <summary>Puts a record elsewhere.</summary>
    public void Move(int index, Pack from, Pack to, int offset)
    {
        ref RecordEntry entry = ref _table[index];
        from.LiveBytes -= entry.RecordBytes;
        to.LiveBytes += entry.RecordBytes;
        entry.Pack = to.Slot;
        entry.OffsetUnits = (uint)(offset / PackFormat.Alignment);
    }

    /// <summary>Notes that a record was read.</summary>
    public void Touch(ref RecordEntry entry) => entry.LastUse = ++_clock;

    /// <summary>The records of a partition, in the order of their keys.</summary>
    public List<StoredRecord> Enumerate(PartitionId partition)
    {
        _collected.Clear();
        _table.Collect(partition, _collected);
        List<StoredRecord> records = new(_collected.Count);
        foreach (int index in _collected)
        {
            records.Add(Record(_table[index]));
        }

        records.Sort(static (a, b) => a.Key.CompareTo(b.Key));
        return records;
    }

    /// <summary>All records of one use, in the order of their keys. Walks the whole table.</summary>
    public List<StoredRecord> Enumerate(ChunkUse use)
    {
        List<StoredRecord> records = [];
        for (int index = 0; index < _table.IndexEnd; index++)
        {
            if (_table.IsUsed(index) && _table[index].Use == use)
            {
                records.Add(Record(_table[index]));
            }
        }

        records.Sort(static (a, b) => a.Key.CompareTo(b.Key));
        return records;
    }

    private static StoredRecord Record(in RecordEntry entry) => new(entry.Key, entry.Length, entry.Use);

    private void Count(in RecordEntry entry, int sign)
    {
        _bytes[(int)entry.Use] += sign * (long)entry.RecordBytes;
        PinnedBytes += entry is { Use: ChunkUse.Cached, IsPinned: true } ? sign * (long)entry.RecordBytes : 0;
        if (entry.Use is ChunkUse.Cached || entry.Key.Kind == RecordKind.Private)
        {
            return;
        }

        ref PartitionDigest digest = ref _digests[entry.Partition.Value];
        digest = sign > 0 ? digest.Add(entry.Key) : digest.Remove(entry.Key);
        Volatile.Write(ref _digestChanges, _digestChanges + 1);
    }
}
