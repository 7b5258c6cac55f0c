using System.Buffers;
using System.Diagnostics;
using Cairn.Core.Presence;
using Cairn.Core.Primitives;

namespace Cairn.Core.Protocol;

/// <summary>Messages to bytes and back.</summary>
/// <remarks>
/// Every malformed input is a typed error; none makes it allocate more than its length. A chunk's bytes are not copied:
/// they are the frame's second part. Format: docs/formats/peer-protocol.md.
/// </remarks>
public static class PeerMessageCodec
{
    /// <summary>The most records or blocks in one message.</summary>
    public const int BlobsMax = 16 << 10;

    private delegate T ReadItem<T>(ref WireReader reader);

    /// <summary>What a Hello begins with, so that a stranger's protocol is recognised at once.</summary>
    private static ReadOnlySpan<byte> Magic => "cairn"u8;

    /// <summary>Writes a message whole.</summary>
    public static void Encode(PeerMessage message, IBufferWriter<byte> output)
    {
        WireWriter writer = new(output);
        writer.Byte((byte)message.Tag);
        switch (message)
        {
            case Hello hello:
                writer.Raw(Magic);
                writer.UInt16(hello.VersionMin);
                writer.UInt16(hello.VersionMax);
                writer.Byte((byte)hello.Purpose);
                writer.Bytes16(hello.Pool.Value);
                writer.LengthPrefixed(hello.Record.Span);
                break;
            case Goodbye goodbye:
                writer.Byte((byte)goodbye.Reason);
                break;
            case JoinRequest join:
                writer.Bytes16(join.InviteTag);
                writer.Bytes32(join.Proof);
                break;
            case RecoverRequest recover:
                writer.LengthPrefixed(recover.RecoveryKey.Span);
                writer.LengthPrefixed(recover.Signature.Span);
                break;
            case JoinAccept accept:
                EncodeAccept(writer, accept);
                break;
            case MapRoot root:
                writer.Bytes16(root.Root);
                break;
            case MapBuckets buckets:
                WriteDigests(writer, buckets.Digests);
                break;
            case MapRecords records:
                WriteBlobs(writer, records.Records);
                break;
            case LogPositionsMessage positions:
                writer.Bytes16(positions.Volume.Value);
                writer.LengthPrefixed(positions.Positions.Span);
                break;
            case LogBlocks blocks:
                writer.Bytes16(blocks.Volume.Value);
                WriteBlobs(writer, blocks.Blocks);
                break;
            case LogBegins begins:
                writer.Bytes16(begins.Volume.Value);
                WriteBlobs(writer, begins.Blocks);
                break;
            case OpenFilesMessage open:
                writer.Bytes16(open.Volume.Value);
                WriteList(writer, open.Files, static (output, file) => output.Bytes16(file.Value));
                break;
            case NumberedMessage numbered:
                writer.VarUInt(numbered.Request);
                EncodeNumbered(writer, numbered);
                break;
            default:
                Invariant.Fail($"a message without an encoding: {message.Tag}");
                break;
        }
    }

    /// <summary>Writes the head of a <see cref="ChunkPut"/>; the chunks' bytes follow, one after the other.</summary>
    public static void EncodePutHead(
        ulong request, ReadOnlySpan<ChunkAddress> addresses, ReadOnlySpan<int> lengths, IBufferWriter<byte> output)
    {
        bool isMatched = addresses.Length == lengths.Length && addresses.Length <= ChunkPut.CountMax;
        Invariant.That(isMatched, "a put of mismatched parts");
        WireWriter writer = new(output);
        writer.Byte((byte)MessageTag.ChunkPut);
        writer.VarUInt(request);
        writer.Count(addresses.Length);
        for (int i = 0; i < addresses.Length; i++)
        {
            writer.Bytes32(addresses[i].Value);
            writer.VarUInt((ulong)lengths[i]);
        }
    }

    /// <summary>Writes the head of a <see cref="ChunkData"/>; the stored bytes follow.</summary>
    public static void EncodeDataHead(ulong request, ChunkOutcome outcome, IBufferWriter<byte> output)
    {
        WireWriter writer = new(output);
        writer.Byte((byte)MessageTag.ChunkData);
        writer.VarUInt(request);
        writer.Byte((byte)outcome);
    }

