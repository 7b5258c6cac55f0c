using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Encryption;

/// <summary>Seals a node's keys at rest under a passphrase.</summary>
/// <remarks>
/// PBKDF2-HMAC-SHA512, then AES-256-GCM. Source: RFC 8018 section 5.2; docs/formats/passphrase-seal.md.
/// </remarks>
public static class PassphraseSeal
{
    /// <summary>The version this code writes and the newest it opens.</summary>
    public const byte FormatVersion = 1;

    /// <summary>Rounds for new seals: about a fifth of a second here; twice what OWASP asks of PBKDF2-SHA512.</summary>
    public const int IterationsDefault = 420_000;

    /// <summary>The most rounds a seal may ask for, so that a damaged file cannot stop the daemon for hours.</summary>
    public const int IterationsMax = 20_000_000;

    /// <summary>Bytes of the random salt.</summary>
    public const int SaltSize = 16;

    private const int NonceSize = 12;
    private const int HeaderSize = 1 + sizeof(uint) + SaltSize;
    private const int Overhead = HeaderSize + SegmentCipher.TagSize;

    /// <summary>Seals a secret.</summary>
    /// <param name="passphrase">As typed; hashed as UTF-8, not normalised.</param>
    /// <param name="salt">Fresh random <see cref="SaltSize"/> bytes.</param>
    /// <param name="iterations">1 to <see cref="IterationsMax"/>; <see cref="IterationsDefault"/> but in tests.</param>
    /// <param name="secret">What to seal.</param>
    public static byte[] Seal(
        ReadOnlySpan<char> passphrase, ReadOnlySpan<byte> salt, int iterations, ReadOnlySpan<byte> secret)
    {
        Invariant.That(salt.Length == SaltSize, $"a salt of {salt.Length} bytes");
        Invariant.That(iterations is > 0 and <= IterationsMax, $"{iterations} rounds");
        byte[] sealedBytes = new byte[secret.Length + Overhead];
        sealedBytes[0] = FormatVersion;
        BinaryPrimitives.WriteInt32LittleEndian(sealedBytes.AsSpan(1), iterations);
        salt.CopyTo(sealedBytes.AsSpan(1 + sizeof(uint)));
        ReadOnlySpan<byte> header = sealedBytes.AsSpan(0, HeaderSize);
        Span<byte> body = sealedBytes.AsSpan(HeaderSize);
        using AesGcm aes = Cipher(passphrase, salt, iterations);
        aes.Encrypt(ZeroNonce, secret, body[..secret.Length], body[secret.Length..], header);
        return sealedBytes;
    }

    /// <summary>
    /// Opens what <see cref="Seal"/> made; a wrong passphrase is <see cref="SealError.NotAuthentic"/>.
    /// </summary>
    public static Result<byte[], SealError> Open(ReadOnlySpan<char> passphrase, ReadOnlySpan<byte> sealedBytes)
    {
        if (sealedBytes.Length < Overhead)
        {
            return SealError.WrongLength;
        }

        if (sealedBytes[0] != FormatVersion)
        {
            return sealedBytes[0] > FormatVersion ? SealError.NewerFormat : SealError.Malformed;
        }

        int iterations = BinaryPrimitives.ReadInt32LittleEndian(sealedBytes[1..]);
        if (iterations is <= 0 or > IterationsMax)
        {
            return SealError.Malformed;
        }

        byte[] secret = new byte[sealedBytes.Length - Overhead];
        ReadOnlySpan<byte> header = sealedBytes[..HeaderSize];
        ReadOnlySpan<byte> body = sealedBytes[HeaderSize..];
        using AesGcm aes = Cipher(passphrase, header[(1 + sizeof(uint))..], iterations);
        return AesGcmOpening.TryDecrypt(aes, ZeroNonce, body[..secret.Length], body[secret.Length..], secret, header)
            ? secret
            : SealError.NotAuthentic;
    }

    /// <summary>The salt makes the key unique, so the nonce need not be.</summary>
    private static ReadOnlySpan<byte> ZeroNonce => new byte[NonceSize];

    private static AesGcm Cipher(ReadOnlySpan<char> passphrase, ReadOnlySpan<byte> salt, int iterations)
    {
        byte[] typed = new byte[Encoding.UTF8.GetByteCount(passphrase)];
        Encoding.UTF8.GetBytes(passphrase, typed);
        Span<byte> key = stackalloc byte[KeyDerivation.KeySize];
        Rfc2898DeriveBytes.Pbkdf2(typed, salt, key, iterations, HashAlgorithmName.SHA512);
        AesGcm aes = new(key, SegmentCipher.TagSize);
        key.Clear();
        CryptographicOperations.ZeroMemory(typed);
        return aes;
    }
}
