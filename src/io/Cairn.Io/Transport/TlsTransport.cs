using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;

namespace Cairn.Io.Transport;

/// <summary>TLS 1.3 streams over TCP, datagrams on the UDP port of the same number, announcements by multicast.</summary>
/// <remarks>Thread: any. Its own work runs on the thread pool; plain awaits of the engine return to the engine's loop.</remarks>
public sealed class TlsTransport : ITransport
{
    private const int AcceptedMax = 64;
    private const int PortAttempts = 50;

    private readonly TransportOptions _options;
    private readonly Socket _listener;
    private readonly TlsHandshaker _handshaker;
    private readonly DatagramPort _datagrams;
    private readonly Announcer? _announcer;
    private readonly SemaphoreSlim _handshakes;
    private readonly HandshakeSeats _seats;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<TlsConnection, Unit> _connections = new();
    private readonly Channel<IConnection> _accepted = Channel.CreateBounded<IConnection>(AcceptedMax);
    private readonly FramePool _pool = new();
    private readonly ITimer _stallTimer;
    private readonly Task _accepting;
    private int _disposed;

    private TlsTransport(TransportOptions options, IIdentity identity, Socket listener, Socket datagrams)
    {
        _options = options;
        _listener = listener;
        ListenAddress = (IPEndPoint)listener.LocalEndPoint!;
        _handshaker = new TlsHandshaker(identity);
        _handshakes = new SemaphoreSlim(options.HandshakesMax);
        _seats = new HandshakeSeats(options.HandshakesPerSourceMax);
        _datagrams = new DatagramPort(datagrams);
        _announcer = TryAnnouncer(options, ListenAddress, _datagrams);
        TimeSpan look = options.StallTimeout / 4;
        _stallTimer = options.Time.CreateTimer(_ => CloseStalled(), null, look, look);
        _accepting = AcceptLoop();
    }

    /// <inheritdoc/>
    public IPEndPoint ListenAddress { get; }

    /// <inheritdoc/>
    public IReadOnlyList<IPEndPoint> OwnAddresses => HostAddresses.Of(ListenAddress);

    /// <summary>Received frames that nobody has disposed yet; a test's proof that none leaks.</summary>
    public int OutstandingFrames => _pool.Outstanding;

    /// <summary>Binds the port and starts to listen.</summary>
    /// <returns>Why the port could not be had, in the system's words.</returns>
    public static Result<TlsTransport, TransportError> Listen(TransportOptions options, IIdentity identity)
    {
        for (int attempt = 1; ; attempt++)
        {
            var listener = NewSocket(options.Listen, SocketType.Stream, ProtocolType.Tcp);
            var datagrams = NewSocket(options.Listen, SocketType.Dgram, ProtocolType.Udp);
            try
            {
                listener.Bind(options.Listen);
                datagrams.Bind(new IPEndPoint(options.Listen.Address, ((IPEndPoint)listener.LocalEndPoint!).Port));
                listener.Listen();
                return new TlsTransport(options, identity, listener, datagrams);
            }
            catch (SocketException failure)
            {
                listener.Dispose();
                datagrams.Dispose();

                // The system chose a port whose UDP twin is taken: let it choose again.
                if (options.Listen.Port != 0 || attempt == PortAttempts)
                {
                    return new TransportError(
                        TransportErrorKind.Unreachable, $"cannot listen on {options.Listen}: {failure.Message}");
                }
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<IPEndPoint>> Resolve(NodeAddress address, CancellationToken cancellation)
    {
        if (address.TryGetEndPoint(out IPEndPoint? numeric))
        {
            return [numeric];
        }

        try
        {
            IPAddress[] found = await Dns.GetHostAddressesAsync(address.Host, cancellation).ConfigureAwait(false);
            return [.. found.Select(ip => new IPEndPoint(ip, address.Port))];
        }
        catch (SocketException)
        {
            return [];
        }
    }

    /// <inheritdoc/>
    public async ValueTask<Result<IConnection, TransportError>> Connect(
        IPEndPoint address, NodeId? expected, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _stop.Token);
        limit.CancelAfter(_options.ConnectTimeout);
        Socket? socket = null;
        try
        {
            // Where the system has no IPv6, an IPv6 address fails here already.
            socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            Tune(socket);
            await socket.ConnectAsync(address, limit.Token).ConfigureAwait(false);
            Result<TlsHandshake, TransportError> handshake =
                await _handshaker.AsClient(socket, expected, limit.Token).ConfigureAwait(false);
            return handshake.TryGet(out TlsHandshake? done, out TransportError error) ? Keep(done) : error;
        }
        catch (SocketException failure)
        {
            socket?.Dispose();
            return new TransportError(TransportErrorKind.Unreachable, $"{address}: {failure.Message}");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            socket?.Dispose();
            return _stop.IsCancellationRequested
                ? new TransportError(TransportErrorKind.Closed, "the transport is closed")
                : new TransportError(
                    TransportErrorKind.TimedOut, $"{address}: no answer in {_options.ConnectTimeout.TotalSeconds:0} s");
        }
        catch (OperationCanceledException)
        {
            socket?.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<Result<IConnection, TransportError>> Accept(CancellationToken cancellation)
    {
        try
        {
            IConnection next = await _accepted.Reader.ReadAsync(cancellation).ConfigureAwait(false);
            return Result<IConnection, TransportError>.Ok(next);
        }
        catch (ChannelClosedException)
        {
            return new TransportError(TransportErrorKind.Closed, "the transport is closed");
        }
    }

    /// <inheritdoc/>
    public void SendDatagram(IPEndPoint address, ReadOnlySpan<byte> bytes) => _datagrams.Send(address, bytes);

    /// <inheritdoc/>
    /// <remarks>Ends by cancellation when the transport is disposed.</remarks>
    public ValueTask<Datagram> ReceiveDatagram(CancellationToken cancellation) => _datagrams.Receive(cancellation);

    /// <inheritdoc/>
    /// <remarks>Receivers see it as coming from <see cref="ListenAddress"/>'s port at this node's address.</remarks>
    public void Announce(ReadOnlySpan<byte> bytes) => _announcer?.Announce(bytes);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Dispose();
        await _accepting.ConfigureAwait(false);
        await _stallTimer.DisposeAsync().ConfigureAwait(false);
        _accepted.Writer.TryComplete();
        if (_announcer is not null)
        {
            await _announcer.DisposeAsync().ConfigureAwait(false);
        }

        await _datagrams.DisposeAsync().ConfigureAwait(false);
        foreach (TlsConnection connection in _connections.Keys)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
        }

        _handshaker.Dispose();
    }

    private static Socket NewSocket(IPEndPoint listen, SocketType type, ProtocolType protocol)
    {
        var socket = new Socket(listen.AddressFamily, type, protocol);
        if (listen.Address.Equals(IPAddress.IPv6Any))
        {
            socket.DualMode = true;
        }

        return socket;
    }

    private static Announcer? TryAnnouncer(TransportOptions options, IPEndPoint listen, DatagramPort inbox)
    {
        try
        {
            bool isLocal = IPAddress.IsLoopback(listen.Address);
            return options.AnnouncePort is { } port
                ? new Announcer(port, listen.Port, inbox, () => HostAddresses.IPv4(isLocal))
                : null;
        }
        catch (SocketException failure)
        {
            options.Refused?.Invoke(listen, $"no announcements on port {options.AnnouncePort}: {failure.Message}");
            return null;
        }
    }

    // A frame is one write, so waiting for more would only add delay; keep-alive finds peers that vanished while idle.
    private static void Tune(Socket socket)
    {
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 15);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 5);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
    }

