using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;

namespace Cairn.Io.Transport;

/// <summary>The UDP socket beside the listener, and the inbox that it shares with the announcer.</summary>
internal sealed class DatagramPort : IAsyncDisposable
{
    /// <summary>What passes every path unfragmented.</summary>
    internal const int DatagramBytesMax = 1200;

    private const int InboxLength = 1024;

    private readonly Socket _socket;
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<Datagram> _inbox = Channel.CreateBounded<Datagram>(
        new BoundedChannelOptions(InboxLength) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    private readonly Task _receiving;

    internal DatagramPort(Socket bound)
    {
        _socket = bound;
        _receiving = ReceiveLoop(_socket, isAnnouncement: false, static (from, bytes) => (from, bytes.ToArray()));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _socket.Dispose();
        await _receiving.ConfigureAwait(false);
        _inbox.Writer.TryComplete();
        _stop.Dispose();
    }

    internal void Send(IPEndPoint address, ReadOnlySpan<byte> bytes)
    {
        Invariant.That(bytes.Length <= DatagramBytesMax, $"a datagram of {bytes.Length} bytes");
        try
        {
            IPEndPoint target = _socket.AddressFamily == AddressFamily.InterNetworkV6
                ? new IPEndPoint(address.Address.MapToIPv6(), address.Port)
                : address;
            _socket.SendTo(bytes, SocketFlags.None, target);
        }
        catch (Exception lost) when (lost is SocketException or ObjectDisposedException)
        {
            // No route, a full queue, the end: a datagram may always be lost.
        }
    }

    internal async ValueTask<Datagram> Receive(CancellationToken cancellation)
    {
        try
        {
            return await _inbox.Reader.ReadAsync(cancellation).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            throw new OperationCanceledException("the transport is closed");
        }
    }

    /// <summary>Feeds the inbox from a socket until it is closed.</summary>
    /// <param name="parse">Copies the bytes that count; null drops the datagram.</param>
    internal async Task ReceiveLoop(
        Socket socket, bool isAnnouncement, DatagramParser parse)
    {
        byte[] buffer = GC.AllocateUninitializedArray<byte>(DatagramBytesMax + 64, pinned: true);
        EndPoint any = new IPEndPoint(
            socket.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                SocketReceiveFromResult result = await socket
                    .ReceiveFromAsync(buffer, SocketFlags.None, any, _stop.Token).ConfigureAwait(false);
                var from = Endpoints.Plain((IPEndPoint)result.RemoteEndPoint);
                if (parse(from, buffer.AsSpan(0, result.ReceivedBytes)) is { } parsed
                    && parsed.Bytes.Length <= DatagramBytesMax)
                {
                    _inbox.Writer.TryWrite(new Datagram(parsed.From, parsed.Bytes, isAnnouncement));
                }
            }
            catch (SocketException)
            {
                // A datagram that was too long, or the echo of one that nobody took.
            }
            catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    internal delegate (IPEndPoint From, byte[] Bytes)? DatagramParser(IPEndPoint from, ReadOnlySpan<byte> bytes);
}
