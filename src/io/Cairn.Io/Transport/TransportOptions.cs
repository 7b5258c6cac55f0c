using System.Net;

namespace Cairn.Io.Transport;

/// <summary>Where a node listens and how long it is patient.</summary>
public sealed record TransportOptions
{
    /// <summary>The multicast group nodes announce themselves in (administratively scoped, RFC 2365).</summary>
    public static readonly IPAddress DefaultGroup = IPAddress.Parse("239.255.67.65");

    /// <summary>Address and port of streams and datagrams alike; port 0 lets the system choose. Default: every address.</summary>
    /// <remarks>A loopback address keeps announcements on this machine.</remarks>
    public IPEndPoint Listen { get; init; } = new(IPAddress.Any, 0);

    /// <summary>UDP port of announcements; null neither announces nor listens for announcements. Default 21473.</summary>
    public int? AnnouncePort { get; init; } = 21473;

    /// <summary>How long connecting with its handshake may take. Default 5 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a stranger may take for a handshake before it is cut off. Default 10 s.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a frame that has begun may make no progress, sent or received, before the peer counts as gone. Default 20 s.</summary>
    /// <remarks>Progress is one network write or read of at most 256 KiB. A connection without a frame may idle for ever.</remarks>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Inbound handshakes under way at once; more wait in the system's backlog. Default 64.</summary>
    public int HandshakesMax { get; init; } = 64;

    /// <summary>… of which so many from one address (IPv6: one /64), who else it is: more are closed at once. Default 32.</summary>
    public int HandshakesPerSourceMax { get; init; } = 32;

    /// <summary>The clock of the timeouts. Default: the system's.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Told why an inbound connection was refused, for the log. Called on any thread.</summary>
    public Action<IPEndPoint, string>? Refused { get; init; }
}
