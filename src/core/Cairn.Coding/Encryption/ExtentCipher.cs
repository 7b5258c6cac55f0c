using Cairn.Core.Primitives;

namespace Cairn.Coding.Encryption;

/// <summary>Seals what goes into the journal before it is acknowledged, and opens any range of it again.</summary>
/// <remarks>
/// One per run of the daemon: the key comes from the home's secret and a random run id, the nonces from a counter that
/// lives no longer than the run, so no key meets a nonce twice whatever was lost at a crash. The run id is written in
/// the clear beside the bytes. Segments of 16 KiB, so a 4 KiB read opens 16 KiB at most twice.
/// Thread: any. Allocates only while more threads than before seal or open at once. Source: docs/formats/extent.md.
/// </remarks>
public sealed class ExtentCipher : IDisposable
{
    /// <summary>Length of the home's secret in bytes.</summary>
    public const int SecretSize = KeyDerivation.KeySize;

    /// <summary>The most bytes of context a caller may bind to an extent.</summary>
    public const int AssociatedBytesMax = 64;

    private const int CiphersKept = 4;

    private readonly byte[] _key = new byte[KeyDerivation.KeySize];
    private readonly SegmentCipher?[] _idle = new SegmentCipher?[CiphersKept];
    private ulong _nextNonce;

    /// <summary>The cipher of one run.</summary>
    /// <param name="homeSecret">Kept with the node's keys: random, 32 bytes.</param>
    /// <param name="run">Random and new at every start; for an old run, what its records say.</param>
    public ExtentCipher(ReadOnlySpan<byte> homeSecret, Bytes16 run)
    {
        Span<byte> context = stackalloc byte[Bytes16.Size];
        run.CopyTo(context);
        KeyDerivation.Derive(homeSecret, "cairn/extent/1"u8, context, _key);
        Run = run;
    }

    /// <summary>Names the key; written in the clear beside what is sealed.</summary>
    public Bytes16 Run { get; }

    /// <summary>Sealed bytes of an extent: a tag for every 16 KiB more.</summary>
    public static int SealedLength(int plainLength) => SegmentCipher.SealedLength(plainLength);

    /// <summary>Seals an extent under nonces that this run never used.</summary>
    /// <param name="associated">What else must match when it is opened; at most <see
    /// cref="AssociatedBytesMax"/>.</param>
    /// <param name="plain">The bytes; may be empty.</param>
    /// <param name="sealedBytes">Exactly <see cref="SealedLength"/> bytes.</param>
    /// <returns>The first nonce, to be written beside the bytes.</returns>
    public ulong Seal(ReadOnlySpan<byte> associated, ReadOnlySpan<byte> plain, Span<byte> sealedBytes)
    {
        ulong count = (ulong)SegmentCipher.Count(plain.Length);
        ulong firstNonce = Interlocked.Add(ref _nextNonce, count) - count;
        SegmentCipher cipher = Take();
        cipher.Seal(firstNonce, associated, plain, sealedBytes);
        GiveBack(cipher);
        return firstNonce;
    }

    /// <summary>Which sealed bytes are needed to open a range: the touched segments alone.</summary>
    public static StoredRange RangeOf(int plainLength, int offset, int length)
    {
        Invariant.That(
            offset >= 0 && length > 0 && length <= plainLength - offset, $"range {offset}+{length} of {plainLength}");
        return SegmentCipher.RangeOf(plainLength, offset, length);
    }

    /// <summary>Opens a range of an extent of this run.</summary>
    /// <param name="firstNonce">What <see cref="Seal"/> returned.</param>
    /// <param name="associated">The same as when it was sealed.</param>
    /// <param name="plainLength">Of the whole extent.</param>
    /// <param name="offset">Where the range starts in it.</param>
    /// <param name="sealedRange">The sealed bytes at <see cref="RangeOf"/>.</param>
    /// <param name="plain">As long as the range; its content is undefined after an error.</param>
    public Result<Unit, SealError> Open(
        ulong firstNonce, ReadOnlySpan<byte> associated, int plainLength, int offset,
        ReadOnlySpan<byte> sealedRange, Span<byte> plain)
    {
        if (plain.Length == 0 ? sealedRange.Length != SegmentCipher.TagSize || plainLength != 0
            : sealedRange.Length != RangeOf(plainLength, offset, plain.Length).Length)
        {
            return SealError.WrongLength;
        }

        SegmentCipher cipher = Take();
        bool authentic = cipher.TryOpenRange(firstNonce, associated, plainLength, offset, sealedRange, plain);
        GiveBack(cipher);
        return authentic ? Unit.Value : SealError.NotAuthentic;
    }

    /// <summary>Forgets the key.</summary>
    public void Dispose()
    {
        for (int i = 0; i < CiphersKept; i++)
        {
            Interlocked.Exchange(ref _idle[i], null)?.Dispose();
        }

        _key.AsSpan().Clear();
    }

    private SegmentCipher Take()
    {
        for (int i = 0; i < CiphersKept; i++)
        {
            if (Interlocked.Exchange(ref _idle[i], null) is { } cipher)
            {
                return cipher;
            }
        }

        return new SegmentCipher(_key);
    }

    private void GiveBack(SegmentCipher cipher)
    {
        for (int i = 0; i < CiphersKept; i++)
        {
            if (Interlocked.CompareExchange(ref _idle[i], cipher, null) is null)
            {
                return;
            }
        }

        cipher.Dispose();
    }
}
