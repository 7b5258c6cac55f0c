using System.Buffers.Binary;
using System.Security.Cryptography;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Encryption;

/// <summary>Seals the values of a node's index, and masks the names in its keys.</summary>
/// <remarks>
/// One per index file: its keys come from the home's secret and the file's random salt. Nonces are a random number of this
/// run and a counter, so that none comes twice though nothing about them is kept. A mask is the same for the same key,
/// because it is looked up; it tells that two keys are equal and nothing else.
/// Thread: one at a time. Source: docs/formats/sealed-index.md.
/// </remarks>
public sealed class IndexCipher : IDisposable
{
    /// <summary>Length of a file's salt in bytes.</summary>
    public const int SaltSize = 32;

    /// <summary>Length of what stands for a name in a key, in bytes.</summary>
    public const int MaskSize = 16;

    /// <summary>How much longer a sealed value is, in bytes: a nonce and a tag.</summary>
    public const int Overhead = NonceSize + TagSize;

    private const int NonceSize = 12;
    private const int TagSize = 16;

    private readonly IncrementalHash _masking;
    private readonly AesGcm _cipher;
    private readonly ulong _run;
    private uint _next;

    /// <summary>The cipher of one file in one run.</summary>
    /// <param name="homeSecret">Kept with the node's keys: random, 32 bytes.</param>
    /// <param name="salt">The file's; random, <see cref="SaltSize"/> bytes.</param>
    /// <param name="run">Random and new for every cipher that seals.</param>
    public IndexCipher(ReadOnlySpan<byte> homeSecret, ReadOnlySpan<byte> salt, ulong run)
    {
        Invariant.That(salt.Length == SaltSize, $"a salt of {salt.Length} bytes");
        _run = run;
        Span<byte> key = stackalloc byte[KeyDerivation.KeySize];
        KeyDerivation.Derive(homeSecret, "cairn/index-value/1"u8, salt, key);
        _cipher = new AesGcm(key, TagSize);
        KeyDerivation.Derive(homeSecret, "cairn/index-name/1"u8, salt, key);
        _masking = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        CryptographicOperations.ZeroMemory(key);
    }

    /// <summary>Whether every nonce of this run was used: another cipher takes over.</summary>
    public bool IsSpent => _next == uint.MaxValue;

    /// <summary>What stands for a key's name.</summary>
    /// <param name="key">The whole key, its name in the clear.</param>
    /// <param name="mask"><see cref="MaskSize"/> bytes.</param>
    public void Mask(ReadOnlySpan<byte> key, Span<byte> mask)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        _masking.AppendData(key);
        _masking.GetHashAndReset(hash);
        hash[..MaskSize].CopyTo(mask);
    }

    /// <summary>Seals a value.</summary>
    /// <param name="key">The key as it is stored: the value opens under no other.</param>
    /// <param name="plain">The value.</param>
    /// <param name="sealedBytes"><see cref="Overhead"/> longer.</param>
    public void Seal(ReadOnlySpan<byte> key, ReadOnlySpan<byte> plain, Span<byte> sealedBytes)
    {
        Invariant.That(!IsSpent, "a run of 2^32 values goes on");
        Span<byte> nonce = sealedBytes[..NonceSize];
        BinaryPrimitives.WriteUInt64LittleEndian(nonce, _run);
        BinaryPrimitives.WriteUInt32LittleEndian(nonce[sizeof(ulong)..], _next++);
        int length = plain.Length;
        _cipher.Encrypt(
            nonce, plain, sealedBytes.Slice(NonceSize, length), sealedBytes.Slice(NonceSize + length, TagSize), key);
    }

    /// <summary>Opens a value.</summary>
    /// <param name="key">The key as it is stored.</param>
    /// <param name="sealedBytes">What <see cref="Seal"/> wrote.</param>
    /// <param name="plain"><see cref="Overhead"/> shorter; its content is undefined after a failure.</param>
    /// <returns>Whether it is what was sealed under this key.</returns>
    public bool TryOpen(ReadOnlySpan<byte> key, ReadOnlySpan<byte> sealedBytes, Span<byte> plain)
    {
        int length = sealedBytes.Length - Overhead;
        if (length < 0 || plain.Length != length)
        {
            return false;
        }

        ReadOnlySpan<byte> nonce = sealedBytes[..NonceSize];
        return AesGcmOpening.TryDecrypt(
            _cipher, nonce, sealedBytes.Slice(NonceSize, length), sealedBytes[^TagSize..], plain, key);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cipher.Dispose();
        _masking.Dispose();
    }
}
