using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;

namespace Cairn.Io.Transport;

/// <summary>A TLS key that lives as long as the process, certified by the node's identity key.</summary>
/// <remarks>
/// Format: docs/formats/tls.md. Names, dates and issuers of X.509 are not used: the certificate carries a TLS key, and an
/// extension with the identity key and its signature over the TLS key. So no clock can make a peer unwelcome.
/// </remarks>
internal static class TlsCertificate
{
    /// <summary>The version byte of the extension.</summary>
    internal const byte FormatVersion = 1;

    /// <summary>The extension's object identifier: a UUID below 2.25, which needs no registration (ITU-T X.667).</summary>
    internal const string ExtensionOid = "2.25.265921846710934625071408231175091356929";

    private const int IdentityKeyBytesMax = 256;

    // What is signed starts with a text that no other signed thing of Cairn starts with.
    private static ReadOnlySpan<byte> Context => "cairn tls key 1\0"u8;

    /// <summary>Makes a fresh TLS key and its certificate.</summary>
    internal static X509Certificate2 Create(IIdentity identity)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=cairn", key, HashAlgorithmName.SHA256);
        byte[] extension = Certify(identity, request.PublicKey.ExportSubjectPublicKeyInfo());
        request.CertificateExtensions.Add(new X509Extension(ExtensionOid, extension, critical: false));
        return request.CreateSelfSigned(
            new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero),
            new DateTimeOffset(9999, 1, 1, 0, 0, 0, TimeSpan.Zero));
    }

    /// <summary>The extension's bytes: who certifies, and the signature over the TLS key.</summary>
    internal static byte[] Certify(IIdentity identity, ReadOnlySpan<byte> tlsKey)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new WireWriter(output);
        writer.Byte(FormatVersion);
        writer.LengthPrefixed(identity.PublicKey.Span);
        Span<byte> signature = stackalloc byte[Signatures.Size];
        identity.Sign([.. Context, .. tlsKey], signature);
        writer.Raw(signature);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Checks what a peer presented. Never throws: every byte of it is the peer's choice.</summary>
    /// <param name="certificate">The peer's certificate, or null if it sent none.</param>
    /// <param name="peer">Who certified the TLS key that the handshake proved.</param>
    /// <param name="problem">What is wrong with it.</param>
    internal static bool TryVerify(
        X509Certificate? certificate,
        [NotNullWhen(true)] out PeerIdentity? peer,
        [NotNullWhen(false)] out string? problem)
    {
        peer = null;
        if (certificate is not X509Certificate2 presented)
        {
            problem = "the peer has no certificate";
            return false;
        }

        try
        {
            X509Extension? extension = presented.Extensions[ExtensionOid];
            byte[] tlsKey = presented.PublicKey.ExportSubjectPublicKeyInfo();
            peer = extension is null ? null : Check(extension.RawData, tlsKey);
        }
        catch (CryptographicException)
        {
            peer = null;
        }

        problem = peer is null ? "the peer's certificate is not certified by a Cairn identity" : null;
        return peer is not null;
    }

    /// <summary>The identity that certified a TLS key by these bytes, or null.</summary>
    internal static PeerIdentity? Check(ReadOnlySpan<byte> extension, ReadOnlySpan<byte> tlsKey)
    {
        var reader = new WireReader(extension);
        byte version = reader.Byte();
        ReadOnlySpan<byte> identityKey = reader.LengthPrefixed(IdentityKeyBytesMax);
        ReadOnlySpan<byte> signature = reader.Raw(Signatures.Size);
        if (!reader.Complete || version != FormatVersion)
        {
            return null;
        }

        return Signatures.CheckEcdsa(identityKey, [.. Context, .. tlsKey], signature)
            ? new PeerIdentity(Signatures.NodeOf(identityKey), identityKey.ToArray())
            : null;
    }
}
