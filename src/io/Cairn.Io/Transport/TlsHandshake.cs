using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;

namespace Cairn.Io.Transport;

/// <summary>A socket on which both sides have proved who they are.</summary>
internal sealed record TlsHandshake(Socket Socket, RecordStream Records, SslStream Tls, PeerIdentity Peer);

/// <summary>Makes handshakes: TLS 1.3 only, both sides with certificates, no resumption, no names, no dates.</summary>
internal sealed class TlsHandshaker : IDisposable
{
    private static readonly SslApplicationProtocol Protocol = new("cairn/1");

    // The shorter key is the faster one, and chunks are sealed with 256 bits below TLS anyway.
    private static readonly CipherSuitesPolicy Ciphers = new(
        [TlsCipherSuite.TLS_AES_128_GCM_SHA256, TlsCipherSuite.TLS_AES_256_GCM_SHA384]);

    private readonly X509Certificate2 _certificate;
    private readonly SslStreamCertificateContext _context;

    internal TlsHandshaker(IIdentity identity)
    {
        _certificate = TlsCertificate.Create(identity);
        _context = SslStreamCertificateContext.Create(_certificate, additionalCertificates: null, offline: true);
    }

    public void Dispose() => _certificate.Dispose();

    /// <summary>Shakes hands as the side that connected.</summary>
    internal Task<Result<TlsHandshake, TransportError>> AsClient(
        Socket socket, NodeId? expected, CancellationToken cancellation)
    {
        var verdict = new Verdict { Expected = expected };
        return Run(socket, verdict, tls => tls.AuthenticateAsClientAsync(ClientOptions(verdict), cancellation));
    }

    /// <summary>Shakes hands as the side that was connected to.</summary>
    internal Task<Result<TlsHandshake, TransportError>> AsServer(Socket socket, CancellationToken cancellation)
    {
        var verdict = new Verdict();
        return Run(socket, verdict, tls => tls.AuthenticateAsServerAsync(ServerOptions(verdict), cancellation));
    }

    private static async Task<Result<TlsHandshake, TransportError>> Run(
        Socket socket, Verdict verdict, Func<SslStream, Task> authenticate)
    {
        var records = new RecordStream(socket);
        var tls = new SslStream(records, leaveInnerStreamOpen: false);
        bool done = false;
        try
        {
            await authenticate(tls).ConfigureAwait(false);
            done = verdict.Peer is not null && tls.NegotiatedApplicationProtocol == Protocol;
            return done
                ? new TlsHandshake(socket, records, tls, verdict.Peer!)
                : new TransportError(TransportErrorKind.Protocol, "the peer does not speak cairn/1");
        }
        catch (AuthenticationException) when (verdict.Error is not null)
        {
            return verdict.Error.Value;
        }
        catch (AuthenticationException failure)
        {
            return new TransportError(TransportErrorKind.Protocol, $"no TLS handshake: {failure.Message}");
        }
        catch (Exception failure) when (failure is IOException or SocketException or ObjectDisposedException)
        {
            return new TransportError(TransportErrorKind.Closed, $"the handshake broke off: {failure.Message}");
        }
        finally
        {
            if (!done)
            {
                socket.Dispose();
                await tls.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private SslClientAuthenticationOptions ClientOptions(Verdict verdict) => new()
    {
        TargetHost = "cairn",
        ClientCertificateContext = _context,
        EnabledSslProtocols = SslProtocols.Tls13,
        CipherSuitesPolicy = Ciphers,
        ApplicationProtocols = [Protocol],
        AllowTlsResume = false,
        AllowRenegotiation = false,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        CertificateChainPolicy = NoChain(),
        RemoteCertificateValidationCallback = verdict.Judge,
    };

    private SslServerAuthenticationOptions ServerOptions(Verdict verdict) => new()
    {
        ServerCertificateContext = _context,
        ClientCertificateRequired = true,
        EnabledSslProtocols = SslProtocols.Tls13,
        CipherSuitesPolicy = Ciphers,
        ApplicationProtocols = [Protocol],
        AllowTlsResume = false,
        AllowRenegotiation = false,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        CertificateChainPolicy = NoChain(),
        RemoteCertificateValidationCallback = verdict.Judge,
    };

    // Chains mean nothing here; an empty trust store keeps the system's from being read.
    private static X509ChainPolicy NoChain() => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        RevocationMode = X509RevocationMode.NoCheck,
        DisableCertificateDownloads = true,
        VerificationFlags = X509VerificationFlags.AllFlags,
    };

    /// <summary>What the certificate callback of one handshake found.</summary>
    private sealed class Verdict
    {
        internal NodeId? Expected { get; init; }

        internal PeerIdentity? Peer { get; private set; }

        internal TransportError? Error { get; private set; }

        internal bool Judge(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
        {
            if (!TlsCertificate.TryVerify(certificate, out PeerIdentity? peer, out string? problem))
            {
                Error = new TransportError(TransportErrorKind.Protocol, problem);
                return false;
            }

            if (Expected is { } expected && peer.Node != expected)
            {
                string detail = $"node {expected.Short} was expected, node {peer.Node.Short} answered";
                Error = new TransportError(TransportErrorKind.WrongPeer, detail);
                return false;
            }

            Peer = peer;
            return true;
        }
    }
}
