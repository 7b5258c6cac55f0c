using System.Buffers;
using System.IO.Compression;
using Cairn.Coding.Hashing;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Encryption;

/// <summary>Plain bytes to stored bytes and back: a header and segments of 16 KiB, each opened by itself.</summary>
/// <remarks>
/// Opening proves that the bytes were sealed by a holder of the epoch key for this chunk id; it does not check the
/// address: who receives, scrubs or repairs does that. Thread: any. Source: docs/formats/chunk.md.
/// </remarks>
public static class ChunkCodec
{
    /// <summary>Bytes of the salt that <see cref="TryEncodeCompressed"/> takes.</summary>
    public const int SaltSize = ChunkHeader.SaltSize;

    private const int BrotliQuality = 1;
    private const int BrotliWindowBits = 22;

    /// <summary>Stored bytes of a chunk in the deterministic encoding: for 1 MiB, 1 KiB and 32 bytes more.</summary>
    public static int StoredLength(int plainLength) => ChunkHeader.Size + SegmentCipher.SealedLength(plainLength);

    /// <summary>Seals a chunk under the current epoch, deterministically.</summary>
    /// <param name="keys">Of the volume.</param>
    /// <param name="id">Of exactly these plain bytes (<see cref="ChunkHasher.Id"/>); a wrong one breaks the key
    /// rule.</param>
    /// <param name="plain">1 byte to 4 MiB.</param>
    /// <param name="stored">Exactly <see cref="StoredLength"/> bytes.</param>
    public static ChunkRef Encode(VolumeKeyring keys, ChunkId id, ReadOnlySpan<byte> plain, Span<byte> stored)
    {
        Invariant.That(stored.Length == StoredLength(plain.Length), $"{stored.Length} bytes for {plain.Length}");
        return Seal(keys, id, ChunkHeader.Raw(plain.Length), plain, stored);
    }