    private TlsConnection Keep(TlsHandshake handshake)
    {
        var connection = new TlsConnection(handshake, _pool, Forget);
        _connections[connection] = Unit.Value;
        return connection;
    }

    /// <summary>Gives a connection to whoever accepts next; closed whole, not its socket alone, when this side stops meanwhile.</summary>
    private async Task Offer(TlsConnection connection)
    {
        try
        {
            await _accepted.Writer.WriteAsync(connection, _stop.Token).ConfigureAwait(false);
        }
        catch (Exception ended) when (ended is OperationCanceledException or ChannelClosedException)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    private void Forget(TlsConnection connection) => _connections.TryRemove(connection, out _);

    private void CloseStalled()
    {
        foreach (TlsConnection connection in _connections.Keys)
        {
            connection.CloseIfStalled(_options.Time, _options.StallTimeout);
        }
    }

    private async Task AcceptLoop()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _handshakes.WaitAsync(_stop.Token).ConfigureAwait(false);
                Socket socket = await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
                _ = Welcome(socket);
            }
            catch (SocketException)
            {
                // The stranger left again, or the system is out of descriptors for now.
                _handshakes.Release();
                await Task.Delay(10).ConfigureAwait(false);
            }
            catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task Welcome(Socket socket)
    {
        IPAddress? source = null;
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            limit.CancelAfter(_options.HandshakeTimeout);
            var from = Endpoints.Plain((IPEndPoint)socket.RemoteEndPoint!);
            if (!_seats.TryTake(from.Address))
            {
                socket.Dispose();
                _options.Refused?.Invoke(from, "too many of its connections have not said yet who they are");
                return;
            }

            source = from.Address;
            Tune(socket);
            Result<TlsHandshake, TransportError> handshake =
                await _handshaker.AsServer(socket, limit.Token).ConfigureAwait(false);
            if (!handshake.TryGet(out TlsHandshake? done, out TransportError error))
            {
                _options.Refused?.Invoke(from, error.Detail);
                return;
            }

            await Offer(Keep(done)).ConfigureAwait(false);
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Too slow, gone already, or this side is stopping.
            socket.Dispose();
        }
        finally
        {
            if (source is not null)
            {
                _seats.Return(source);
            }

            _handshakes.Release();
        }
    }
}
