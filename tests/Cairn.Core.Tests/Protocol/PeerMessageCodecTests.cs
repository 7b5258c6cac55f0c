using System.Buffers;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;

namespace Cairn.Core.Tests.Protocol;

public sealed class PeerMessageCodecTests
{
    private static readonly ChunkAddress One = new(Filled(1));
    private static readonly ChunkAddress Two = new(Filled(2));

    private static readonly PeerMessage[] Messages =
    [
        new Hello(1, 3, HelloPurpose.Join, new PoolId(Filled(3).AsSpan(0, 16)), Filled(4)),
        new Goodbye(GoodbyeReason.Revoked),
        new JoinRequest(new Bytes16(Filled(5).AsSpan(0, 16)), new Bytes32(Filled(6))),
        new RecoverRequest(Filled(7), new byte[64]),
        new JoinAccept(default, new PoolId(Filled(3).AsSpan(0, 16)), Filled(8), Filled(9), [Filled(10), Filled(11)]),
        new MapRoot(new Bytes16(Filled(5).AsSpan(0, 16))),
        new MapBuckets(new Bytes16[MapBuckets.BucketCount]),
        new MapRecords([Filled(1), Filled(2)]),
        new LogPositionsMessage(new VolumeId(Filled(3).AsSpan(0, 16)), Filled(4)),
        new LogBlocks(new VolumeId(Filled(3).AsSpan(0, 16)), [Filled(1), Array.Empty<byte>()]),
        new LogBegins(new VolumeId(Filled(3).AsSpan(0, 16)), [Filled(1), Filled(2)]),
        new OpenFilesMessage(new VolumeId(Filled(3).AsSpan(0, 16)), [new ObjectId(Filled(5).AsSpan(0, 16))]),
        new ChunkPut(300, [new OfferedChunk(One, Filled(1)), new OfferedChunk(Two, new byte[5])]),
        new ChunkPutReply(1, [ChunkOutcome.Held, ChunkOutcome.NoSpace]),
        new ChunkGet(2, One),
        new ChunkData(3, ChunkOutcome.Held, Filled(9)),
        new HoldingAsk(4, [One, Two]),
        new HoldingReply(5, [ChunkOutcome.Dropping]),
        new DigestAsk(6, new Bytes32(Filled(1))),
        new DigestReply(7, Filled(2)),
        new PartitionAsk(8, new PartitionId(4095), One),
        new PartitionReply(9, [One], true),
        new DropAsk(10, new Bytes16(Filled(5).AsSpan(0, 16)), [Two]),
        new DropReply(11, [new Bytes32(Filled(1))]),
        new TableAsk(14, new VolumeId(Filled(3).AsSpan(0, 16)), 2, Filled(6)),
        new TableReply(
            15, 2, [new TableRecordBytes(Filled(6), Filled(7)), new TableRecordBytes(Filled(8), default)], false),
        new CheckpointAsk(16, new VolumeId(Filled(3).AsSpan(0, 16)), new Bytes32(Filled(1)), Filled(6)),
        new Ping(12),
        new Pong(13),
    ];

    [Fact]
    public void Every_tag_has_an_example_and_every_example_comes_back()
    {
        List<MessageTag> seen = [];
        foreach (PeerMessage message in Messages)
        {
            byte[] bytes = Encode(message);
            Result<PeerMessage, ProtocolError> decoded = PeerMessageCodec.Decode(bytes);
            Assert.True(decoded.IsOk, $"{message.Tag}: {decoded}");
            Assert.Equal(bytes, Encode(decoded.Value));
            seen.Add(message.Tag);
        }

        Assert.Equal(Enum.GetValues<MessageTag>().Order(), seen.Order());
    }

    [Fact]
    public void Every_truncation_and_every_trailing_byte_is_refused()
    {
        foreach (PeerMessage message in Messages.Where(message => message.Tag != MessageTag.ChunkData))
        {
            byte[] bytes = Encode(message);
            for (int length = 0; length < bytes.Length; length++)
            {
                Assert.False(PeerMessageCodec.Decode(bytes.AsMemory(0, length)).IsOk, $"{message.Tag} cut to {length}");
            }

            Assert.False(PeerMessageCodec.Decode((byte[])[.. bytes, 0]).IsOk, $"{message.Tag} with a byte more");
        }
    }

    [Fact]
    public void Garbage_never_throws()
    {
        Prng random = new(7);
        byte[] bytes = new byte[600];
        for (int i = 0; i < 20_000; i++)
        {
            random.Fill(bytes);
            bytes[0] = (byte)random.Next(64);
            PeerMessageCodec.Decode(bytes.AsMemory(0, random.Next(bytes.Length)));
        }
    }

    [Fact]
    public void A_hello_keeps_its_bytes_for_ever()
    {
        Hello hello = new(1, 1, HelloPurpose.Member, new PoolId(Filled(3).AsSpan(0, 16)), new byte[] { 9, 8 });
        const string golden = "01636169726E010001000003030303030303030303030303030303020908";
        Assert.Equal(golden, Convert.ToHexString(Encode(hello)));
    }

    [Fact]
    public void Versions_meet_at_the_newest_common_one()
    {
        Assert.Equal(5, ProtocolVersion.Negotiate(1, 7).Value);
        Assert.Equal(2, ProtocolVersion.Negotiate(1, 2).Value);
        Assert.Equal(1, ProtocolVersion.Negotiate(1, 1).Value);
        Assert.Equal(ProtocolErrorKind.NoCommonVersion, ProtocolVersion.Negotiate(6, 7).Error.Kind);
    }

    [Fact]
    public void Pages_of_a_list_ascend_from_one_to_the_next()
    {
        Assert.True(new PartitionReply(1, [One, Two], true).Follows(default));
        Assert.True(new PartitionReply(1, [], false).Follows(Two));
        Assert.True(new PartitionReply(1, [Two], false).Follows(One));
        Assert.False(new PartitionReply(1, [One, Two], true).Follows(One));
        Assert.False(new PartitionReply(1, [Two, One], true).Follows(default));
    }

    private static byte[] Encode(PeerMessage message)
    {
        ArrayBufferWriter<byte> output = new();
        PeerMessageCodec.Encode(message, output);
        return output.WrittenSpan.ToArray();
    }

    private static byte[] Filled(byte value)
    {
        byte[] bytes = new byte[32];
        Array.Fill(bytes, value);
        return bytes;
    }
}
