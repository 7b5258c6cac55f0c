using System.Net;
using System.Net.Sockets;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Io.Identity;
using Cairn.Io.Transport;
using Cairn.Node.Ports;

namespace Cairn.Io.Tests.Transport;

public sealed class TlsTransportTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Both_sides_learn_who_the_other_is()
    {
        await using var pair = new TransportPair();
        var (a, b) = await pair.Connect();
        Assert.Equal(pair.IdentityB.Node, a.Peer.Node);
        Assert.Equal(pair.IdentityA.Node, b.Peer.Node);
        Assert.Equal(pair.IdentityA.PublicKey.ToArray(), b.Peer.IdentityKey.ToArray());
        Assert.Equal(pair.B.ListenAddress, a.RemoteAddress);
    }

    /// <summary>People write names where addresses change: in "peers", and behind --at.</summary>
    [Fact]
    public async Task An_address_is_what_its_name_stands_for_and_an_unknown_name_is_nothing()
    {
        await using var pair = new TransportPair();
        async Task<IReadOnlyList<IPEndPoint>> Of(string host) =>
            await pair.A.Resolve(new NodeAddress(host, 7866), default);
        Assert.Equal([new IPEndPoint(IPAddress.Parse("192.0.2.1"), 7866)], await Of("192.0.2.1"));
        Assert.Contains(new IPEndPoint(IPAddress.Loopback, 7866), await Of("localhost"));
        Assert.Empty(await Of("nobody.invalid"));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(0, 1)]
    [InlineData(20, 16_364)]
    [InlineData(20, 16_365)]
    [InlineData(100, 1 << 20)]
    [InlineData(4096, 5 << 20)]
    public async Task Frames_arrive_whole_and_in_order(int headBytes, int bodyBytes)
    {
        await using var pair = new TransportPair();
        var (a, b) = await pair.Connect();
        byte[] head = Pattern(headBytes, 1);
        byte[] body = Pattern(bodyBytes, 2);
        Task sending = Task.Run(async () =>
        {
            for (int i = 0; i < 5; i++)
            {
                Assert.True((await a.Send(head, body, default)).IsOk);
                Assert.True((await a.Send("small"u8.ToArray(), default, default)).IsOk);
            }
        });
        for (int i = 0; i < 5; i++)
        {
            using (IFrame frame = (await b.Receive(default)).Value)
            {
                Assert.True(frame.Bytes.Span.SequenceEqual([.. head, .. body]));
            }

            using IFrame small = (await b.Receive(default)).Value;
            Assert.True(small.Bytes.Span.SequenceEqual("small"u8));
        }

        await sending;
        Assert.Equal(0, pair.B.OutstandingFrames);
    }

    [Fact]
    public async Task Both_directions_flow_at_once()
    {
        await using var pair = new TransportPair();
        var (a, b) = await pair.Connect();
        await Task.WhenAll(Pump(a), Pump(b), Drain(a), Drain(b)).WaitAsync(Patience);

        static Task Pump(IConnection connection) => Task.Run(async () =>
        {
            byte[] body = Pattern(1 << 20, 7);
            for (int i = 0; i < 20; i++)
            {
                Assert.True((await connection.Send(default, body, default)).IsOk);
            }
        });

        static Task Drain(IConnection connection) => Task.Run(async () =>
        {
            for (int i = 0; i < 20; i++)
            {
                using IFrame frame = (await connection.Receive(default)).Value;
                Assert.Equal(1 << 20, frame.Bytes.Length);
            }
        });
    }

    [Fact]
    public async Task Another_node_at_the_address_is_the_wrong_peer()
    {
        await using var pair = new TransportPair();
        using var other = FileIdentity.Generate();
        TransportError error = (await pair.A.Connect(pair.B.ListenAddress, other.Node, default)).Error;
        Assert.Equal(TransportErrorKind.WrongPeer, error.Kind);
        Assert.Contains(other.Node.Short, error.Detail, StringComparison.Ordinal);
    }

    /// <summary>As IPv6 is on a system that was started without it: no such socket can be made.</summary>
    [Fact]
    public async Task An_address_of_a_family_that_the_system_lacks_is_unreachable()
    {
        await using var pair = new TransportPair();
        TransportError error = (await pair.A.Connect(new UnknownFamily(), null, default)).Error;
        Assert.Equal(TransportErrorKind.Unreachable, error.Kind);
    }

    [Fact]
    public async Task Nobody_at_the_address_is_unreachable()
    {
        await using var pair = new TransportPair();
        var gone = new IPEndPoint(IPAddress.Loopback, UnusedPort());
        TransportError error = (await pair.A.Connect(gone, null, default)).Error;
        Assert.Equal(TransportErrorKind.Unreachable, error.Kind);
    }

    [Fact]
    public async Task A_listener_that_says_nothing_times_out()
    {
        await using var pair = new TransportPair(
            options => options with { ConnectTimeout = TimeSpan.FromMilliseconds(200) });
        using var mute = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        mute.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        mute.Listen();
        TransportError error = (await pair.A.Connect((IPEndPoint)mute.LocalEndPoint!, null, default)).Error;
        Assert.Equal(TransportErrorKind.TimedOut, error.Kind);
    }

    [Fact]
    public async Task A_listener_that_talks_garbage_is_a_protocol_error()
    {
        await using var pair = new TransportPair();
        using var odd = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        odd.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        odd.Listen();
        Task serving = Task.Run(async () =>
        {
            using Socket accepted = await odd.AcceptAsync();
            await accepted.SendAsync("HTTP/1.1 400 Bad Request\r\n\r\nwhat is this?"u8.ToArray());
            await accepted.ReceiveAsync(new byte[4096]);
        });
        TransportError error = (await pair.A.Connect((IPEndPoint)odd.LocalEndPoint!, null, default)).Error;
        Assert.Equal(TransportErrorKind.Protocol, error.Kind);
        await serving;
    }

    [Fact]
    public async Task The_end_of_a_connection_is_closed_on_both_sides()
    {
        await using var pair = new TransportPair();
        var (a, b) = await pair.Connect();
        await a.DisposeAsync();
        Assert.Equal(TransportErrorKind.Closed, (await b.Receive(default)).Error.Kind);
        Assert.Equal(TransportErrorKind.Closed, (await a.Receive(default)).Error.Kind);
        Assert.Equal(TransportErrorKind.Closed, (await a.Send("x"u8.ToArray(), default, default)).Error.Kind);
    }

    [Fact]
    public async Task Closing_ends_a_receive_that_waits()
    {
        await using var pair = new TransportPair();
        var (a, _) = await pair.Connect();
        Task<Result<IFrame, TransportError>> waiting = a.Receive(default).AsTask();
        await a.DisposeAsync();
        Assert.Equal(TransportErrorKind.Closed, (await waiting.WaitAsync(Patience)).Error.Kind);
    }

    [Fact]
    public async Task A_cancelled_receive_is_cancelled_and_breaks_the_connection()
    {
        await using var pair = new TransportPair();
        var (a, _) = await pair.Connect();
        using var stop = new CancellationTokenSource();
        Task<Result<IFrame, TransportError>> waiting = a.Receive(stop.Token).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Patience));
        Assert.Equal(TransportErrorKind.Closed, (await a.Send("x"u8.ToArray(), default, default)).Error.Kind);
    }

    [Fact]
    public async Task Disposing_the_transport_ends_everything_that_waits()
    {
        var pair = new TransportPair();
        var (a, b) = await pair.Connect();
        var receiving = b.Receive(default).AsTask();
        var accepting = pair.B.Accept(default).AsTask();
        var datagram = pair.B.ReceiveDatagram(default).AsTask();
        await pair.DisposeAsync();
        Assert.Equal(TransportErrorKind.Closed, (await receiving.WaitAsync(Patience)).Error.Kind);
        Assert.Equal(TransportErrorKind.Closed, (await accepting.WaitAsync(Patience)).Error.Kind);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => datagram.WaitAsync(Patience));
        Assert.Equal(TransportErrorKind.Closed, (await a.Receive(default)).Error.Kind);
    }

    [Fact]
    public async Task Disposing_closes_connections_that_nobody_has_accepted()
    {
        // More than wait to be accepted: the last of them are still being offered.
        var pair = new TransportPair();
        var made = new List<IConnection>();
        for (int i = 0; i < 70; i++)
        {
            made.Add((await pair.A.Connect(pair.B.ListenAddress, pair.IdentityB.Node, default)).Value);
        }

        await pair.B.DisposeAsync();
        foreach (IConnection connection in made)
        {
            Task<Result<IFrame, TransportError>> received = connection.Receive(default).AsTask();
            Assert.Equal(TransportErrorKind.Closed, (await received.WaitAsync(Patience)).Error.Kind);
        }

        await pair.DisposeAsync();
    }

    [Fact]
    public async Task A_port_in_use_is_said_in_words()
    {
        await using var pair = new TransportPair();
        TransportOptions same = TransportPair.Loopback with { Listen = pair.A.ListenAddress };
        TransportError error = TlsTransport.Listen(same, pair.IdentityB).Error;
        Assert.Contains("cannot listen on 127.0.0.1", error.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Datagrams_arrive_with_their_source()
    {
        await using var pair = new TransportPair();
        pair.A.SendDatagram(pair.B.ListenAddress, "ping"u8);
        Datagram received = await pair.B.ReceiveDatagram(default).AsTask().WaitAsync(Patience);
        Assert.Equal("ping"u8.ToArray(), received.Bytes.ToArray());
        Assert.Equal(pair.A.ListenAddress, received.From);
        Assert.False(received.IsAnnouncement);
    }

    private static byte[] Pattern(int length, byte seed)
    {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++)
        {
            bytes[i] = (byte)((i * 31) + (i >> 8) + seed);
        }

        return bytes;
    }

    private static int UnusedPort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private sealed class UnknownFamily() : IPEndPoint(IPAddress.Loopback, 1)
    {
        public override AddressFamily AddressFamily => AddressFamily.ImpLink;
    }
}
