using System.Security.Cryptography;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;

namespace Cairn.Io.Identity;

/// <summary>An identity whose P-256 private key is in this process's memory; the key store keeps it in a file.</summary>
/// <remarks>Thread: any; calls take turns.</remarks>
public sealed class FileIdentity : IIdentity, IDisposable
{
    private const int SharedSecretBytes = 32;

    private readonly object _gate = new();
    private readonly ECDsa _signing;
    private readonly ECDiffieHellman _agreeing;

    private FileIdentity(ECDsa signing, ECDiffieHellman agreeing)
    {
        _signing = signing;
        _agreeing = agreeing;
        PublicKey = signing.ExportSubjectPublicKeyInfo();
        Node = Signatures.NodeOf(PublicKey.Span);
    }

    /// <inheritdoc/>
    public NodeId Node { get; }

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> PublicKey { get; }

    /// <summary>A new key from the system's random bytes.</summary>
    public static FileIdentity Generate()
    {
        ECDsa signing = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        ECParameters parameters = signing.ExportParameters(includePrivateParameters: true);
        return new FileIdentity(signing, ECDiffieHellman.Create(parameters));
    }

    /// <summary>The key in a PKCS#8 structure; null if it is not a P-256 key.</summary>
    public static FileIdentity? FromPkcs8(ReadOnlySpan<byte> privateKey)
    {
        ECDsa signing = ECDsa.Create();
        try
        {
            signing.ImportPkcs8PrivateKey(privateKey, out int read);
            ECParameters parameters = signing.ExportParameters(includePrivateParameters: true);
            if (read == privateKey.Length && IsP256(parameters.Curve))
            {
                return new FileIdentity(signing, ECDiffieHellman.Create(parameters));
            }
        }
        catch (Exception refused) when (refused is CryptographicException or PlatformNotSupportedException)
        {
            // Not a key at all: the same answer as the wrong kind of key.
        }

        signing.Dispose();
        return null;
    }

    /// <summary>The private key as PKCS#8. The caller clears it after use.</summary>
    public byte[] ExportPkcs8()
    {
        lock (_gate)
        {
            return _signing.ExportPkcs8PrivateKey();
        }
    }

    /// <inheritdoc/>
    public void Sign(ReadOnlySpan<byte> data, Span<byte> signature)
    {
        lock (_gate)
        {
            bool signed = _signing.TrySignData(
                data,
                signature,
                HashAlgorithmName.SHA256,
                DSASignatureFormat.IeeeP1363FixedFieldConcatenation,
                out int written);
            Invariant.That(signed && written == Signatures.Size, $"a signature of {written} bytes");
        }
    }

    /// <inheritdoc/>
    public bool TryAgree(ReadOnlySpan<byte> peerPublicKey, Span<byte> sharedSecret)
    {
        if (!Signatures.IsPublicKey(peerPublicKey))
        {
            return false;
        }

        try
        {
            using var peer = ECDiffieHellman.Create();
            peer.ImportSubjectPublicKeyInfo(peerPublicKey, out _);
            byte[] secret;
            lock (_gate)
            {
                using ECDiffieHellmanPublicKey key = peer.PublicKey;
                secret = _agreeing.DeriveRawSecretAgreement(key);
            }

            Invariant.That(secret.Length == SharedSecretBytes, $"a shared secret of {secret.Length} bytes");
            secret.CopyTo(sharedSecret);
            CryptographicOperations.ZeroMemory(secret);
            return true;
        }
        catch (Exception refused) when (refused is CryptographicException or PlatformNotSupportedException)
        {
            // A point that is not on the curve is reported as a curve that is not supported.
            return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _signing.Dispose();
            _agreeing.Dispose();
        }
    }

    private static bool IsP256(ECCurve curve) =>
        curve.IsNamed && curve.Oid.Value == ECCurve.NamedCurves.nistP256.Oid.Value;
}
