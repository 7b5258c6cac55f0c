using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cairn.Core.Primitives;
using Cairn.Io.Transport;
using Cairn.Node.Ports;

namespace Cairn.Io.Tests.Transport;

/// <summary>What strangers and broken peers do to a node's port must end in a typed error and nothing else.</summary>
public sealed class HostilePeerTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly TaskCompletionSource<string> _refused = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TransportPair _pair;

    public HostilePeerTests() => _pair = new TransportPair(
        options => options with { Refused = (_, why) => _refused.TrySetResult(why) });

    public ValueTask DisposeAsync() => _pair.DisposeAsync();

    /// <summary>A request for a web page, and bytes of no protocol. What begins like a handshake is waited for, for a while.</summary>
    [Theory]
    [InlineData("474554202F20485454502F312E310D0A")]
    [InlineData("FF00FF00")]
    public async Task Garbage_instead_of_a_handshake_is_refused_and_others_still_get_in(string begin)
    {
        using Socket socket = await Raw();
        byte[] garbage = new byte[3000];
        new Random(1).NextBytes(garbage);
        Convert.FromHexString(begin).CopyTo(garbage, 0);
        await socket.SendAsync(garbage);
        Assert.NotEmpty(await _refused.Task.WaitAsync(Patience));
        await AssertStillServes();
    }

    [Fact]
    public async Task A_peer_without_a_certificate_is_refused()
    {
        await Assert.ThrowsAnyAsync<Exception>(() => TalkTls(null));
        Assert.NotEmpty(await _refused.Task.WaitAsync(Patience));
        await AssertStillServes();
    }

    [Fact]
    public async Task A_certificate_that_no_identity_signed_is_refused()
    {
        using X509Certificate2 foreign = Certificate(null);
        await Assert.ThrowsAnyAsync<Exception>(() => TalkTls(foreign));
        Assert.Contains("not certified", await _refused.Task.WaitAsync(Patience), StringComparison.Ordinal);
        await AssertStillServes();
    }

    [Fact]
    public async Task A_certificate_stolen_for_another_TLS_key_is_refused()
    {
        // The extension of A's real certificate on a key that A never certified.
        using X509Certificate2 real = TlsCertificate.Create(_pair.IdentityA);
        using X509Certificate2 forged = Certificate(real.Extensions[TlsCertificate.ExtensionOid]!.RawData);
        await Assert.ThrowsAnyAsync<Exception>(() => TalkTls(forged));
        Assert.Contains("not certified", await _refused.Task.WaitAsync(Patience), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ffffffff")]
    [InlineData("01105000")]
    [InlineData("00000080")]
    public async Task An_oversized_frame_is_a_protocol_error_and_ends_the_connection(string header)
    {
        await using SslStream tls = await Authenticated();
        IConnection served = (await _pair.B.Accept(default)).Value;
        await tls.WriteAsync(Convert.FromHexString(header));
        TransportError error = (await served.Receive(default)).Error;
        Assert.Equal(TransportErrorKind.Protocol, error.Kind);
        Assert.Contains("more than the", error.Detail, StringComparison.Ordinal);
        Assert.Equal(TransportErrorKind.Protocol, (await served.Send(default, default, default)).Error.Kind);
        Assert.Equal(0, await ReadToEnd(tls));
    }

    [Theory]
    [InlineData("02")]
    [InlineData("00010000")]
    [InlineData("00010000aabbcc")]
    public async Task A_frame_cut_off_is_closed_and_leaks_no_buffer(string start)
    {
        SslStream tls = await Authenticated();
        IConnection served = (await _pair.B.Accept(default)).Value;
        await tls.WriteAsync(Convert.FromHexString(start));
        await tls.DisposeAsync();
        TransportError error = (await served.Receive(default)).Error;
        Assert.Equal(TransportErrorKind.Closed, error.Kind);
        Assert.Contains("middle of a frame", error.Detail, StringComparison.Ordinal);
        Assert.Equal(0, _pair.B.OutstandingFrames);
    }

    [Fact]
    public async Task Bits_flipped_on_the_way_end_the_connection()
    {
        var (proxy, address) = Listen();
        Task flipping = Task.Run(async () =>
        {
            using Socket inbound = await proxy.AcceptAsync();
            using Socket outbound = await Raw();
            Task back = Copy(outbound, inbound, flipAfter: long.MaxValue);
            await Copy(inbound, outbound, flipAfter: 20_000);
            await back;
        });
        IConnection a = (await _pair.A.Connect(address, _pair.IdentityB.Node, default)).Value;
        IConnection b = (await _pair.B.Accept(default)).Value;
        Task<Result<Unit, TransportError>> sending = a.Send(new byte[100_000], default, default).AsTask();
        TransportError error = (await b.Receive(default).AsTask().WaitAsync(Patience)).Error;
        Assert.Equal(TransportErrorKind.Closed, error.Kind);
        await a.DisposeAsync();
        await sending;
        await flipping.WaitAsync(Patience);
        proxy.Dispose();
    }

    [Fact]
    public async Task A_stranger_that_opens_connections_and_says_nothing_is_cut_off()
    {
        await using var pair = new TransportPair(options => options with
        {
            HandshakesMax = 2,
            HandshakeTimeout = TimeSpan.FromMilliseconds(300),
        });
        using var first = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var second = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await first.ConnectAsync(pair.B.ListenAddress);
        await second.ConnectAsync(pair.B.ListenAddress);
        var (a, _) = await pair.Connect();
        Assert.Equal(pair.IdentityB.Node, a.Peer.Node);
        Assert.Equal(0, await first.ReceiveAsync(new byte[1]));
    }

    [Fact]
    public async Task A_source_that_holds_all_its_handshakes_gets_no_more_and_others_still_get_in()
    {
        await using var pair = new TransportPair(options => options with
        {
            HandshakesPerSourceMax = 2,
            Refused = (_, why) => _refused.TrySetResult(why),
        });
        using Socket first = await Silent(pair.B.ListenAddress);
        using Socket second = await Silent(pair.B.ListenAddress);
        using Socket third = await Silent(pair.B.ListenAddress);
        Assert.Contains("too many", await _refused.Task.WaitAsync(Patience), StringComparison.Ordinal);
        Assert.Equal(0, await third.ReceiveAsync(new byte[1]));

        first.Dispose();
        using CancellationTokenSource limit = new(Patience);
        while (!(await pair.A.Connect(pair.B.ListenAddress, pair.IdentityB.Node, limit.Token)).IsOk)
        {
            limit.Token.ThrowIfCancellationRequested(); // until the place of the one that left is free
        }
    }

    [Fact]
    public void A_source_with_IPv6_is_its_network()
    {
        HandshakeSeats seats = new(1);
        Assert.True(seats.TryTake(IPAddress.Parse("2001:db8:1:2::1")));
        Assert.False(seats.TryTake(IPAddress.Parse("2001:db8:1:2:ffff::2")));
        Assert.True(seats.TryTake(IPAddress.Parse("2001:db8:1:3::1")));
        Assert.True(seats.TryTake(IPAddress.Parse("10.0.0.1")));
        Assert.True(seats.TryTake(IPAddress.Parse("10.0.0.2")));
        seats.Return(IPAddress.Parse("2001:db8:1:2::1"));
        Assert.True(seats.TryTake(IPAddress.Parse("2001:db8:1:2:ffff::2")));
    }

    [Fact]
    public async Task A_frame_larger_than_the_receiver_wants_now_is_a_protocol_error()
    {
        var (a, b) = await _pair.Connect();
        Task<Result<Unit, TransportError>> sending = a.Send(new byte[1001], default, default).AsTask();
        TransportError error = (await b.Receive(default, bytesMax: 1000)).Error;
        Assert.Equal(TransportErrorKind.Protocol, error.Kind);
        Assert.Contains("more than the 1000", error.Detail, StringComparison.Ordinal);
        await sending;
        Assert.Equal(0, _pair.B.OutstandingFrames);
    }

    private static async Task<Socket> Silent(IPEndPoint address)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address);
        return socket;
    }

    private async Task AssertStillServes()
    {
        var (a, b) = await _pair.Connect();
        Assert.True((await a.Send("hello"u8.ToArray(), default, default)).IsOk);
        using IFrame frame = (await b.Receive(default)).Value;
        Assert.Equal(5, frame.Bytes.Length);
    }

    private async Task<Socket> Raw()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(_pair.B.ListenAddress);
        return socket;
    }

    // A peer that shakes hands properly and then sends bytes of its own.
    private async Task<SslStream> Authenticated()
    {
        X509Certificate2 certificate = TlsCertificate.Create(_pair.IdentityA);
        return await Handshake(certificate);
    }

    private async Task TalkTls(X509Certificate2? certificate)
    {
        await using SslStream tls = await Handshake(certificate);
        // In TLS 1.3 the refusal of a client certificate arrives after the client's side is done.
        await tls.WriteAsync(new byte[1]);
        if (await tls.ReadAsync(new byte[1]) == 0)
        {
            throw new EndOfStreamException();
        }
    }

    private async Task<SslStream> Handshake(X509Certificate2? certificate)
    {
        var tls = new SslStream(new NetworkStream(await Raw(), ownsSocket: true));
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "cairn",
            EnabledSslProtocols = SslProtocols.Tls13,
            ApplicationProtocols = [new SslApplicationProtocol("cairn/1")],
            ClientCertificates = certificate is null ? null : [certificate],
            RemoteCertificateValidationCallback = (_, offered, _, _) => offered is not null,
        });
        return tls;
    }

    private static X509Certificate2 Certificate(byte[]? extension)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=cairn", key, HashAlgorithmName.SHA256);
        if (extension is not null)
        {
            request.CertificateExtensions.Add(new X509Extension(TlsCertificate.ExtensionOid, extension, false));
        }

        return request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
    }

    private static (Socket Listener, IPEndPoint Address) Listen()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        return (socket, (IPEndPoint)socket.LocalEndPoint!);
    }

    private static async Task Copy(Socket from, Socket to, long flipAfter)
    {
        byte[] buffer = new byte[4096];
        long total = 0;
        try
        {
            int count;
            while ((count = await from.ReceiveAsync(buffer)) > 0)
            {
                if (total < flipAfter && total + count >= flipAfter)
                {
                    buffer[count / 2] ^= 1;
                }

                total += count;
                await to.SendAsync(buffer.AsMemory(0, count));
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // One side closed; the other learns it by the disposal.
            from.Dispose();
            to.Dispose();
        }
        catch (ObjectDisposedException)
        {
            // The other direction has ended both.
        }
    }

    private static async Task<int> ReadToEnd(SslStream tls)
    {
        try
        {
            return await tls.ReadAsync(new byte[100]);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
