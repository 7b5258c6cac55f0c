using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cairn.Io.Identity;
using Cairn.Io.Transport;
using Cairn.Node.Ports;

namespace Cairn.Io.Tests.Transport;

public sealed class TlsCertificateTests
{
    // Made once by version 1: a TLS key and its certification by an identity that is gone.
    private const string GoldenTlsKey =
        "3059301306072a8648ce3d020106082a8648ce3d030107034200041b5543a08c0472e871565c79398bfa353871bde55f"
        + "d0fe6508f80bda42357bbd069e1bb8682caa52b54fae73f81f1d54de7468dfe0732c06455b9c62bf34c461";

    private const string GoldenExtension =
        "015b3059301306072a8648ce3d020106082a8648ce3d030107034200044ca830f89d04461cbab8c1413ea6d47b361a35"
        + "79da0b7ecfa8a9ae94911bbc9e0a732ffb2e336c7098f1254f1035585a048e3f7dc52d97663003dc8cc4cd6c1a2b32fd"
        + "19dcf395e20a435658814fa3b35a28c2b207cd5b5ebbee7684f1535ae394c403ed9292aff0f6c0306b939ae594de10a5"
        + "4eaf6f56a87edca2c19a01e2e2";

    [Fact]
    public void A_certificate_names_its_identity()
    {
        using var identity = FileIdentity.Generate();
        using X509Certificate2 certificate = TlsCertificate.Create(identity);
        Assert.True(TlsCertificate.TryVerify(certificate, out PeerIdentity? peer, out _));
        Assert.Equal(identity.Node, peer.Node);
        Assert.Equal(9999, certificate.NotAfter.ToUniversalTime().Year);
    }

    [Fact]
    public void Every_flipped_bit_of_the_extension_is_refused()
    {
        using var identity = FileIdentity.Generate();
        byte[] tlsKey = identity.PublicKey.ToArray();
        byte[] extension = TlsCertificate.Certify(identity, tlsKey);
        Assert.NotNull(TlsCertificate.Check(extension, tlsKey));
        for (int bit = 0; bit < extension.Length * 8; bit++)
        {
            byte[] damaged = (byte[])extension.Clone();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Null(TlsCertificate.Check(damaged, tlsKey));
        }
    }

    [Fact]
    public void Every_truncation_of_the_extension_is_refused()
    {
        using var identity = FileIdentity.Generate();
        byte[] tlsKey = identity.PublicKey.ToArray();
        byte[] extension = TlsCertificate.Certify(identity, tlsKey);
        for (int length = 0; length < extension.Length; length++)
        {
            Assert.Null(TlsCertificate.Check(extension.AsSpan(0, length), tlsKey));
        }

        Assert.Null(TlsCertificate.Check([.. extension, 0], tlsKey));
    }

    [Fact]
    public void Version_1_reads_for_ever()
    {
        PeerIdentity? peer = TlsCertificate.Check(
            Convert.FromHexString(GoldenExtension), Convert.FromHexString(GoldenTlsKey));
        Assert.NotNull(peer);
        Assert.Equal(SHA256.HashData(peer.IdentityKey.Span), peer.Node.Value.ToArray());
    }
}
