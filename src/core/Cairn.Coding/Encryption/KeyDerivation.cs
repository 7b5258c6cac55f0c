using System.Security.Cryptography;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Encryption;

/// <summary>The one way a key comes from another key: HKDF-Expand-SHA256 with a label that no other use has.</summary>
/// <remarks>Source: RFC 5869 section 2.3; docs/formats/keys.md. The parent is always 32 uniformly random bytes, so
/// the extract step is not needed. Allocates nothing.</remarks>
internal static class KeyDerivation
{
    /// <summary>Length of every symmetric key in bytes.</summary>
    public const int KeySize = 32;

    private const int InfoMax = 256;

    /// <summary>key = HKDF-Expand(parent, label || 0 || context, 32).</summary>
    public static void Derive(
        ReadOnlySpan<byte> parent, ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, Span<byte> key)
    {
        Invariant.That(parent.Length == KeySize && key.Length == KeySize, $"a key of {parent.Length} bytes");
        Invariant.That(label.Length + context.Length + 2 <= InfoMax, $"a context of {context.Length} bytes");
        Span<byte> message = stackalloc byte[InfoMax];
        label.CopyTo(message);
        message[label.Length] = 0;
        context.CopyTo(message[(label.Length + 1)..]);
        int length = label.Length + 1 + context.Length;
        message[length] = 1;
        HMACSHA256.HashData(parent, message[..(length + 1)], key);
    }
}
