using System.Net;
using Cairn.Io.Identity;
using Cairn.Io.Transport;
using Cairn.Node.Ports;

namespace Cairn.Io.Tests.Transport;

/// <summary>Two transports on loopback with their identities, and connections between them.</summary>
public sealed class TransportPair : IAsyncDisposable
{
    public TransportPair(Func<TransportOptions, TransportOptions>? change = null)
    {
        TransportOptions options = Loopback;
        options = change is null ? options : change(options);
        A = TlsTransport.Listen(options, IdentityA).Value;
        B = TlsTransport.Listen(options, IdentityB).Value;
    }

    public static TransportOptions Loopback => new()
    {
        Listen = new IPEndPoint(IPAddress.Loopback, 0),
        AnnouncePort = null,
    };

    public FileIdentity IdentityA { get; } = FileIdentity.Generate();

    public FileIdentity IdentityB { get; } = FileIdentity.Generate();

    public TlsTransport A { get; }

    public TlsTransport B { get; }

    /// <summary>A connects to B: A's end and B's end.</summary>
    public async Task<(IConnection A, IConnection B)> Connect()
    {
        var connecting = A.Connect(B.ListenAddress, IdentityB.Node, default).AsTask();
        IConnection b = (await B.Accept(default)).Value;
        return ((await connecting).Value, b);
    }

    public async ValueTask DisposeAsync()
    {
        await A.DisposeAsync();
        await B.DisposeAsync();
        IdentityA.Dispose();
        IdentityB.Dispose();
    }
}
