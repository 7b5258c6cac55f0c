using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Cairn.Core.Primitives;

namespace Cairn.Core.Membership;

/// <summary>What became of a record offered to a <see cref="PoolMap"/>.</summary>
public enum MergeOutcome
{
    /// <summary>The node was not in the map.</summary>
    Added,

    /// <summary>It replaced an older record.</summary>
    Updated,

    /// <summary>The map had exactly this record.</summary>
    Same,

    /// <summary>The map has a newer one, which the sender should get.</summary>
    Older,
}

/// <summary>The merged set of signed node records: the same on every node once all records have met.</summary>
/// <remarks>
/// Merging is commutative, associative and idempotent: the higher counter wins; at equal counters (a node restored from
/// a backup signed two) the greater bytes win, so that all nodes settle on one.
/// The map holds whoever signed a record; whether that node is a member is <see cref="PoolState"/>'s to say.
/// Thread: driver only.
/// </remarks>
public sealed class PoolMap
{
    /// <summary>Buckets of the two-level digest: by the first byte of the node id.</summary>
    public const int BucketCount = 256;

    private readonly SortedDictionary<NodeId, SignedNodeRecord> _records = [];
    private readonly UInt128[] _buckets = new UInt128[BucketCount];

    /// <summary>How many nodes the map knows.</summary>
    public int Count => _records.Count;

    /// <summary>Every record, in the order of node ids.</summary>
    public IEnumerable<SignedNodeRecord> Records => _records.Values;

    /// <summary>Grows with every change; cheap to compare when deciding whether something derived is stale.</summary>
    public long Revision { get; private set; }

    /// <summary>Sixteen bytes that are equal exactly when two maps hold the same records.</summary>
    public Bytes16 Root
    {
        get
        {
            UInt128 sum = 0;
            foreach (UInt128 bucket in _buckets)
            {
                sum += bucket;
            }

            return ToBytes(sum);
        }
    }

    /// <summary>The record of a node.</summary>
    public bool TryGet(NodeId node, [NotNullWhen(true)] out SignedNodeRecord? record) =>
        _records.TryGetValue(node, out record);

    /// <summary>Whether exactly these bytes are here: then their signature was checked when they came.</summary>
    public bool Holds(ReadOnlySpan<byte> encoded) =>
        NodeRecordCodec.TryReadNode(encoded, out NodeId node)
        && _records.TryGetValue(node, out SignedNodeRecord? held) && held.Bytes.Span.SequenceEqual(encoded);

    /// <summary>Offers a verified record.</summary>
    public MergeOutcome Merge(SignedNodeRecord offered)
    {
        NodeId node = offered.Record.Node;
        if (!_records.TryGetValue(node, out SignedNodeRecord? held))
        {
            Replace(null, offered);
            return MergeOutcome.Added;
        }

        int order = offered.Record.Counter.CompareTo(held.Record.Counter);
        order = order != 0 ? order : offered.Bytes.Span.SequenceCompareTo(held.Bytes.Span);
        if (order > 0)
        {
            Replace(held, offered);
        }

        return order > 0 ? MergeOutcome.Updated : order == 0 ? MergeOutcome.Same : MergeOutcome.Older;
    }

    /// <summary>Forgets a node's record.</summary>
    public void Remove(NodeId node)
    {
        if (_records.Remove(node, out SignedNodeRecord? held))
        {
            _buckets[BucketOf(node)] -= Hash(held);
            Revision++;
        }
    }

    /// <summary>The digest of one bucket.</summary>
    public Bytes16 BucketDigest(int bucket) => ToBytes(_buckets[bucket]);

    /// <summary>The bucket a node falls in.</summary>
    public static int BucketOf(NodeId node) => (int)(node.Value.Prefix >> 56);

    private void Replace(SignedNodeRecord? held, SignedNodeRecord offered)
    {
        int bucket = BucketOf(offered.Record.Node);
        _buckets[bucket] += Hash(offered) - (held is null ? 0 : Hash(held));
        _records[offered.Record.Node] = offered;
        Revision++;
    }

    private static UInt128 Hash(SignedNodeRecord record)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(record.Bytes.Span, hash);
        return BinaryPrimitives.ReadUInt128BigEndian(hash);
    }

    private static Bytes16 ToBytes(UInt128 value)
    {
        Span<byte> bytes = stackalloc byte[Bytes16.Size];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, value);
        return new Bytes16(bytes);
    }
}
