using System.Buffers;
using System.Collections.Immutable;
using Cairn.Core.Primitives;

namespace Cairn.Core.Membership;

/// <summary>Why the bytes of a node record were refused.</summary>
public enum NodeRecordError
{
    /// <summary>
    /// The bytes are not a node record: damaged in transit or not ours. Asking another node may help.
    /// </summary>
    Malformed,

    /// <summary>A newer program wrote it in a format this one does not know. Upgrading helps.</summary>
    NewerFormat,

    /// <summary>The node id is not the hash of the key inside: whoever sent it made it up.</summary>
    WrongKey,

    /// <summary>The signature does not verify: whoever sent it changed it.</summary>
    BadSignature,
}

/// <summary>The bytes of a node record: docs/formats/node-record.md.</summary>
public static class NodeRecordCodec
{
    /// <summary>The format written, and the newest one read.</summary>
    public const byte Version = 2;

    /// <summary>
    /// The largest encoding, signature included: fits a datagram's worth of stream and bounds a map of 10,000.
    /// </summary>
    public const int BytesMax = 12 * 1024;

    private static ReadOnlySpan<byte> Domain => "cairn node record\0"u8;

    /// <summary>The bytes to be signed: the domain string, then the body.</summary>
    public static byte[] BytesToSign(NodeRecord record)
    {
        ArrayBufferWriter<byte> output = new(512);
        output.Write(Domain);
        WriteBody(new WireWriter(output), record);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Joins a record and the signature over <see cref="BytesToSign"/>.</summary>
    public static SignedNodeRecord Seal(NodeRecord record, ReadOnlySpan<byte> signature)
    {
        Invariant.That(signature.Length == Signatures.Size, $"a signature of {signature.Length} bytes");
        ArrayBufferWriter<byte> output = new(512);
        WriteBody(new WireWriter(output), record);
        output.Write(signature);
        return new SignedNodeRecord(record, output.WrittenSpan.ToArray());
    }

    /// <summary>Whose record some bytes claim to be. Nothing is checked.</summary>
    public static bool TryReadNode(ReadOnlySpan<byte> bytes, out NodeId node)
    {
        WireReader reader = new(bytes);
        _ = reader.Byte();
        node = new NodeId(reader.Bytes32());
        return !reader.Failed;
    }

    /// <summary>Decodes and verifies bytes from anywhere.</summary>
    public static Result<SignedNodeRecord, NodeRecordError> Decode(ReadOnlySpan<byte> bytes, SignatureCheck check)
    {
        if (bytes.Length is <= Signatures.Size or > BytesMax)
        {
            return NodeRecordError.Malformed;
        }

        if (bytes[0] > Version)
        {
            return NodeRecordError.NewerFormat;
        }

        ReadOnlySpan<byte> body = bytes[..^Signatures.Size];
        WireReader reader = new(body);
        NodeRecord record = ReadBody(ref reader);
        if (!reader.Complete || record.FindProblem() is not null)
        {
            return NodeRecordError.Malformed;
        }

        if (Signatures.NodeOf(record.PublicKey.AsSpan()) != record.Node)
        {
            return NodeRecordError.WrongKey;
        }

        byte[] signed = [.. Domain, .. body];
        return check(record.PublicKey.AsSpan(), signed, bytes[^Signatures.Size..])
            ? new SignedNodeRecord(record, bytes.ToArray())
            : NodeRecordError.BadSignature;
    }

    private static void WriteBody(WireWriter writer, NodeRecord record)
    {
        Invariant.That(record.FindProblem() is null, $"an invalid node record: {record.FindProblem()}");
        writer.Byte(Version);
        writer.Bytes32(record.Node.Value);
        writer.LengthPrefixed(record.PublicKey.AsSpan());
        writer.VarUInt(record.Counter);
        writer.Byte((byte)record.State);
        WireText.Write(writer, record.Name, NodeRecord.TextBytesMax);
        writer.VarUInt((ulong)record.CapacityBytes);
        writer.VarUInt((ulong)record.UsedBytes);
        writer.Boolean(record.IsFull);
        WireText.Write(writer, record.Zone, NodeRecord.TextBytesMax);
        writer.Count(record.Tags.Length);
        foreach (string tag in record.Tags)
        {
            WireText.Write(writer, tag, NodeRecord.TextBytesMax);
        }

        writer.Count(record.Addresses.Length);
        foreach (NodeAddress address in record.Addresses)
        {
            WireText.Write(writer, address.Host, NodeAddress.HostBytesMax);
            writer.UInt16(address.Port);
        }

        writer.UInt16(record.ProtocolMin);
        writer.UInt16(record.ProtocolMax);
        WireText.Write(writer, record.Program, NodeRecord.TextBytesMax);
        writer.Int64(record.Claimed.UnixNanoseconds);
        writer.VarUInt((ulong)record.OwedChunks);
    }

    private static NodeRecord ReadBody(ref WireReader reader)
    {
        byte version = reader.Byte();
        reader.Require(version is 1 or Version);
        NodeId node = new(reader.Bytes32());
        ImmutableArray<byte> key = [.. reader.LengthPrefixed(512)];
        ulong counter = reader.VarUInt();
        byte state = reader.Byte();
        reader.Require(state <= (byte)NodeState.Gone);
        string name = WireText.Read(ref reader, NodeRecord.TextBytesMax);
        ulong capacity = reader.VarUInt();
        ulong used = reader.VarUInt();
        reader.Require(capacity <= long.MaxValue && used <= long.MaxValue);
        bool isFull = reader.Boolean();
        string zone = WireText.Read(ref reader, NodeRecord.TextBytesMax);
        return new NodeRecord
        {
            Node = node,
            PublicKey = key,
            Counter = counter,
            State = (NodeState)state,
            Name = name,
            CapacityBytes = (long)capacity,
            UsedBytes = (long)used,
            IsFull = isFull,
            Zone = zone,
            Tags = ReadTags(ref reader),
            Addresses = ReadAddresses(ref reader),
            ProtocolMin = reader.UInt16(),
            ProtocolMax = reader.UInt16(),
            Program = WireText.Read(ref reader, NodeRecord.TextBytesMax),
            Claimed = new WallTime(reader.Int64()),
            OwedChunks = version >= 2 ? ReadCount(ref reader) : 0,
        };
    }

    private static long ReadCount(ref WireReader reader)
    {
        ulong count = reader.VarUInt();
        reader.Require(count <= long.MaxValue);
        return (long)count;
    }

    private static ImmutableArray<string> ReadTags(ref WireReader reader)
    {
        int count = reader.Count();
        reader.Require(count <= NodeRecord.TagsMax);
        ImmutableArray<string>.Builder tags = ImmutableArray.CreateBuilder<string>();
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            tags.Add(WireText.Read(ref reader, NodeRecord.TextBytesMax));
        }

        return tags.ToImmutable();
    }

    private static ImmutableArray<NodeAddress> ReadAddresses(ref WireReader reader)
    {
        int count = reader.Count();
        reader.Require(count <= NodeRecord.AddressesMax);
        ImmutableArray<NodeAddress>.Builder addresses = ImmutableArray.CreateBuilder<NodeAddress>();
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            addresses.Add(new NodeAddress(WireText.Read(ref reader, NodeAddress.HostBytesMax), reader.UInt16()));
        }

        return addresses.ToImmutable();
    }
}