    /// <summary>
    /// Compresses and seals a chunk under the current epoch, if that makes it smaller by a sixteenth.
    /// </summary>
    /// <remarks>No writer does so yet. Every reader opens such chunks already, so that one may begin at any time.</remarks>
    /// <param name="keys">Of the volume.</param>
    /// <param name="id">Of exactly these plain bytes.</param>
    /// <param name="plain">1 byte to 4 MiB.</param>
    /// <param name="salt">Fresh random <see cref="SaltSize"/> bytes: compressed bytes may differ between builds of the
    /// compressor, and a key must never meet two plaintexts.</param>
    /// <param name="stored">At least <see cref="StoredLength"/> bytes; the reference says how many are used.</param>
    /// <returns>Null when it is not worth it: then use <see cref="Encode"/>.</returns>
    public static ChunkRef? TryEncodeCompressed(
        VolumeKeyring keys, ChunkId id, ReadOnlySpan<byte> plain, ReadOnlySpan<byte> salt, Span<byte> stored)
    {
        Invariant.That(plain.Length is > 0 and <= ChunkRef.PlainBytesMax, $"a chunk of {plain.Length} bytes");
        Invariant.That(salt.Length == SaltSize, $"a salt of {salt.Length} bytes");
        byte[] buffer = ArrayPool<byte>.Shared.Rent(plain.Length);
        try
        {
            Span<byte> target = buffer.AsSpan(0, plain.Length - (plain.Length / 16));
            if (!BrotliEncoder.TryCompress(plain, target, out int length, BrotliQuality, BrotliWindowBits)
                || length == 0)
            {
                return null;
            }

            ChunkHeader header = new()
            {
                Encoding = ChunkEncoding.Compressed,
                PayloadLength = length,
                PlainLength = plain.Length,
                Salt = salt,
            };
            return Seal(keys, id, header, target[..length], stored[..StoredLength(length)]);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    /// <summary>Opens a whole chunk.</summary>
    /// <param name="keys">Of the volume that refers to it; the chunk's epoch says which it was written for.</param>
    /// <param name="chunk">What the bytes should be.</param>
    /// <param name="stored">All stored bytes.</param>
    /// <param name="plain">Exactly the chunk's plain length; its content is undefined after an error.</param>
    public static Result<Unit, ChunkError> Decode(
        VolumeKeyring keys, ChunkRef chunk, ReadOnlySpan<byte> stored, Span<byte> plain)
    {
        Invariant.That(plain.Length == chunk.PlainLength, $"{plain.Length} bytes to open {chunk} into");
        if (!keys.TryGetForReading(chunk.Epoch, out VolumeId volume, out EpochKey? epoch))
        {
            return ChunkError.UnknownEpoch;
        }

        if (chunk.Encoding > ChunkEncoding.Compressed)
        {
            return ChunkError.UnknownEncoding;
        }

        if (stored.Length != chunk.StoredLength || stored.Length < ChunkHeader.Size)
        {
            return ChunkError.WrongLength;
        }

        if (!ChunkHeader.TryRead(stored, chunk, out ChunkHeader header))
        {
            return ChunkError.WrongHeader;
        }

        if (stored.Length != StoredLength(header.PayloadLength))
        {
            return ChunkError.WrongLength;
        }

        Span<byte> associated = stackalloc byte[ChunkCipher.AssociatedSize];
        using SegmentCipher cipher = ChunkCipher.Make(volume, epoch, chunk.Id, header, associated);
        ReadOnlySpan<byte> segments = stored[ChunkHeader.Size..];
        return chunk.Encoding == ChunkEncoding.Raw
            ? Opened(cipher.TryOpenRange(0, associated, header.PayloadLength, 0, segments, plain))
            : Decompress(cipher, associated, header.PayloadLength, segments, plain);
    }

    /// <summary>Which stored bytes are needed to open a range of the plain bytes: the touched segments alone.</summary>
    /// <param name="chunk">The chunk; a compressed one is needed whole.</param>
    /// <param name="offset">In its plain bytes.</param>
    /// <param name="length">At least 1; the range lies inside the chunk.</param>
    public static StoredRange RangeOf(ChunkRef chunk, int offset, int length)
    {
        CheckRange(chunk, offset, length);
        if (chunk.Encoding != ChunkEncoding.Raw)
        {
            return new StoredRange(0, chunk.StoredLength);
        }

        StoredRange segments = SegmentCipher.RangeOf(chunk.PlainLength, offset, length);
        return segments with { Offset = ChunkHeader.Size + segments.Offset };
    }

    /// <summary>Opens a range, authenticating only the segments it touches.</summary>
    /// <param name="keys">Of the volume.</param>
    /// <param name="chunk">What the bytes should be.</param>
    /// <param name="offset">Where the range starts in the plain bytes.</param>
    /// <param name="storedRange">The stored bytes at <see cref="RangeOf"/>.</param>
    /// <param name="plain">As long as the range, at least 1; its content is undefined after an error.</param>
    public static Result<Unit, ChunkError> DecodeRange(
        VolumeKeyring keys, ChunkRef chunk, int offset, ReadOnlySpan<byte> storedRange, Span<byte> plain)
    {
        CheckRange(chunk, offset, plain.Length);
        if (chunk.Encoding != ChunkEncoding.Raw)
        {
            return DecodeRangeOfWhole(keys, chunk, offset, storedRange, plain);
        }

        if (!keys.TryGetForReading(chunk.Epoch, out VolumeId volume, out EpochKey? epoch))
        {
            return ChunkError.UnknownEpoch;
        }

        if (chunk.StoredLength != StoredLength(chunk.PlainLength)
            || storedRange.Length != RangeOf(chunk, offset, plain.Length).Length)
        {
            return ChunkError.WrongLength;
        }

        Span<byte> associated = stackalloc byte[ChunkCipher.AssociatedSize];
        using SegmentCipher cipher = ChunkCipher.Make(
            volume, epoch, chunk.Id, ChunkHeader.Raw(chunk.PlainLength), associated);
        return Opened(cipher.TryOpenRange(0, associated, chunk.PlainLength, offset, storedRange, plain));
    }

    private static ChunkRef Seal(
        VolumeKeyring keys, ChunkId id, in ChunkHeader header, ReadOnlySpan<byte> payload, Span<byte> stored)
    {
        Span<byte> associated = stackalloc byte[ChunkCipher.AssociatedSize];
        using SegmentCipher cipher = ChunkCipher.Make(keys.Volume, keys.Current, id, header, associated);
        header.Write(stored);
        cipher.Seal(0, associated, payload, stored[ChunkHeader.Size..]);

        ChunkAddress address = ChunkHasher.Address(stored);
        return new ChunkRef(id, address, keys.Current.Id, header.PlainLength, stored.Length, header.Encoding);
    }

    private static Result<Unit, ChunkError> Decompress(
        SegmentCipher cipher, ReadOnlySpan<byte> associated, int payloadLength,
        ReadOnlySpan<byte> segments, Span<byte> plain)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(payloadLength);
        try
        {
            Span<byte> payload = buffer.AsSpan(0, payloadLength);
            if (!cipher.TryOpenRange(0, associated, payloadLength, 0, segments, payload))
            {
                return ChunkError.NotAuthentic;
            }

            bool whole = BrotliDecoder.TryDecompress(payload, plain, out int written) && written == plain.Length;
            return whole ? Unit.Value : ChunkError.NotCompressed;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    private static Result<Unit, ChunkError> DecodeRangeOfWhole(
        VolumeKeyring keys, ChunkRef chunk, int offset, ReadOnlySpan<byte> stored, Span<byte> plain)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(chunk.PlainLength);
        try
        {
            Span<byte> whole = buffer.AsSpan(0, chunk.PlainLength);
            Result<Unit, ChunkError> result = Decode(keys, chunk, stored, whole);
            if (result.IsOk)
            {
                whole.Slice(offset, plain.Length).CopyTo(plain);
            }

            return result;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    private static Result<Unit, ChunkError> Opened(bool authentic) =>
        authentic ? Unit.Value : ChunkError.NotAuthentic;

    private static void CheckRange(ChunkRef chunk, int offset, int length) =>
        Invariant.That(
            offset >= 0 && length > 0 && length <= chunk.PlainLength - offset, $"range {offset}+{length} of {chunk}");
}
