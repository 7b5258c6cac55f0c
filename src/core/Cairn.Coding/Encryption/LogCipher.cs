using System.Buffers.Binary;
using System.Security.Cryptography;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Encryption;

/// <summary>Seals the payload of a log block, so that names and attributes travel and rest encrypted.</summary>
/// <remarks>
/// Deterministic: the salt is a keyed hash of the payload, so a log whose tail was lost and written again with other
/// content (a restored backup, a cloned machine) still never meets one key and nonce with two payloads.
/// Source: docs/formats/log-seal.md. Thread: any.
/// </remarks>
public static class LogCipher
{
    /// <summary>Bytes that sealing adds: a salt in front and a tag behind.</summary>
    public const int Overhead = SaltSize + SegmentCipher.TagSize;

    private const int SaltSize = 16;
    private const int NonceSize = 12;
    private const int ContextSize = VolumeId.Size + NodeId.Size + sizeof(uint) + sizeof(ulong);

    /// <summary>Seals a payload.</summary>
    /// <param name="epoch">The block's epoch: current when it was made.</param>
    /// <param name="volume">Whose log.</param>
    /// <param name="log">Which log.</param>
    /// <param name="blockSeq">The block's number in it.</param>
    /// <param name="plain">The payload.</param>
    /// <param name="sealedBytes">Exactly <see cref="Overhead"/> bytes longer.</param>
    public static void Seal(
        EpochKey epoch, VolumeId volume, LogId log, ulong blockSeq, ReadOnlySpan<byte> plain, Span<byte> sealedBytes)
    {
        Invariant.That(sealedBytes.Length == plain.Length + Overhead, $"{sealedBytes.Length} bytes for {plain.Length}");
        Span<byte> context = stackalloc byte[ContextSize];
        WriteContext(context, volume, log, blockSeq);
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        Span<byte> key = stackalloc byte[KeyDerivation.KeySize];
        KeyDerivation.Derive(epoch.Bytes, "cairn/log-salt/1"u8, context, key);
        HMACSHA256.HashData(key, plain, hash);
        hash[..SaltSize].CopyTo(sealedBytes);

        using AesGcm aes = Cipher(epoch, context, sealedBytes[..SaltSize]);
        Span<byte> nonce = stackalloc byte[NonceSize];
        WriteNonce(nonce, blockSeq);
        aes.Encrypt(
            nonce, plain, sealedBytes.Slice(SaltSize, plain.Length), sealedBytes[(SaltSize + plain.Length)..], context);
    }

    /// <summary>Opens what <see cref="Seal"/> made.</summary>
    /// <param name="keys">Of the volume.</param>
    /// <param name="epochId">Named in the block's header.</param>
    /// <param name="log">Which log.</param>
    /// <param name="blockSeq">The block's number in it.</param>
    /// <param name="sealedBytes">The sealed payload.</param>
    /// <param name="plain">Exactly <see cref="Overhead"/> bytes shorter, if that many are there.</param>
    public static Result<Unit, SealError> Open(
        VolumeKeyring keys, EpochId epochId, LogId log, ulong blockSeq,
        ReadOnlySpan<byte> sealedBytes, Span<byte> plain)
    {
        if (sealedBytes.Length < Overhead || sealedBytes.Length != plain.Length + Overhead)
        {
            return SealError.WrongLength;
        }

        if (!keys.TryGet(epochId, out EpochKey? epoch))
        {
            return SealError.UnknownEpoch;
        }

        Span<byte> context = stackalloc byte[ContextSize];
        WriteContext(context, keys.Volume, log, blockSeq);
        using AesGcm aes = Cipher(epoch, context, sealedBytes[..SaltSize]);
        Span<byte> nonce = stackalloc byte[NonceSize];
        WriteNonce(nonce, blockSeq);
        ReadOnlySpan<byte> body = sealedBytes[SaltSize..];
        return AesGcmOpening.TryDecrypt(aes, nonce, body[..plain.Length], body[plain.Length..], plain, context)
            ? Unit.Value
            : SealError.NotAuthentic;
    }

    private static AesGcm Cipher(EpochKey epoch, ReadOnlySpan<byte> context, ReadOnlySpan<byte> salt)
    {
        Span<byte> salted = stackalloc byte[ContextSize + SaltSize];
        context.CopyTo(salted);
        salt.CopyTo(salted[ContextSize..]);
        Span<byte> key = stackalloc byte[KeyDerivation.KeySize];
        KeyDerivation.Derive(epoch.Bytes, "cairn/log/1"u8, salted, key);
        AesGcm aes = new(key, SegmentCipher.TagSize);
        key.Clear();
        return aes;
    }

    private static void WriteContext(Span<byte> context, VolumeId volume, LogId log, ulong blockSeq)
    {
        volume.Value.CopyTo(context);
        log.Author.Value.CopyTo(context[VolumeId.Size..]);
        BinaryPrimitives.WriteUInt32LittleEndian(context[(VolumeId.Size + NodeId.Size)..], log.Incarnation);
        BinaryPrimitives.WriteUInt64LittleEndian(context[^sizeof(ulong)..], blockSeq);
    }

    private static void WriteNonce(Span<byte> nonce, ulong blockSeq)
    {
        nonce.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(nonce, blockSeq);
    }
}
