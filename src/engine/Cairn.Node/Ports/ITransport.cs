using System.Net;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;

namespace Cairn.Node.Ports;

/// <summary>Why a connection could not be made or ended.</summary>
public enum TransportErrorKind
{
    /// <summary>Nobody answers at the address. Retrying may help.</summary>
    Unreachable,

    /// <summary>The peer's key is not the one expected. Retrying does not help.</summary>
    WrongPeer,

    /// <summary>The peer closed or the network cut the connection.</summary>
    Closed,

    /// <summary>The peer sent what the protocol does not allow.</summary>
    Protocol,

    /// <summary>It took longer than the caller would wait.</summary>
    TimedOut,
}

/// <summary>A transport failure, with the system's words for people.</summary>
public readonly record struct TransportError(TransportErrorKind Kind, string Detail);

/// <summary>Who is at the other end of a connection, proved by the TLS handshake.</summary>
/// <param name="Node">The hash of its identity key.</param>
/// <param name="IdentityKey">The identity public key (SubjectPublicKeyInfo) that certified its TLS key.</param>
public sealed record PeerIdentity(NodeId Node, ReadOnlyMemory<byte> IdentityKey);

/// <summary>A mutually authenticated, ordered stream of frames to one peer.</summary>
/// <remarks>Frames are at most <see cref="FrameBytesMax"/>. One sender and one receiver at a time.</remarks>
public interface IConnection : IAsyncDisposable
{
    /// <summary>The largest frame that is sent or accepted, in bytes: a chunk, its envelope and room to spare.</summary>
    const int FrameBytesMax = (5 << 20) + 4096;

    /// <summary>The peer, as the handshake proved it.</summary>
    PeerIdentity Peer { get; }

    /// <summary>Where the peer is.</summary>
    IPEndPoint RemoteAddress { get; }

    /// <summary>Sends one frame, made of two parts so that a chunk need not be copied behind its header.</summary>
    /// <returns>When the frame was handed to the network: backpressure, not delivery.</returns>
    ValueTask<Result<Unit, TransportError>> Send(ReadOnlyMemory<byte> head, ReadOnlyMemory<byte> body, CancellationToken cancellation);

    /// <summary>The next frame. The caller owns and disposes it.</summary>
    /// <param name="cancellation">Ends the wait, and the connection.</param>
    /// <param name="bytesMax">A larger frame is an error of protocol, before any memory is set aside for it.</param>
    ValueTask<Result<IFrame, TransportError>> Receive(CancellationToken cancellation, int bytesMax = FrameBytesMax);
}

/// <summary>A received frame in a pooled buffer.</summary>
public interface IFrame : IDisposable
{
    /// <summary>The frame's bytes, valid until disposed.</summary>
    ReadOnlyMemory<byte> Bytes { get; }
}

/// <summary>Streams to peers, and datagrams for gossip.</summary>
public interface ITransport : IAsyncDisposable
{
    /// <summary>The address this node listens on, with the port the system chose if 0 was asked for.</summary>
    IPEndPoint ListenAddress { get; }

    /// <summary>Where others may find this node now, the likeliest first: more than one if it listens on all interfaces.</summary>
    IReadOnlyList<IPEndPoint> OwnAddresses => [ListenAddress];

    /// <summary>What an address stands for now: itself when it is numeric, else what a resolver says; nothing when nobody knows.</summary>
    /// <remarks>A transport without a resolver knows numeric ones.</remarks>
    ValueTask<IReadOnlyList<IPEndPoint>> Resolve(NodeAddress address, CancellationToken cancellation) =>
        new(address.TryGetEndPoint(out IPEndPoint? endpoint) ? [endpoint] : []);

    /// <summary>Connects and authenticates.</summary>
    /// <param name="address">Where.</param>
    /// <param name="expected">The node that must answer; null only while joining, when the invite's fingerprint is checked by the caller.</param>
    ValueTask<Result<IConnection, TransportError>> Connect(IPEndPoint address, NodeId? expected, CancellationToken cancellation);

    /// <summary>The next inbound connection, already authenticated as *some* identity; the engine decides whether it is welcome.</summary>
    ValueTask<Result<IConnection, TransportError>> Accept(CancellationToken cancellation);

    /// <summary>Sends a datagram of at most 1,200 bytes, sealed by the caller; it may be lost, late, doubled or reordered.</summary>
    void SendDatagram(IPEndPoint address, ReadOnlySpan<byte> bytes);

    /// <summary>The next datagram.</summary>
    ValueTask<Datagram> ReceiveDatagram(CancellationToken cancellation);

    /// <summary>Announces this node to the local network (multicast where it is allowed); a hint, never trusted.</summary>
    void Announce(ReadOnlySpan<byte> bytes);
}

/// <summary>A received datagram or announcement.</summary>
/// <param name="From">The claimed source.</param>
/// <param name="Bytes">Unauthenticated bytes.</param>
/// <param name="IsAnnouncement">Whether it came by multicast.</param>
public readonly record struct Datagram(IPEndPoint From, ReadOnlyMemory<byte> Bytes, bool IsAnnouncement);
