using System.Buffers.Binary;
using Cairn.Core.Primitives;

namespace Cairn.Core.Repair;

/// <summary>A set of record keys in 128 bits and a count, whatever the order they came in.</summary>
/// <remarks>
/// Normative: docs/formats/holdings.md. The digest is the sum, modulo 2^128, of a fixed hash of every key, so adding
/// and removing cost the same few multiplications however many records there are. Addresses are hashes already; the
/// mixing only keeps kinds, indices and sums apart. It finds differences between members who trust each other; what is
/// behind a key is always checked against its address.
/// </remarks>
/// <param name="Sum">The sum of the hashes.</param>
/// <param name="Count">How many records.</param>
public readonly record struct PartitionDigest(UInt128 Sum, uint Count)
{
    /// <summary>Bytes of the encoding.</summary>
    public const int Size = 20;

    /// <summary>No records.</summary>
    public static PartitionDigest Empty => default;

    /// <summary>Whether it stands for no records.</summary>
    public bool IsEmpty => Count == 0;

    /// <summary>With one record more. Adding a key twice is the caller's bug and gives another digest.</summary>
    public PartitionDigest Add(RecordKey key) => new(unchecked(Sum + Hash(key)), Count + 1);

    /// <summary>With one record less.</summary>
    public PartitionDigest Remove(RecordKey key)
    {
        Invariant.That(Count > 0, $"removing {key.Address} from an empty digest");
        return new(unchecked(Sum - Hash(key)), Count - 1);
    }

    /// <summary>The union of two disjoint sets.</summary>
    public PartitionDigest Combine(PartitionDigest other) => new(unchecked(Sum + other.Sum), Count + other.Count);

    /// <summary>The digest of a whole set.</summary>
    public static PartitionDigest Of(IEnumerable<RecordKey> keys) =>
        keys.Aggregate(Empty, (digest, key) => digest.Add(key));

    /// <summary>Writes sum and count.</summary>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt128LittleEndian(destination, Sum);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[16..], Count);
    }

    /// <summary>Reads what <see cref="CopyTo"/> wrote: every 20 bytes are some digest.</summary>
    public static PartitionDigest Read(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt128LittleEndian(bytes), BinaryPrimitives.ReadUInt32LittleEndian(bytes[16..]));

    /// <summary>The hash of one key.</summary>
    public static UInt128 Hash(RecordKey key)
    {
        Span<byte> address = stackalloc byte[ChunkAddress.Size];
        key.Address.Value.CopyTo(address);
        ulong tag = ((ulong)key.Kind << 8) | key.Index | ((ulong)key.Partition.Value << 16);
        ulong high = Mix(BinaryPrimitives.ReadUInt64LittleEndian(address) + (tag * 0x9E3779B97F4A7C15))
            ^ BinaryPrimitives.ReadUInt64LittleEndian(address[8..]);
        ulong low = Mix(BinaryPrimitives.ReadUInt64LittleEndian(address[16..]) + (tag * 0xD1B54A32D192ED03))
            ^ BinaryPrimitives.ReadUInt64LittleEndian(address[24..]);
        return new UInt128(Mix(high), Mix(low ^ high));
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