    /// <summary>Reads a frame.</summary>
    public static Result<PeerMessage, ProtocolError> Decode(ReadOnlyMemory<byte> frame)
    {
        if (frame.IsEmpty)
        {
            return new ProtocolError(ProtocolErrorKind.Empty, 0);
        }

        byte tag = frame.Span[0];
        WireReader reader = new(frame.Span[1..]);
        PeerMessage? message = (MessageTag)tag switch
        {
            MessageTag.Hello => ReadHello(ref reader, frame),
            MessageTag.Goodbye => new Goodbye((GoodbyeReason)ReadEnum(ref reader, (byte)GoodbyeReason.CannotGrant)),
            MessageTag.JoinRequest => new JoinRequest(reader.Bytes16(), reader.Bytes32()),
            MessageTag.RecoverRequest =>
                new RecoverRequest(ReadBlob(ref reader, frame, 512), ReadBlob(ref reader, frame, 64)),
            MessageTag.JoinAccept => ReadAccept(ref reader, frame),
            MessageTag.MapRoot => new MapRoot(reader.Bytes16()),
            MessageTag.MapBuckets => new MapBuckets(ReadDigests(ref reader)),
            MessageTag.MapRecords => new MapRecords(ReadBlobs(ref reader, frame, MapRecords.RecordBytesMax)),
            MessageTag.LogPositions =>
                new LogPositionsMessage(new VolumeId(reader.Bytes16()), ReadBlob(ref reader, frame, int.MaxValue)),
            MessageTag.LogBlocks =>
                new LogBlocks(new VolumeId(reader.Bytes16()), ReadBlobs(ref reader, frame, int.MaxValue)),
            MessageTag.LogBegins =>
                new LogBegins(new VolumeId(reader.Bytes16()), ReadBlobs(ref reader, frame, int.MaxValue)),
            MessageTag.OpenFiles => new OpenFilesMessage(new VolumeId(reader.Bytes16()), ReadFiles(ref reader)),
            MessageTag.ChunkPut or MessageTag.ChunkPutReply or MessageTag.ChunkGet or MessageTag.ChunkData
                or MessageTag.HoldingAsk or MessageTag.HoldingReply or MessageTag.DigestAsk or MessageTag.DigestReply
                or MessageTag.PartitionAsk or MessageTag.PartitionReply or MessageTag.DropAsk or MessageTag.DropReply
                or MessageTag.TableAsk or MessageTag.TableReply or MessageTag.CheckpointAsk
                or MessageTag.Ping or MessageTag.Pong => ReadNumbered(ref reader, (MessageTag)tag, frame),
            _ => null,
        };

        return message is null ? new ProtocolError(ProtocolErrorKind.UnknownTag, tag)
            : reader.Complete ? message
            : new ProtocolError(ProtocolErrorKind.Malformed, tag);
    }

    private static void EncodeAccept(WireWriter writer, JoinAccept accept)
    {
        writer.Bytes32(accept.Proof);
        writer.Bytes16(accept.Pool.Value);
        writer.LengthPrefixed(accept.FounderKey.Span);
        writer.LengthPrefixed(accept.Keyring.Span);
        WriteBlobs(writer, accept.Records);
    }

