using System.Buffers;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Ports;

namespace Cairn.Node.Peers;

/// <summary>Why two nodes did not come to talk.</summary>
/// <param name="Reason">What is or was said to the peer; null when the network failed.</param>
/// <param name="Detail">For people.</param>
internal readonly record struct HandshakeError(GoodbyeReason? Reason, string Detail);

/// <summary>What the peer said first.</summary>
/// <param name="Version">The negotiated version.</param>
/// <param name="Purpose">Why it connects.</param>
/// <param name="Record">Its own node record, verified.</param>
internal sealed record PeerHello(ushort Version, HelloPurpose Purpose, PoolId Pool, SignedNodeRecord Record);

/// <summary>The first frame each way: versions, purpose, pool and record, and the frames of joining.</summary>
/// <remarks>Thread: the engine's loop.</remarks>
internal static class Handshake
{
    /// <summary>The largest frame that is taken from somebody who may be anybody, in bytes: a hello has some hundreds.</summary>
    public const int GreetingBytesMax = 64 * 1024;

    /// <summary>Sends one message outside a link.</summary>
    public static async Task<bool> Send(IConnection connection, PeerMessage message)
    {
        ArrayBufferWriter<byte> output = new(1024);
        PeerMessageCodec.Encode(message, output);
        return (await connection.Send(output.WrittenMemory, default, CancellationToken.None)).IsOk;
    }

    /// <summary>Says why not, leaves the peer a moment to hear it, and closes.</summary>
    public static async Task Refuse(IConnection connection, GoodbyeReason reason, TimeProvider time)
    {
        await using (connection)
        {
            using CancellationTokenSource limit = new(TimeSpan.FromSeconds(2), time);
            await Send(connection, new Goodbye(reason));
            await Receive(connection, limit.Token);
        }
    }

    /// <summary>Receives one message outside a link; its memory is copied, so that the frame is gone.</summary>
    public static async Task<Result<PeerMessage, HandshakeError>> Receive(
        IConnection connection, CancellationToken cancellation, int bytesMax = GreetingBytesMax)
    {
        Result<IFrame, TransportError> received;
        try
        {
            received = await connection.Receive(cancellation, bytesMax);
        }
        catch (OperationCanceledException)
        {
            return new HandshakeError(null, "the peer did not answer in time");
        }

        if (!received.TryGet(out IFrame? frame, out TransportError error))
        {
            bool isBad = error.Kind == TransportErrorKind.Protocol;
            return new HandshakeError(isBad ? GoodbyeReason.ProtocolError : null, error.Detail);
        }

        using (frame)
        {
            Result<PeerMessage, ProtocolError> decoded = PeerMessageCodec.Decode(frame.Bytes.ToArray());
            return decoded.TryGet(out PeerMessage? message, out ProtocolError bad)
                ? message is Goodbye goodbye
                    ? new HandshakeError(goodbye.Reason, $"the peer says goodbye: {goodbye.Reason}")
                    : message
                : new HandshakeError(GoodbyeReason.ProtocolError, $"a bad frame: {bad}");
        }
    }

    /// <summary>Says hello.</summary>
    public static Task<bool> SendHello(
        IConnection connection, HelloPurpose purpose, PoolId pool, ReadOnlyMemory<byte> record) =>
        Send(connection, new Hello(ProtocolVersion.Min, ProtocolVersion.Max, purpose, pool, record));

    /// <summary>Receives a hello and checks all that can be checked without knowing the pool.</summary>
    public static async Task<Result<PeerHello, HandshakeError>> ReceiveHello(
        IConnection connection, SignatureCheck check, CancellationToken cancellation)
    {
        Result<PeerMessage, HandshakeError> received = await Receive(connection, cancellation);
        if (!received.TryGet(out PeerMessage? message, out HandshakeError error))
        {
            return error;
        }

        if (message is not Hello hello)
        {
            return new HandshakeError(GoodbyeReason.ProtocolError, $"{message.Tag} where a hello was due");
        }

        if (!ProtocolVersion.Negotiate(hello.VersionMin, hello.VersionMax).TryGet(out ushort version, out _))
        {
            string range = $"{hello.VersionMin} to {hello.VersionMax}";
            return new HandshakeError(GoodbyeReason.NoCommonVersion, $"it speaks protocol {range}: upgrade the older node");
        }

        Result<SignedNodeRecord, NodeRecordError> record = NodeRecordCodec.Decode(hello.Record.Span, check);
        bool isOwn = record.TryGet(out SignedNodeRecord? signed, out NodeRecordError bad)
            && signed.Record.Node == connection.Peer.Node;
        return isOwn
            ? new PeerHello(version, hello.Purpose, hello.Pool, signed!)
            : new HandshakeError(GoodbyeReason.ProtocolError, $"its node record is not its own or broken ({bad})");
    }
}
