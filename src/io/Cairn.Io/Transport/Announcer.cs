using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Cairn.Core.Primitives;

namespace Cairn.Io.Transport;

/// <summary>Multicast on the local network: magic, the port this node listens on, then the engine's bytes.</summary>
/// <remarks>
/// Format: docs/formats/announcement.md. One socket per IPv4 interface sends, one receives for all; several nodes on one
/// machine share the port. Where multicast is not allowed nothing is heard, and nothing else changes.
/// </remarks>
internal sealed class Announcer : IAsyncDisposable
{
    internal const byte FormatVersion = 1;
    internal const int HeaderBytes = 7;

    private readonly IPEndPoint _group;
    private readonly int _listenPort;
    private readonly Socket _receiver;
    private readonly Dictionary<IPAddress, Socket> _senders = [];
    private readonly Func<IEnumerable<IPAddress>> _addresses;
    private readonly Task _receiving;

    /// <param name="port">The port that announcements go to.</param>
    /// <param name="listenPort">The port that they tell of.</param>
    /// <param name="inbox">Takes what is heard.</param>
    /// <param name="addresses">The IPv4 addresses of this machine, as they are at the moment.</param>
    /// <exception cref="SocketException">The port is not to be had.</exception>
    internal Announcer(int port, int listenPort, DatagramPort inbox, Func<IEnumerable<IPAddress>> addresses)
    {
        _group = new IPEndPoint(TransportOptions.DefaultGroup, port);
        _listenPort = listenPort;
        _addresses = addresses;
        _receiver = NewSocket();
        try
        {
            _receiver.Bind(new IPEndPoint(IPAddress.Any, _group.Port));
        }
        catch
        {
            _receiver.Dispose();
            throw;
        }

        JoinWhatIsThere();
        _receiving = inbox.ReceiveLoop(_receiver, isAnnouncement: true, Parse);
    }

    private static ReadOnlySpan<byte> Magic => "CRNA"u8;

    public async ValueTask DisposeAsync()
    {
        _receiver.Dispose();
        lock (_senders)
        {
            foreach (Socket sender in _senders.Values)
            {
                sender.Dispose();
            }
        }

        await _receiving.ConfigureAwait(false);
    }

    internal void Announce(ReadOnlySpan<byte> bytes)
    {
        Invariant.That(bytes.Length <= DatagramPort.DatagramBytesMax, $"an announcement of {bytes.Length} bytes");
        byte[] packet = new byte[HeaderBytes + bytes.Length];
        Magic.CopyTo(packet);
        packet[4] = FormatVersion;
        BinaryPrimitives.WriteUInt16LittleEndian(packet.AsSpan(5), (ushort)_listenPort);
        bytes.CopyTo(packet.AsSpan(HeaderBytes));
        lock (_senders)
        {
            JoinWhatIsThere();
            foreach (Socket sender in _senders.Values)
            {
                try
                {
                    sender.SendTo(packet, _group);
                }
                catch (Exception lost) when (lost is SocketException or ObjectDisposedException)
                {
                    // The interface is down or forbids multicast: an announcement is a hint.
                }
            }
        }
    }

    /// <summary>The sender's listening address and its bytes; null for anything that is no announcement.</summary>
    internal static (IPEndPoint From, byte[] Bytes)? Parse(IPEndPoint from, ReadOnlySpan<byte> packet) =>
        packet.Length >= HeaderBytes && packet.StartsWith(Magic) && packet[4] == FormatVersion
            ? (new IPEndPoint(from.Address, BinaryPrimitives.ReadUInt16LittleEndian(packet[5..])),
                packet[HeaderBytes..].ToArray())
            : null;

    private static Socket NewSocket()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        return socket;
    }

    /// <summary>A laptop changes networks, and a daemon may start before there is one.</summary>
    private void JoinWhatIsThere()
    {
        IPAddress[] there = [.. _addresses()];
        foreach (IPAddress gone in _senders.Keys.Except(there).ToArray())
        {
            _senders.Remove(gone, out Socket? sender);
            sender?.Dispose();
        }

        foreach (IPAddress address in there.Except(_senders.Keys).ToArray())
        {
            TryJoin(address);
        }
    }

    private void TryJoin(IPAddress address)
    {
        TryHear(address);
        Socket? sender = null;
        try
        {
            sender = NewSocket();
            sender.Bind(new IPEndPoint(address, 0));
            sender.SetSocketOption(
                SocketOptionLevel.IP, SocketOptionName.MulticastInterface, address.GetAddressBytes());
            sender.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastLoopback, true);
            sender.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastTimeToLive, 1);
            _senders.Add(address, sender);
        }
        catch (Exception refused) when (refused is SocketException or ObjectDisposedException)
        {
            sender?.Dispose();
        }
    }

    private void TryHear(IPAddress address)
    {
        try
        {
            _receiver.SetSocketOption(
                SocketOptionLevel.IP, SocketOptionName.AddMembership, new MulticastOption(_group.Address, address));
        }
        catch (Exception refused) when (refused is SocketException or ObjectDisposedException)
        {
            // An interface is joined once: the address before this one, or another, has done it.
        }
    }
}
