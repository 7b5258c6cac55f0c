namespace Cairn.Core.Primitives;

/// <summary>What a stored record is: a whole replica, or one piece of an erasure-coded stripe.</summary>
public enum RecordKind : byte
{
    /// <summary>A whole replica of a chunk; its index is 0.</summary>
    Copy = 0,

    /// <summary>A shard of a stripe; its index is the shard's number.</summary>
    Shard = 1,

    /// <summary>The descriptor of a stripe, kept with its partition's holdings; its index is 0.</summary>
    StripeDescriptor = 2,

    /// <summary>A chunk that never leaves its node: nobody is told of it, placement does not know it; its index is 0.</summary>
    Private = 3,
}

/// <summary>The key of a record in a chunk store.</summary>
/// <param name="Partition">For a copy, the partition of its address; for a shard, that of its stripe.</param>
/// <param name="Address">The SHA-256 of the stored bytes (of the shard's bytes, for a shard).</param>
/// <param name="Kind">Copy, shard, stripe descriptor or private.</param>
/// <param name="Index">0 for a copy; the shard's number in its stripe otherwise.</param>
public readonly record struct RecordKey(PartitionId Partition, ChunkAddress Address, RecordKind Kind, byte Index)
    : IComparable<RecordKey>
{
    /// <summary>The key of a whole replica.</summary>
    public static RecordKey Copy(ChunkAddress address) => new(PartitionId.Of(address), address, RecordKind.Copy, 0);

    /// <summary>The key of a chunk that never leaves its node.</summary>
    public static RecordKey Private(ChunkAddress address) =>
        new(PartitionId.Of(address), address, RecordKind.Private, 0);

    /// <inheritdoc/>
    public int CompareTo(RecordKey other)
    {
        int order = Partition.CompareTo(other.Partition);
        order = order != 0 ? order : Address.CompareTo(other.Address);
        order = order != 0 ? order : Kind.CompareTo(other.Kind);
        return order != 0 ? order : Index.CompareTo(other.Index);
    }

    /// <summary>Before.</summary>
    public static bool operator <(RecordKey left, RecordKey right) => left.CompareTo(right) < 0;

    /// <summary>After.</summary>
    public static bool operator >(RecordKey left, RecordKey right) => left.CompareTo(right) > 0;

    /// <summary>Before or equal.</summary>
    public static bool operator <=(RecordKey left, RecordKey right) => left.CompareTo(right) <= 0;

    /// <summary>After or equal.</summary>
    public static bool operator >=(RecordKey left, RecordKey right) => left.CompareTo(right) >= 0;
}