    private static void EncodeNumbered(WireWriter writer, NumberedMessage message)
    {
        switch (message)
        {
            case ChunkPut put:
                EncodePut(writer, put);
                break;
            case ChunkPutReply reply:
                WriteOutcomes(writer, reply.Outcomes);
                break;
            case ChunkGet get:
                writer.Bytes32(get.Address.Value);
                break;
            case ChunkData data:
                writer.Byte((byte)data.Outcome);
                writer.Raw(data.Stored.Span);
                break;
            case HoldingAsk ask:
                WriteAddresses(writer, ask.Addresses);
                break;
            case HoldingReply reply:
                WriteOutcomes(writer, reply.Outcomes);
                break;
            case DropAsk ask:
                writer.Bytes16(ask.Nonce);
                WriteAddresses(writer, ask.Addresses);
                break;
            case DropReply reply:
                WriteProofs(writer, reply.Proofs);
                break;
            case DigestAsk ask:
                writer.Bytes32(ask.Root);
                break;
            case DigestReply reply:
                writer.LengthPrefixed(reply.Reports.Span);
                break;
            case PartitionAsk ask:
                writer.UInt16(ask.Partition.Value);
                writer.Bytes32(ask.After.Value);
                break;
            case PartitionReply reply:
                writer.Boolean(reply.HasMore);
                WriteAddresses(writer, reply.Addresses);
                break;
            case TableAsk ask:
                writer.Bytes16(ask.Volume.Value);
                writer.VarUInt(ask.View);
                writer.LengthPrefixed(ask.After.Span);
                break;
            case CheckpointAsk ask:
                writer.Bytes16(ask.Volume.Value);
                writer.Bytes32(ask.Hash);
                writer.LengthPrefixed(ask.After.Span);
                break;
            case TableReply reply:
                writer.VarUInt(reply.View);
                writer.Boolean(reply.IsEnd);
                WriteList(writer, reply.Records, static (output, record) =>
                {
                    output.LengthPrefixed(record.Key.Span);
                    output.LengthPrefixed(record.Value.Span);
                });
                break;
            case Ping or Pong:
                break;
            default:
                Invariant.Fail($"a message without an encoding: {message.Tag}");
                break;
        }
    }

    private static NumberedMessage ReadNumbered(ref WireReader reader, MessageTag tag, ReadOnlyMemory<byte> frame)
    {
        ulong request = reader.VarUInt();
        return tag switch
        {
            MessageTag.ChunkPut => ReadPut(ref reader, request, frame),
            MessageTag.ChunkPutReply => new ChunkPutReply(request, ReadOutcomes(ref reader)),
            MessageTag.ChunkGet => new ChunkGet(request, new ChunkAddress(reader.Bytes32())),
            MessageTag.ChunkData => ReadData(ref reader, request, frame),
            MessageTag.HoldingAsk => new HoldingAsk(request, ReadAddresses(ref reader, HoldingAsk.CountMax)),
            MessageTag.HoldingReply => new HoldingReply(request, ReadOutcomes(ref reader)),
            MessageTag.DropAsk =>
                new DropAsk(request, reader.Bytes16(), ReadAddresses(ref reader, HoldingAsk.CountMax)),
            MessageTag.DropReply => new DropReply(request, ReadProofs(ref reader)),
            MessageTag.DigestAsk => new DigestAsk(request, reader.Bytes32()),
            MessageTag.DigestReply => new DigestReply(request, ReadBlob(ref reader, frame, 1 << 20)),
            MessageTag.PartitionAsk =>
                new PartitionAsk(request, ReadPartition(ref reader), new ChunkAddress(reader.Bytes32())),
            MessageTag.PartitionReply => ReadPartitionReply(ref reader, request),
            MessageTag.TableAsk => new TableAsk(
                request, new VolumeId(reader.Bytes16()), reader.VarUInt(),
                ReadBlob(ref reader, frame, TableRecordBytes.KeyBytesMax)),
            MessageTag.CheckpointAsk => new CheckpointAsk(
                request, new VolumeId(reader.Bytes16()), reader.Bytes32(),
                ReadBlob(ref reader, frame, TableRecordBytes.KeyBytesMax)),
            MessageTag.TableReply => ReadTable(ref reader, request, frame),
            MessageTag.Ping => new Ping(request),
            MessageTag.Pong => new Pong(request),
            MessageTag.Hello or MessageTag.Goodbye or MessageTag.JoinRequest or MessageTag.JoinAccept
                or MessageTag.RecoverRequest or MessageTag.MapRoot or MessageTag.MapBuckets or MessageTag.MapRecords
                or MessageTag.LogPositions or MessageTag.LogBlocks or MessageTag.LogBegins
                or MessageTag.OpenFiles => throw new UnreachableException(),
            _ => throw new UnreachableException(),
        };
    }

