using System.Buffers;
using Cairn.Core.Primitives;

namespace Cairn.Core.Membership;

/// <summary>What came of a message of the exchange.</summary>
/// <param name="Replies">To be sent back, in order; empty when nothing is left to say.</param>
/// <param name="Changed">Nodes whose records are new here.</param>
/// <param name="Refused">Records that did not verify or are of nobody the pool knows, for the log.</param>
public sealed record MapExchangeResult(
    IReadOnlyList<byte[]> Replies, IReadOnlyList<NodeId> Changed, IReadOnlyList<NodeRecordError> Refused);

/// <summary>Brings two pool maps together in at most four messages: root, buckets, stamps, records.</summary>
/// <remarks>
/// Format: docs/formats/node-record.md, "Exchange". Stateless: each message is answered from the map alone, so lost,
/// doubled or crossing messages only cost a repetition. Equal maps cost 17 bytes. Nothing is trusted but signatures.
/// </remarks>
public static class MapExchange
{
    /// <summary>The format of the messages.</summary>
    public const byte Version = 1;

    private const int RecordsBytesMax = 256 * 1024;

    private enum Kind : byte
    {
        Root = 1,
        Buckets = 2,
        Stamps = 3,
        Records = 4,
    }

    /// <summary>The first message: the root of this map.</summary>
    public static byte[] Open(PoolMap map)
    {
        ArrayBufferWriter<byte> output = Start(Kind.Root, out WireWriter writer);
        writer.Bytes16(map.Root);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Records to push unasked: this node's own after a change, say.</summary>
    public static byte[] Push(IEnumerable<SignedNodeRecord> records)
    {
        ArrayBufferWriter<byte> output = Start(Kind.Records, out WireWriter writer);
        foreach (SignedNodeRecord record in records)
        {
            writer.LengthPrefixed(record.Bytes.Span);
        }

        return output.WrittenSpan.ToArray();
    }

    /// <summary>Answers a message from a peer; null when the bytes are not one.</summary>
    /// <param name="map">This node's map; verified records are merged into it.</param>
    /// <param name="message">What came.</param>
    /// <param name="isMember">Whose records are wanted: the members that the pool's log knows.</param>
    /// <param name="check">Verifies signatures.</param>
    public static MapExchangeResult? Answer(
        PoolMap map, ReadOnlySpan<byte> message, Func<NodeId, bool> isMember, SignatureCheck check)
    {
        WireReader reader = new(message);
        reader.Require(reader.Byte() == Version);
        Kind kind = (Kind)reader.Byte();
        List<byte[]> replies = [];
        List<NodeId> changed = [];
        List<NodeRecordError> refused = [];
        bool isRead = !reader.Failed && kind switch
        {
            Kind.Root => AnswerRoot(map, ref reader, replies),
            Kind.Buckets => AnswerBuckets(map, ref reader, replies),
            Kind.Stamps => AnswerStamps(map, ref reader, replies),
            Kind.Records => TakeRecords(map, ref reader, new Admission(isMember, check, changed, refused)),
            _ => false,
        };
        return isRead ? new MapExchangeResult(replies, changed, refused) : null;
    }

    private static bool AnswerRoot(PoolMap map, ref WireReader reader, List<byte[]> replies)
    {
        Bytes16 root = reader.Bytes16();
        if (reader.Complete && root != map.Root)
        {
            ArrayBufferWriter<byte> output = Start(Kind.Buckets, out WireWriter writer);
            for (int bucket = 0; bucket < PoolMap.BucketCount; bucket++)
            {
                writer.Bytes16(map.BucketDigest(bucket));
            }

            replies.Add(output.WrittenSpan.ToArray());
        }

        return reader.Complete;
    }

    private static bool AnswerBuckets(PoolMap map, ref WireReader reader, List<byte[]> replies)
    {
        List<int> differing = [];
        for (int bucket = 0; bucket < PoolMap.BucketCount; bucket++)
        {
            if (reader.Bytes16() != map.BucketDigest(bucket))
            {
                differing.Add(bucket);
            }
        }

        if (reader.Complete && differing.Count > 0)
        {
            replies.Add(Stamps(map, differing, isAnswer: false));
        }

        return reader.Complete;
    }

    /// <summary>Sends what the peer lacks; and the first time, its own stamps, for the peer to do the same.</summary>
    private static bool AnswerStamps(PoolMap map, ref WireReader reader, List<byte[]> replies)
    {
        bool isAnswer = reader.Boolean();
        List<int> buckets = [];
        int bucketCount = reader.Count();
        for (int i = 0; i < bucketCount && !reader.Failed; i++)
        {
            byte bucket = reader.Byte();
            reader.Require(buckets.Count == 0 || bucket > buckets[^1]);
            buckets.Add(bucket);
        }

        Dictionary<NodeId, ulong> theirs = [];
        int count = reader.Count(NodeId.Size + 1);
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            theirs[new NodeId(reader.Bytes32())] = reader.VarUInt();
        }

        if (!reader.Complete)
        {
            return false;
        }

        List<SignedNodeRecord> send = [];
        foreach (RecordStamp stamp in buckets.SelectMany(map.StampsIn))
        {
            // Equal counters may still hide different bytes, so those are sent, too; merging settles it.
            if ((!theirs.TryGetValue(stamp.Node, out ulong counter) || counter <= stamp.Counter)
                && map.TryGet(stamp.Node, out SignedNodeRecord? record))
            {
                send.Add(record);
            }
        }

        AddRecords(send, replies);
        if (!isAnswer)
        {
            replies.Add(Stamps(map, buckets, isAnswer: true));
        }

        return true;
    }

