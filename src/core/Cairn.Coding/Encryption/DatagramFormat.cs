using System.Buffers.Binary;
using System.Security.Cryptography;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Encryption;

/// <summary>The clear header of a sealed datagram, and the key of one direction of one session.</summary>
/// <remarks>
/// version 1, sender hint 8, session 8, counter 8, then sealed bytes. Source: docs/formats/datagram.md.
/// </remarks>
internal static class DatagramFormat
{
    public const byte Version = 1;
    public const int HeaderSize = 25;
    public const int NonceSize = 12;

    private const int SessionAt = 9;
    private const int CounterAt = 17;

    public static void WriteHeader(Span<byte> header, NodeId from, ulong session, ulong counter)
    {
        header[0] = Version;
        BinaryPrimitives.WriteUInt64BigEndian(header[1..], from.Value.Prefix);
        BinaryPrimitives.WriteUInt64LittleEndian(header[SessionAt..], session);
        BinaryPrimitives.WriteUInt64LittleEndian(header[CounterAt..], counter);
    }

    public static ulong Hint(ReadOnlySpan<byte> header) => BinaryPrimitives.ReadUInt64BigEndian(header[1..]);

    public static ulong Session(ReadOnlySpan<byte> header) =>
        BinaryPrimitives.ReadUInt64LittleEndian(header[SessionAt..]);

    public static ulong Counter(ReadOnlySpan<byte> header) =>
        BinaryPrimitives.ReadUInt64LittleEndian(header[CounterAt..]);

    public static AesGcm Cipher(ReadOnlySpan<byte> pairKey, NodeId from, NodeId to, ulong session)
    {
        Span<byte> context = stackalloc byte[(2 * NodeId.Size) + sizeof(ulong)];
        from.Value.CopyTo(context);
        to.Value.CopyTo(context[NodeId.Size..]);
        BinaryPrimitives.WriteUInt64LittleEndian(context[^sizeof(ulong)..], session);
        Span<byte> key = stackalloc byte[KeyDerivation.KeySize];
        KeyDerivation.Derive(pairKey, "cairn/datagram/1"u8, context, key);
        AesGcm aes = new(key, SegmentCipher.TagSize);
        key.Clear();
        return aes;
    }

    /// <summary>
    /// An ECDH secret is not uniform, so it goes through the extract step before keys are derived from it.
    /// </summary>
    public static byte[] PairKey(ReadOnlySpan<byte> sharedSecret)
    {
        Invariant.That(sharedSecret.Length == KeyWrap.SharedSecretSize, $"a secret of {sharedSecret.Length} bytes");
        byte[] key = new byte[KeyDerivation.KeySize];
        HKDF.Extract(HashAlgorithmName.SHA256, sharedSecret, "cairn/datagram/1"u8, key);
        return key;
    }

    public static void WriteNonce(Span<byte> nonce, ulong counter)
    {
        nonce.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(nonce, counter);
    }
}
