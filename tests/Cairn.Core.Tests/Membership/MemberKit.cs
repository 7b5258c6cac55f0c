using System.Collections.Immutable;
using System.Security.Cryptography;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Membership;

/// <summary>Nodes without real keys: the "key" is a number, the "signature" a hash with the key.</summary>
internal static class MemberKit
{
    public static ImmutableArray<byte> Key(int number) => [.. "key "u8, (byte)number, (byte)(number >> 8)];

    public static NodeId Node(int number) => Signatures.NodeOf(Key(number).AsSpan());

    public static NodeRecord Record(int number, ulong counter = 1) => new()
    {
        Node = Node(number),
        PublicKey = Key(number),
        Counter = counter,
        Name = $"node-{number}",
        Addresses = [new NodeAddress("127.0.0.1", (ushort)(9000 + number))],
        CapacityBytes = 1L << 40,
    };

    public static SignedNodeRecord Sign(NodeRecord record) =>
        NodeRecordCodec.Seal(record, FakeSignature(record.PublicKey.AsSpan(), NodeRecordCodec.BytesToSign(record)));

    public static SignedNodeRecord Signed(int number, ulong counter = 1) => Sign(Record(number, counter));

    public static bool Check(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) =>
        signature.SequenceEqual(FakeSignature(key, data));

    public static byte[] FakeSignature(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data) =>
        [.. SHA256.HashData([.. key, .. data]), .. SHA256.HashData(data)];
}
