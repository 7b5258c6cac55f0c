namespace Cairn.Core.Primitives;

/// <summary>One of the 2^k slots that addresses fall into; the unit of placement.</summary>
/// <param name="Value">0 up to, not including, <see cref="Count"/>.</param>
public readonly record struct PartitionId(ushort Value) : IComparable<PartitionId>
{
    /// <summary>log2 of the number of partitions; part of every record key, so it never changes.</summary>
    public const int Bits = 12;

    /// <summary>How many partitions there are in a pool.</summary>
    public const int Count = 1 << Bits;

    /// <summary>The partition of an address: its first <see cref="Bits"/> bits.</summary>
    public static PartitionId Of(ChunkAddress address) => new((ushort)(address.Value.Prefix >> (64 - Bits)));

    /// <inheritdoc/>
    public int CompareTo(PartitionId other) => Value.CompareTo(other.Value);

    /// <summary>Before.</summary>
    public static bool operator <(PartitionId left, PartitionId right) => left.Value < right.Value;

    /// <summary>After.</summary>
    public static bool operator >(PartitionId left, PartitionId right) => left.Value > right.Value;

    /// <summary>Before or equal.</summary>
    public static bool operator <=(PartitionId left, PartitionId right) => left.Value <= right.Value;

    /// <summary>After or equal.</summary>
    public static bool operator >=(PartitionId left, PartitionId right) => left.Value >= right.Value;
}