    private static bool TakeRecords(PoolMap map, ref WireReader reader, Admission admission)
    {
        while (!reader.Failed && reader.Remaining > 0)
        {
            ReadOnlySpan<byte> bytes = reader.LengthPrefixed(NodeRecordCodec.BytesMax);
            if (reader.Failed)
            {
                return false;
            }

            Result<SignedNodeRecord, NodeRecordError> decoded = NodeRecordCodec.Decode(bytes, admission.Check);
            if (!decoded.TryGet(out SignedNodeRecord? record, out NodeRecordError error))
            {
                admission.Refused.Add(error);
            }
            else if (admission.IsMember(record.Record.Node)
                && map.Merge(record) is MergeOutcome.Added or MergeOutcome.Updated)
            {
                admission.Changed.Add(record.Record.Node);
            }
        }

        return reader.Complete;
    }

    private static void AddRecords(List<SignedNodeRecord> records, List<byte[]> replies)
    {
        int start = 0;
        int bytes = 0;
        for (int i = 0; i <= records.Count; i++)
        {
            bool isEnd = i == records.Count;
            if (i > start && (isEnd || bytes + records[i].Bytes.Length > RecordsBytesMax))
            {
                replies.Add(Push(records.GetRange(start, i - start)));
                (start, bytes) = (i, 0);
            }

            bytes += isEnd ? 0 : records[i].Bytes.Length;
        }
    }

    private static byte[] Stamps(PoolMap map, List<int> buckets, bool isAnswer)
    {
        ArrayBufferWriter<byte> output = Start(Kind.Stamps, out WireWriter writer);
        writer.Boolean(isAnswer);
        writer.Count(buckets.Count);
        foreach (int bucket in buckets)
        {
            writer.Byte((byte)bucket);
        }

        List<RecordStamp> stamps = [.. buckets.SelectMany(map.StampsIn)];
        writer.Count(stamps.Count);
        foreach (RecordStamp stamp in stamps)
        {
            writer.Bytes32(stamp.Node.Value);
            writer.VarUInt(stamp.Counter);
        }

        return output.WrittenSpan.ToArray();
    }

    private static ArrayBufferWriter<byte> Start(Kind kind, out WireWriter writer)
    {
        ArrayBufferWriter<byte> output = new(64);
        writer = new WireWriter(output);
        writer.Byte(Version);
        writer.Byte((byte)kind);
        return output;
    }

    private readonly record struct Admission(
        Func<NodeId, bool> IsMember, SignatureCheck Check, List<NodeId> Changed, List<NodeRecordError> Refused);
}