    private static void EncodePut(WireWriter writer, ChunkPut put)
    {
        writer.Count(put.Chunks.Count);
        foreach (OfferedChunk chunk in put.Chunks)
        {
            writer.Bytes32(chunk.Address.Value);
            writer.VarUInt((ulong)chunk.Stored.Length);
        }

        foreach (OfferedChunk chunk in put.Chunks)
        {
            writer.Raw(chunk.Stored.Span);
        }
    }

    private static ChunkPut ReadPut(ref WireReader reader, ulong request, ReadOnlyMemory<byte> frame)
    {
        int count = reader.Count(ChunkAddress.Size + 1);
        reader.Require(count is > 0 and <= ChunkPut.CountMax);
        (ChunkAddress Address, ulong Length)[] heads = new (ChunkAddress, ulong)[reader.Failed ? 0 : count];
        for (int i = 0; i < heads.Length; i++)
        {
            heads[i] = (new ChunkAddress(reader.Bytes32()), reader.VarUInt());
        }

        OfferedChunk[] chunks = new OfferedChunk[heads.Length];
        for (int i = 0; i < heads.Length; i++)
        {
            reader.Require(heads[i].Length is > 0 and <= int.MaxValue);
            int length = (int)Math.Min(heads[i].Length, int.MaxValue);
            chunks[i] = new OfferedChunk(heads[i].Address, Take(ref reader, frame, length));
        }

        return new ChunkPut(request, chunks);
    }

    private static ChunkData ReadData(ref WireReader reader, ulong request, ReadOnlyMemory<byte> frame)
    {
        ChunkOutcome outcome = (ChunkOutcome)ReadEnum(ref reader, (byte)ChunkOutcome.Dropping);
        return new ChunkData(request, outcome, Take(ref reader, frame, reader.Remaining));
    }

    private static PartitionReply ReadPartitionReply(ref WireReader reader, ulong request)
    {
        bool hasMore = reader.Boolean();
        return new PartitionReply(request, ReadAddresses(ref reader, PartitionReply.CountMax), hasMore);
    }

    private static TableReply ReadTable(ref WireReader reader, ulong request, ReadOnlyMemory<byte> frame)
    {
        ulong view = reader.VarUInt();
        bool isEnd = reader.Boolean();
        int count = reader.Count(2);
        reader.Require(count <= TableReply.CountMax);
        var records = new TableRecordBytes[reader.Failed ? 0 : count];
        for (int i = 0; i < records.Length && !reader.Failed; i++)
        {
            records[i] = new TableRecordBytes(
                ReadBlob(ref reader, frame, TableRecordBytes.KeyBytesMax), ReadBlob(ref reader, frame, int.MaxValue));
        }

        return new TableReply(request, view, records, isEnd);
    }

    private static Hello ReadHello(ref WireReader reader, ReadOnlyMemory<byte> frame)
    {
        reader.Require(reader.Raw(Magic.Length).SequenceEqual(Magic));
        ushort min = reader.UInt16();
        ushort max = reader.UInt16();
        HelloPurpose purpose = (HelloPurpose)ReadEnum(ref reader, (byte)HelloPurpose.Join);
        PoolId pool = new(reader.Bytes16());
        return new Hello(min, max, purpose, pool, ReadBlob(ref reader, frame, MapRecords.RecordBytesMax));
    }

    private static JoinAccept ReadAccept(ref WireReader reader, ReadOnlyMemory<byte> frame)
    {
        Bytes32 proof = reader.Bytes32();
        PoolId pool = new(reader.Bytes16());
        ReadOnlyMemory<byte> founder = ReadBlob(ref reader, frame, 512);
        ReadOnlyMemory<byte> keyring = ReadBlob(ref reader, frame, 1 << 20);
        return new JoinAccept(proof, pool, founder, keyring, ReadBlobs(ref reader, frame, MapRecords.RecordBytesMax));
    }

    private static byte ReadEnum(ref WireReader reader, byte last)
    {
        byte value = reader.Byte();
        reader.Require(value <= last);
        return reader.Failed ? (byte)0 : value;
    }

    private static PartitionId ReadPartition(ref WireReader reader)
    {
        ushort value = reader.UInt16();
        reader.Require(value < PartitionId.Count);
        return new PartitionId(reader.Failed ? (ushort)0 : value);
    }

