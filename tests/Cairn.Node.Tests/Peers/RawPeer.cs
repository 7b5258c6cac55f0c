using System.Buffers;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Ports;

namespace Cairn.Node.Tests.Peers;

/// <summary>A peer whose program is not Cairn's: it says what a test has it say.</summary>
internal static class RawPeer
{
    /// <summary>What a node says of itself.</summary>
    public static SignedNodeRecord RecordOf(IIdentity identity, string name, BenchNode member)
    {
        NodeRecord record = new()
        {
            Node = identity.Node,
            PublicKey = [.. identity.PublicKey.Span],
            Counter = 100,
            Name = name,
            Addresses = [NodeAddress.From(member.Address)],
            CapacityBytes = 1L << 30,
        };
        return Sign(identity, record);
    }

    /// <summary>A record with its signature.</summary>
    public static SignedNodeRecord Sign(IIdentity identity, NodeRecord record)
    {
        byte[] signature = new byte[Signatures.Size];
        identity.Sign(NodeRecordCodec.BytesToSign(record), signature);
        return NodeRecordCodec.Seal(record, signature);
    }

    /// <summary>What the pool's keyring is bound to when it is handed to a newcomer (docs/formats/key-wrap.md).</summary>
    public static byte[] KeyringContext(PoolId pool, NodeId from, NodeId to) =>
        [.. "cairn pool keyring/1\0"u8, .. pool.Value.ToArray(), .. from.Value.ToArray(), .. to.Value.ToArray()];

    /// <summary>Sends one message.</summary>
    public static async Task Send(IConnection connection, PeerMessage message) =>
        Assert.True(await TrySend(connection, message));

    /// <summary>Sends one message, if the connection is still there.</summary>
    public static async Task<bool> TrySend(IConnection connection, PeerMessage message)
    {
        ArrayBufferWriter<byte> output = new();
        PeerMessageCodec.Encode(message, output);
        return (await connection.Send(output.WrittenMemory, default, CancellationToken.None)).IsOk;
    }

    /// <summary>The next message; null when the connection has ended.</summary>
    public static async Task<PeerMessage?> Receive(IConnection connection)
    {
        Result<IFrame, TransportError> received = await connection.Receive(CancellationToken.None);
        if (!received.TryGet(out IFrame? frame, out _))
        {
            return null;
        }

        using (frame)
        {
            return PeerMessageCodec.Decode(frame.Bytes.ToArray()).Value;
        }
    }
}
