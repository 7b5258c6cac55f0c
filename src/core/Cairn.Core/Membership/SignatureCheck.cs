using System.Security.Cryptography;
using Cairn.Core.Primitives;

namespace Cairn.Core.Membership;

/// <summary>Checks an ECDSA P-256 signature (SHA-256, IEEE P1363, 64 bytes) by a SubjectPublicKeyInfo over data.</summary>
/// <remarks>A hook, so that the core is tested without keys and a driver may cache imported keys.</remarks>
public delegate bool SignatureCheck(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature);

/// <summary>What every signature in the pool's formats has in common.</summary>
public static class Signatures
{
    /// <summary>Length of a signature, in bytes.</summary>
    public const int Size = 64;

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
        try
        {
            using ECDsa key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(publicKey, out int read);
            return read == publicKey.Length && key.KeySize == 256
                && key.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
        catch (Exception refused) when (refused is CryptographicException or PlatformNotSupportedException)
        {
            // A point that is not on the curve is reported as a curve that is not supported.
            return false;
        }
    }
}