    private static void WriteList<T>(WireWriter writer, IReadOnlyList<T> items, Action<WireWriter, T> write)
    {
        writer.Count(items.Count);
        foreach (T item in items)
        {
            write(writer, item);
        }
    }

    /// <summary>Reads a list of items of at least a known size; the count is believed only as far as the bytes go.</summary>
    private static T[] ReadList<T>(ref WireReader reader, int itemBytesMin, int countMax, ReadItem<T> read)
    {
        int count = reader.Count(itemBytesMin);
        reader.Require(count <= countMax);
        T[] items = new T[reader.Failed ? 0 : count];
        for (int i = 0; i < items.Length && !reader.Failed; i++)
        {
            items[i] = read(ref reader);
        }

        return items;
    }

    private static void WriteDigests(WireWriter writer, IReadOnlyList<Bytes16> digests) =>
        WriteList(writer, digests, static (output, digest) => output.Bytes16(digest));

    private static Bytes16[] ReadDigests(ref WireReader reader)
    {
        Bytes16[] digests = ReadList(
            ref reader, Bytes16.Size, MapBuckets.BucketCount, static (ref WireReader input) => input.Bytes16());
        reader.Require(digests.Length == MapBuckets.BucketCount);
        return digests;
    }

    private static ObjectId[] ReadFiles(ref WireReader reader) => ReadList(
        ref reader, ObjectId.Size, OpenFilesTold.FilesMax,
        static (ref WireReader input) => new ObjectId(input.Bytes16()));

    private static void WriteProofs(WireWriter writer, IReadOnlyList<Bytes32> proofs) =>
        WriteList(writer, proofs, static (output, proof) => output.Bytes32(proof));

    private static Bytes32[] ReadProofs(ref WireReader reader) => ReadList(
        ref reader, Bytes32.Size, HoldingAsk.CountMax, static (ref WireReader input) => input.Bytes32());

    private static void WriteAddresses(WireWriter writer, IReadOnlyList<ChunkAddress> addresses) =>
        WriteList(writer, addresses, static (output, address) => output.Bytes32(address.Value));

    private static ChunkAddress[] ReadAddresses(ref WireReader reader, int countMax) => ReadList(
        ref reader, ChunkAddress.Size, countMax, static (ref WireReader input) => new ChunkAddress(input.Bytes32()));

    private static void WriteOutcomes(WireWriter writer, IReadOnlyList<ChunkOutcome> outcomes) =>
        WriteList(writer, outcomes, static (output, outcome) => output.Byte((byte)outcome));

    private static ChunkOutcome[] ReadOutcomes(ref WireReader reader) => ReadList(
        ref reader, 1, HoldingAsk.CountMax, static (ref WireReader input) =>
            (ChunkOutcome)ReadEnum(ref input, (byte)ChunkOutcome.Dropping));

    private static void WriteBlobs(WireWriter writer, IReadOnlyList<ReadOnlyMemory<byte>> blobs) =>
        WriteList(writer, blobs, static (output, blob) => output.LengthPrefixed(blob.Span));

    private static ReadOnlyMemory<byte>[] ReadBlobs(ref WireReader reader, ReadOnlyMemory<byte> frame, int lengthMax)
    {
        int count = reader.Count();
        reader.Require(count <= BlobsMax);
        ReadOnlyMemory<byte>[] blobs = new ReadOnlyMemory<byte>[reader.Failed ? 0 : count];
        for (int i = 0; i < blobs.Length && !reader.Failed; i++)
        {
            blobs[i] = ReadBlob(ref reader, frame, lengthMax);
        }

        return blobs;
    }

    private static ReadOnlyMemory<byte> ReadBlob(ref WireReader reader, ReadOnlyMemory<byte> frame, int lengthMax)
    {
        int length = reader.LengthPrefixed(lengthMax).Length;
        return reader.Failed ? default : frame.Slice(frame.Length - reader.Remaining - length, length);
    }

    private static ReadOnlyMemory<byte> Take(ref WireReader reader, ReadOnlyMemory<byte> frame, int length)
    {
        int start = frame.Length - reader.Remaining;
        reader.Raw(length);
        return reader.Failed ? default : frame.Slice(start, length);
    }
}
