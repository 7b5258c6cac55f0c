using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Signatures;

/// <summary>A member's public identity key, ready to check what the member signed.</summary>
/// <remarks>
/// ECDSA P-256 over SHA-256, IEEE P1363. Thread: one at a time. Source: docs/formats/keys.md, "Identity".
/// </remarks>
public sealed class VerifyingKey : IDisposable
{
    /// <summary>Bytes of a signature.</summary>
    public const int SignatureSize = 64;

    /// <summary>Bytes of a P-256 SubjectPublicKeyInfo with an uncompressed point.</summary>
    public const int PublicKeySize = 91;

    private readonly ECDsa _key;

    private VerifyingKey(ECDsa key, NodeId node)
    {
        _key = key;
        Node = node;
    }

    /// <summary>Whose key it is: the SHA-256 of the SubjectPublicKeyInfo.</summary>
    public NodeId Node { get; }

    /// <summary>The node that a public key belongs to.</summary>
    public static NodeId NodeOf(ReadOnlySpan<byte> publicKey)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(publicKey, hash);
        return new NodeId(hash);
    }

    /// <summary>Reads a SubjectPublicKeyInfo; false when it is not exactly one valid P-256 key.</summary>
    public static bool TryImport(ReadOnlySpan<byte> publicKey, [NotNullWhen(true)] out VerifyingKey? key)
    {
        key = null;
        if (publicKey.Length != PublicKeySize)
        {
            return false;
        }

        ECDsa imported = ECDsa.Create();
        try
        {
            imported.ImportSubjectPublicKeyInfo(publicKey, out int read);
            ECCurve curve = imported.ExportParameters(includePrivateParameters: false).Curve;
            if (read == publicKey.Length && curve.IsNamed && curve.Oid.Value == ECCurve.NamedCurves.nistP256.Oid.Value)
            {
                key = new VerifyingKey(imported, NodeOf(publicKey));
                return true;
            }
        }
        catch (CryptographicException)
        {
            // Not a key: the answer below says so.
        }

        imported.Dispose();
        return false;
    }

    /// <summary>Whether the member signed exactly these bytes.</summary>
    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) =>
        signature.Length == SignatureSize
        && _key.VerifyData(
            data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();
}
