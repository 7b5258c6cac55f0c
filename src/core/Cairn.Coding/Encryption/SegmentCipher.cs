using System.Buffers.Binary;
using System.Security.Cryptography;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Encryption;

/// <summary>AES-256-GCM over a run of segments, each opened by itself: the common part of chunks and extents.</summary>
/// <remarks>
/// The nonce of a segment is a number that the key never meets twice; which segment is which, how many there are and
/// which is the last are authenticated through the associated data. Thread: one at a time (the system's cipher context
/// is not shared). Allocates the system's context when made, and nothing after. Source: docs/formats/segment.md.
/// </remarks>
internal sealed class SegmentCipher : IDisposable
{
    /// <summary>Plain bytes of every segment but the last, which has 1 to this many.</summary>
    public const int SegmentSize = 16 * 1024;

    /// <summary>Bytes of the authentication tag behind every segment.</summary>
    public const int TagSize = 16;

    private const int NonceSize = 12;
    private const int AssociatedMax = 128;
    private const int TrailerSize = 9;

    private readonly AesGcm _aes;

    /// <summary>The cipher of a key.</summary>
    public SegmentCipher(ReadOnlySpan<byte> key) => _aes = new AesGcm(key, TagSize);

    /// <summary>How many segments hold <paramref name="plainLength"/> bytes; at least 1.</summary>
    public static int Count(int plainLength) => Math.Max(1, (plainLength + SegmentSize - 1) / SegmentSize);

    /// <summary>Bytes of all sealed segments.</summary>
    public static int SealedLength(int plainLength) => plainLength + (TagSize * Count(plainLength));

    /// <summary>Where a segment's sealed bytes start among the sealed segments.</summary>
    public static int SealedStart(int segment) => segment * (SegmentSize + TagSize);

    /// <summary>Plain bytes of one segment.</summary>
    public static int PlainSize(int plainLength, int segment) =>
        Math.Min(SegmentSize, plainLength - (segment * SegmentSize));

    /// <summary>Where the sealed bytes of the segments lie that a range of the plain bytes touches.</summary>
    public static StoredRange RangeOf(int plainLength, int offset, int length)
    {
        int first = offset / SegmentSize;
        int last = (offset + length - 1) / SegmentSize;
        int end = SealedStart(last) + PlainSize(plainLength, last) + TagSize;
        return new StoredRange(SealedStart(first), end - SealedStart(first));
    }

    /// <summary>Seals all segments of <paramref name="plain"/>.</summary>
    /// <param name="firstNonce">The nonce of segment 0; the next ones count up.</param>
    /// <param name="associated">What else the tags vouch for.</param>
    public void Seal(
        ulong firstNonce, ReadOnlySpan<byte> associated, ReadOnlySpan<byte> plain, Span<byte> sealedBytes)
    {
        int count = Count(plain.Length);
        Invariant.That(sealedBytes.Length == SealedLength(plain.Length), $"{sealedBytes.Length} bytes to seal into");
        Span<byte> nonce = stackalloc byte[NonceSize];
        Span<byte> data = stackalloc byte[AssociatedMax];
        data = Prepare(associated, count, data);
        for (int segment = 0; segment < count; segment++)
        {
            ReadOnlySpan<byte> from = plain.Slice(segment * SegmentSize, PlainSize(plain.Length, segment));
            Span<byte> to = sealedBytes.Slice(SealedStart(segment), from.Length + TagSize);
            SetSegment(nonce, data, firstNonce, segment, count);
            _aes.Encrypt(nonce, from, to[..from.Length], to[from.Length..], data);
        }
    }

    /// <summary>
    /// Opens one segment; false when it is not authentic, then nothing is in <paramref name="plain"/>.
    /// </summary>
    public bool TryOpen(
        ulong firstNonce, ReadOnlySpan<byte> associated, int segment, int count,
        ReadOnlySpan<byte> sealedSegment, Span<byte> plain)
    {
        Span<byte> nonce = stackalloc byte[NonceSize];
        Span<byte> data = stackalloc byte[AssociatedMax];
        data = Prepare(associated, count, data);
        SetSegment(nonce, data, firstNonce, segment, count);
        return AesGcmOpening.TryDecrypt(
            _aes, nonce, sealedSegment[..plain.Length], sealedSegment[plain.Length..], plain, data);
    }

    /// <summary>
    /// Opens the part <paramref name="offset"/> + length of <paramref name="plain"/>, touching no other segment.
    /// </summary>
    /// <param name="plainLength">Of everything that was sealed together.</param>
    /// <param name="sealedRange">The sealed bytes of exactly the touched segments.</param>
    public bool TryOpenRange(
        ulong firstNonce, ReadOnlySpan<byte> associated, int plainLength, int offset,
        ReadOnlySpan<byte> sealedRange, Span<byte> plain)
    {
        int count = Count(plainLength);
        int first = offset / SegmentSize;
        if (plainLength == 0)
        {
            return TryOpen(firstNonce, associated, 0, count, sealedRange, plain);
        }

        Span<byte> whole = stackalloc byte[SegmentSize];
        for (int segment = first; !plain.IsEmpty; segment++)
        {
            int size = PlainSize(plainLength, segment);
            int skip = segment == first ? offset - (first * SegmentSize) : 0;
            int take = Math.Min(size - skip, plain.Length);
            Span<byte> opened = take == size ? plain[..size] : whole[..size];
            ReadOnlySpan<byte> from = sealedRange.Slice(SealedStart(segment - first), size + TagSize);
            if (!TryOpen(firstNonce, associated, segment, count, from, opened))
            {
                return false;
            }

            if (take != size)
            {
                opened.Slice(skip, take).CopyTo(plain);
            }

            plain = plain[take..];
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _aes.Dispose();

    private static Span<byte> Prepare(ReadOnlySpan<byte> associated, int count, Span<byte> data)
    {
        Invariant.That(associated.Length + TrailerSize <= AssociatedMax, $"{associated.Length} associated bytes");
        associated.CopyTo(data);
        BinaryPrimitives.WriteUInt32LittleEndian(data[associated.Length..], (uint)count);
        return data[..(associated.Length + TrailerSize)];
    }

    private static void SetSegment(Span<byte> nonce, Span<byte> data, ulong firstNonce, int segment, int count)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(nonce, firstNonce + (ulong)segment);
        BinaryPrimitives.WriteUInt32LittleEndian(nonce[8..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(data[^5..], (uint)segment);
        data[^1] = segment == count - 1 ? (byte)1 : (byte)0;
    }
}
