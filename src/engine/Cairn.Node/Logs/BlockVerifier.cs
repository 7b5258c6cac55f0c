using System.Security.Cryptography;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;

namespace Cairn.Node.Logs;

/// <summary>Checks blocks' signatures; keeps the imported keys of the authors it has met.</summary>
/// <remarks>Thread: any, one at a time.</remarks>
/// <param name="members">Whose keys they are.</param>
/// <param name="check">What checks instead; null: this.</param>
internal sealed class BlockVerifier(IMembers members, SignatureCheck? check) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<NodeId, ECDsa> _keys = [];

    /// <summary>Whether the block was signed by the author it names.</summary>
    public bool IsSigned(LogBlock block, ReadOnlySpan<byte> encoded)
    {
        if (check is not null)
        {
            return check(
                members.PublicKeyOf(block.Log.Author).Span, LogBlockCodec.SignedBytes(encoded), block.Signature.Span);
        }

        lock (_gate)
        {
            return KeyOf(block.Log.Author) is { } key && key.VerifyData(
                LogBlockCodec.SignedBytes(encoded), block.Signature.Span, HashAlgorithmName.SHA256,
                DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            foreach (ECDsa key in _keys.Values)
            {
                key.Dispose();
            }

            _keys.Clear();
        }
    }

    private ECDsa? KeyOf(NodeId author)
    {
        if (_keys.TryGetValue(author, out ECDsa? key))
        {
            return key;
        }

        ReadOnlyMemory<byte> encoded = members.PublicKeyOf(author);
        if (encoded.IsEmpty)
        {
            return null;
        }

        key = ECDsa.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(encoded.Span, out _);
        }
        catch (CryptographicException)
        {
            key.Dispose();
            return null;
        }

        _keys.Add(author, key);
        return key;
    }
}
