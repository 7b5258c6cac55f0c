using System.Security.Cryptography;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Encryption;

/// <summary>Seals a secret from one member to another, under what the two identity keys agree on.</summary>
/// <remarks>
/// Static-static ECDH: only the two can make or open it, so what opens is known to come from the other. The random salt
/// makes every wrapping its own key. Source: docs/formats/key-wrap.md. Thread: any.
/// </remarks>
public static class KeyWrap
{
    /// <summary>The version this code writes and the newest it opens.</summary>
    public const byte FormatVersion = 1;

    /// <summary>Bytes of the raw ECDH secret.</summary>
    public const int SharedSecretSize = 32;

    /// <summary>Bytes of the random salt.</summary>
    public const int SaltSize = 32;

    private const int NonceSize = 12;
    private const int Overhead = 1 + SaltSize + SegmentCipher.TagSize;

    /// <summary>Seals a secret.</summary>
    /// <param name="sharedSecret">From <c>IIdentity.TryAgree</c> with the receiver's public key.</param>
    /// <param name="salt">Fresh random <see cref="SaltSize"/> bytes.</param>
    /// <param name="context">What it is for (pool, volume, sender, receiver): must match when it is opened.</param>
    /// <param name="secret">What to seal: a keyring, an epoch key.</param>
    public static byte[] Wrap(
        ReadOnlySpan<byte> sharedSecret, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> context, ReadOnlySpan<byte> secret)
    {
        Invariant.That(salt.Length == SaltSize, $"a salt of {salt.Length} bytes");
        byte[] wrapped = new byte[secret.Length + Overhead];
        wrapped[0] = FormatVersion;
        salt.CopyTo(wrapped.AsSpan(1));
        Span<byte> body = wrapped.AsSpan(1 + SaltSize);
        using AesGcm aes = Cipher(sharedSecret, salt, context);
        aes.Encrypt(ZeroNonce, secret, body[..secret.Length], body[secret.Length..], wrapped.AsSpan(0, 1));
        return wrapped;
    }

    /// <summary>Opens what <see cref="Wrap"/> made; never throws on bad input.</summary>
    /// <param name="sharedSecret">From <c>IIdentity.TryAgree</c> with the sender's public key.</param>
    /// <param name="context">The same as when it was sealed.</param>
    /// <param name="wrapped">The sealed bytes.</param>
    public static Result<byte[], SealError> Unwrap(
        ReadOnlySpan<byte> sharedSecret, ReadOnlySpan<byte> context, ReadOnlySpan<byte> wrapped)
    {
        if (wrapped.Length < Overhead)
        {
            return SealError.WrongLength;
        }

        if (wrapped[0] != FormatVersion)
        {
            return wrapped[0] > FormatVersion ? SealError.NewerFormat : SealError.Malformed;
        }

        byte[] secret = new byte[wrapped.Length - Overhead];
        ReadOnlySpan<byte> body = wrapped[(1 + SaltSize)..];
        using AesGcm aes = Cipher(sharedSecret, wrapped.Slice(1, SaltSize), context);
        return AesGcmOpening.TryDecrypt(
            aes, ZeroNonce, body[..secret.Length], body[secret.Length..], secret, wrapped[..1])
            ? secret
            : SealError.NotAuthentic;
    }

    /// <summary>The salt makes the key unique, so the nonce need not be.</summary>
    private static ReadOnlySpan<byte> ZeroNonce => new byte[NonceSize];

    private static AesGcm Cipher(ReadOnlySpan<byte> sharedSecret, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> context)
    {
        Invariant.That(sharedSecret.Length == SharedSecretSize, $"a shared secret of {sharedSecret.Length} bytes");
        byte[] info = [.. "cairn/key-wrap/1"u8, 0, .. context];
        Span<byte> key = stackalloc byte[KeyDerivation.KeySize];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, sharedSecret, key, salt, info);
        AesGcm aes = new(key, SegmentCipher.TagSize);
        key.Clear();
        return aes;
    }
}
