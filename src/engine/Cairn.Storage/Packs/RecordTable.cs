using System.Numerics;
using Cairn.Core.Primitives;

namespace Cairn.Storage.Packs;

/// <summary>Where a record is: 52 bytes, held by value.</summary>
internal struct RecordEntry
{
    /// <summary>The address.</summary>
    public Bytes32 Address;

    /// <summary>The pack's slot.</summary>
    public int Pack;

    /// <summary>The offset of the record's header, in units of 64 bytes.</summary>
    public uint OffsetUnits;

    /// <summary>Bytes stored.</summary>
    public int Length;

    /// <summary>When it was last read, in the store's own count: orders the cache.</summary>
    public uint LastUse;

    private uint _meta;

    /// <summary>The partition, kind and index of the key, and the use.</summary>
    public static uint Meta(RecordKey key, ChunkUse use) =>
        ((uint)key.Partition.Value << 16) | ((uint)key.Index << 8) | ((uint)key.Kind << 4) | (uint)use;

    /// <summary>The key.</summary>
    public readonly RecordKey Key => new(
        Partition, new ChunkAddress(Address), (RecordKind)((_meta >> 4) & 0xF), (byte)(_meta >> 8));

    /// <summary>The partition.</summary>
    public readonly PartitionId Partition => new((ushort)(_meta >> 16));

    /// <summary>Why it is kept.</summary>
    public ChunkUse Use
    {
        readonly get => (ChunkUse)(_meta & 0x7);
        set => _meta = (_meta & ~0x7u) | (uint)value;
    }

    /// <summary>Whether it stays in the cache when space is wanted. Known in memory only.</summary>
    public bool IsPinned
    {
        readonly get => (_meta & 0x8) != 0;
        set => _meta = value ? _meta | 0x8 : _meta & ~0x8u;
    }

    /// <summary>The offset of the record's header in its pack.</summary>
    public readonly long Offset => (long)OffsetUnits * PackFormat.Alignment;

    /// <summary>Its place on disk.</summary>
    public readonly int RecordBytes => PackFormat.RecordBytes(Length);

    /// <summary>Sets key and use.</summary>
    public void Set(RecordKey key, ChunkUse use)
    {
        Address = key.Address.Value;
        _meta = Meta(key, use);
    }

    /// <summary>Whether it is the entry of this key.</summary>
    public readonly bool Is(RecordKey key) =>
        Address == key.Address.Value && (_meta & ~0xFu) == (Meta(key, 0) & ~0xFu);
}

/// <summary>The index of the chunk store: open addressing over entries that lie in pages, at most 64 bytes a record.</summary>
/// <remarks>
/// Buckets are ordered by partition, so that the records of one partition are found without looking at others.
/// Guarded by the store's lock. Lookup, addition and removal are O(1); no allocation but for growth.
/// </remarks>
internal sealed class RecordTable
{
    private const int PageBits = 10;
    private const int PageSize = 1 << PageBits;
    private const int SmallestBits = 10;

    private readonly List<RecordEntry[]> _pages = [];
    private int[] _buckets = new int[1 << SmallestBits];
    private int _bits = SmallestBits;
    private int _used;
    private int _firstFree = -1;

    /// <summary>How many records there are.</summary>
    public int Count { get; private set; }

    /// <summary>One more than the highest index an entry can have: for walking all.</summary>
    public int IndexEnd => _used;

    /// <summary>The entry at an index that <see cref="Find"/> or <see cref="Add"/> returned.</summary>
    public ref RecordEntry this[int index] => ref _pages[index >> PageBits][index & (PageSize - 1)];

    /// <summary>Whether an index holds a record (it was not removed).</summary>
    public bool IsUsed(int index) => this[index].Length >= 0;

    /// <summary>The index of a key's entry, or -1.</summary>
    public int Find(RecordKey key)
    {
        int mask = _buckets.Length - 1;
        for (int bucket = BucketOf(Hash(key)); ; bucket = (bucket + 1) & mask)
        {
            int index = _buckets[bucket] - 1;
            if (index < 0 || this[index].Is(key))
            {
                return index;
            }
        }
    }

    /// <summary>Adds a key that is not there, and returns its index; the caller fills in the place.</summary>
    public int Add(RecordKey key, ChunkUse use)
    {
        if ((Count + 1) * 10L > _buckets.Length * 7L)
        {
            Grow();
        }

        int index = TakeIndex();
        ref RecordEntry entry = ref this[index];
        entry = default;
        entry.Set(key, use);
        Insert(index);
        Count++;
        return index;
    }

    /// <summary>Removes an entry. Other indexes stay valid.</summary>
    public void RemoveAt(int index)
    {
        int mask = _buckets.Length - 1;
        int hole = BucketOf(Hash(this[index].Key));
        while (_buckets[hole] != index + 1)
        {
            hole = (hole + 1) & mask;
        }

        // Entries behind the hole move up, so that no search ends too early.
        for (int bucket = (hole + 1) & mask; _buckets[bucket] != 0; bucket = (bucket + 1) & mask)
        {
            int home = BucketOf(Hash(this[_buckets[bucket] - 1].Key));
            if (((bucket - home) & mask) >= ((bucket - hole) & mask))
            {
                _buckets[hole] = _buckets[bucket];
                hole = bucket;
            }
        }

        _buckets[hole] = 0;
        this[index].Length = -1;
        this[index].Pack = _firstFree;
        _firstFree = index;
        Count--;
    }

    /// <summary>Appends the indexes of a partition's records, in no order that means anything.</summary>
    public void Collect(PartitionId partition, List<int> indexes)
    {
        int mask = _buckets.Length - 1;
        int last = BucketOf(((uint)partition.Value << 20) | 0xFFFFF);
        int bucket = BucketOf((uint)partition.Value << 20);
        for (bool isPast = false; !isPast || _buckets[bucket] != 0; bucket = (bucket + 1) & mask)
        {
            int index = _buckets[bucket] - 1;
            if (index >= 0 && this[index].Partition == partition)
            {
                indexes.Add(index);
            }

            isPast |= bucket == last;
        }
    }

    private static uint Hash(RecordKey key) =>
        ((uint)key.Partition.Value << 20) | (uint)(key.Address.Value.Suffix & 0xFFFFF);

    private int BucketOf(uint hash) => (int)(hash >> (32 - _bits));

    private void Insert(int index)
    {
        int mask = _buckets.Length - 1;
        int bucket = BucketOf(Hash(this[index].Key));
        while (_buckets[bucket] != 0)
        {
            bucket = (bucket + 1) & mask;
        }

        _buckets[bucket] = index + 1;
    }

    private int TakeIndex()
    {
        if (_firstFree >= 0)
        {
            int free = _firstFree;
            _firstFree = this[free].Pack;
            return free;
        }

        if (_used == _pages.Count * PageSize)
        {
            _pages.Add(new RecordEntry[PageSize]);
        }

        return _used++;
    }

    private void Grow()
    {
        _bits = BitOperations.Log2((uint)_buckets.Length) + 1;
        _buckets = new int[1 << _bits];
        for (int index = 0; index < _used; index++)
        {
            if (IsUsed(index))
            {
                Insert(index);
            }
        }
    }
}
