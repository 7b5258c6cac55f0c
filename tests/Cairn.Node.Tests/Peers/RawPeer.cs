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
        byte[] signature = new byte[Signatures.Size];
        identity.Sign(NodeRecordCodec.BytesToSign(record), signature);
        return NodeRecordCodec.Seal(record, signature);
    }

    /// <summary>Sends one message.</summary>
    public static async Task Send(IConnection connection, PeerMessage message)
    {
        ArrayBufferWriter<byte> output = new();
        PeerMessageCodec.Encode(message, output);
        Assert.True((await connection.Send(output.WrittenMemory, default, CancellationToken.None)).IsOk);
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
