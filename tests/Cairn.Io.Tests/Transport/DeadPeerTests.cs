using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;

namespace Cairn.Io.Tests.Transport;

/// <summary>Peers that vanish without a word, seen through a proxy that stops passing bytes on.</summary>
public sealed class DeadPeerTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ManualTime _time = new();
    private readonly TransportPair _pair;
    private readonly Socket _proxy = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _sockets = [];
    private long _passed;
    private long _passMax = long.MaxValue;

    public DeadPeerTests()
    {
        _pair = new TransportPair(options => options with { Time = _time });
        _proxy.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _proxy.Listen();
    }

    public async ValueTask DisposeAsync()
    {
        await _pair.DisposeAsync();
        _proxy.Dispose();
        lock (_sockets)
        {
            _sockets.ForEach(socket => socket.Dispose());
        }
    }

    [Fact]
    public async Task A_peer_that_takes_no_data_times_out()
    {
        var (a, _) = await Connect();
        Volatile.Write(ref _passMax, 0);
        Task<TransportError> sending = Task.Run(async () =>
        {
            byte[] body = new byte[1 << 20];
            while (true)
            {
                Result<Unit, TransportError> sent = await a.Send(default, body, default);
                if (!sent.IsOk)
                {
                    return sent.Error;
                }
            }
        });
        await PassTimeUntil(sending);
        TransportError error = await sending;
        Assert.Equal(TransportErrorKind.TimedOut, error.Kind);
        Assert.Contains("takes no data", error.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_peer_that_falls_silent_in_a_frame_times_out()
    {
        var (a, b) = await Connect();
        Volatile.Write(ref _passMax, Volatile.Read(ref _passed) + 300_000);
        _ = a.Send(default, new byte[1 << 20], default).AsTask();
        Task<Result<IFrame, TransportError>> receiving = b.Receive(default).AsTask();
        await PassTimeUntil(receiving);
        TransportError error = (await receiving).Error;
        Assert.Equal(TransportErrorKind.TimedOut, error.Kind);
        Assert.Contains("middle of a frame", error.Detail, StringComparison.Ordinal);
        Assert.Equal(0, _pair.B.OutstandingFrames);
    }

    [Fact]
    public async Task An_idle_connection_lives_for_ever()
    {
        var (a, b) = await Connect();
        Task<Result<IFrame, TransportError>> receiving = b.Receive(default).AsTask();
        for (int hour = 0; hour < 48; hour++)
        {
            _time.Advance(TimeSpan.FromHours(1));
        }

        Assert.True((await a.Send("still here"u8.ToArray(), default, default)).IsOk);
        using IFrame frame = (await receiving).Value;
        Assert.Equal(10, frame.Bytes.Length);
    }

    private async Task PassTimeUntil(Task end)
    {
        long began = Stopwatch.GetTimestamp();
        while (!end.IsCompleted && Stopwatch.GetElapsedTime(began) < Patience)
        {
            _time.Advance(TimeSpan.FromSeconds(5));
            await Task.WhenAny(end, Task.Delay(10));
        }

        Assert.True(end.IsCompleted, "nothing noticed that the peer is gone");
    }

    private async Task<(IConnection A, IConnection B)> Connect()
    {
        _ = Task.Run(Serve);
        var address = (IPEndPoint)_proxy.LocalEndPoint!;
        Task<Result<IConnection, TransportError>> connecting =
            _pair.A.Connect(address, _pair.IdentityB.Node, default).AsTask();
        IConnection b = (await _pair.B.Accept(default)).Value;
        return ((await connecting).Value, b);
    }

    private async Task Serve()
    {
        Socket inbound = await _proxy.AcceptAsync();
        var outbound = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        lock (_sockets)
        {
            _sockets.AddRange([inbound, outbound]);
        }

        await outbound.ConnectAsync(_pair.B.ListenAddress);
        await Task.WhenAll(Copy(inbound, outbound, counts: true), Copy(outbound, inbound, counts: false));
    }

    // Stops reading, and keeps the connection open, once enough has passed.
    private async Task Copy(Socket from, Socket to, bool counts)
    {
        byte[] buffer = new byte[4096];
        try
        {
            int count;
            while (!(counts && Volatile.Read(ref _passed) >= Volatile.Read(ref _passMax))
                && (count = await from.ReceiveAsync(buffer)) > 0)
            {
                await to.SendAsync(buffer.AsMemory(0, count));
                if (counts)
                {
                    Interlocked.Add(ref _passed, count);
                }
            }
        }
        catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}
