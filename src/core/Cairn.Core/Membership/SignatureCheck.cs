using System.Security.Cryptography;
using Cairn.Core.Primitives;

namespace Cairn.Core.Membership;

/// <summary>
/// Checks an ECDSA P-256 signature (SHA-256, IEEE P1363, 64 bytes) by a SubjectPublicKeyInfo over data.
/// </summary>
/// <remarks>A hook, so that the core is tested without keys and a driver may cache imported keys.</remarks>
public delegate bool SignatureCheck(
    ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature);

/// <summary>What every signature in the pool's formats has in common.</summary>
public static class Signatures
{
    /// <summary>Length of a signature, in bytes.</summary>
    public const int Size = 64;

    /// <summary>Length of an identity key, in bytes.</summary>
    public const int PublicKeySize = 91;

    private static ReadOnlySpan<byte> PublicKeyStart =>
    [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06,
        0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
    ];

    /// <summary>Whether bytes are a P-256 key in its one form: an uncompressed point on the named curve.</summary>
    /// <remarks>
    /// Other encodings of the same key (hybrid points, other headers) would give one node several ids.
    /// </remarks>
    public static bool IsPublicKey(ReadOnlySpan<byte> publicKey) =>
        publicKey.Length == PublicKeySize && publicKey.StartsWith(PublicKeyStart);

    /// <summary>The id of the node that owns an identity key: SHA-256 of its SubjectPublicKeyInfo.</summary>
    public static NodeId NodeOf(ReadOnlySpan<byte> publicKey)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(publicKey, hash);
        return new NodeId(hash);
    }

    /// <summary>The check by the base library's ECDSA; false for any key or signature it cannot read.</summary>
    public static bool CheckEcdsa(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (!IsPublicKey(publicKey))
        {
            return false;
        }

        try
        {
            using ECDsa key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(publicKey, out int read);
            return read == publicKey.Length && key.VerifyData(
                data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
        catch (Exception refused) when (refused is CryptographicException or PlatformNotSupportedException)
        {
            // A point that is not on the curve is reported as a curve that is not supported.
            return false;
        }
    }
}
