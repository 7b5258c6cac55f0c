using Cairn.Core.Primitives;

namespace Cairn.Coding.Chunking;

/// <summary>
/// Cuts bytes where their content says so, so that an insertion moves cuts along instead of changing all.
/// </summary>
/// <remarks>
/// Source: Xia et al., "FastCDC" (USENIX ATC 2016), sections 3.2 to 3.5 (gear hash, minimum skipping, normalised
/// chunking of level 2), with a threshold instead of a mask; docs/formats/chunking.md. A cut depends on the 64 bytes
/// before it and on the chunk's start. Thread: any. Allocates nothing.
/// </remarks>
public sealed class FastCdc
{
    /// <summary>Bytes that the hash remembers: every byte is shifted out after 64 steps.</summary>
    internal const int WindowBytes = 64;

    private const int NormalizationLevel = 2;

    private readonly GearTable _gear;
    private readonly ChunkerOptions _options;
    private readonly ulong _rareThreshold;
    private readonly ulong _frequentThreshold;

    /// <summary>A cutter for one volume.</summary>
    public FastCdc(GearTable gear, ChunkerOptions options)
    {
        Invariant.That(options.Validate().IsEmpty, $"chunker options: {string.Join("; ", options.Validate())}");
        _gear = gear;
        _options = options;
        ulong average = ulong.MaxValue / (ulong)options.AverageBytes;
        _rareThreshold = average >> NormalizationLevel;
        _frequentThreshold = average << NormalizationLevel;
    }

    /// <summary>Lengths this cutter keeps to.</summary>
    public ChunkerOptions Options => _options;

    /// <summary>The length of the first chunk of <paramref name="data"/>.</summary>
    /// <param name="data">From the chunk's first byte on; what lies behind the maximum is not looked at.</param>
    /// <param name="isLast">Whether nothing follows <paramref name="data"/>: then its end is a cut.</param>
    /// <returns>0 when more bytes are needed (or there are none).</returns>
    public int NextCut(ReadOnlySpan<byte> data, bool isLast)
    {
        bool reachesMax = data.Length >= _options.MaxBytes;
        ReadOnlySpan<byte> seen = reachesMax ? data[.._options.MaxBytes] : data;
        if (seen.Length > _options.MinBytes)
        {
            int cut = Scan(seen);
            if (cut > 0)
            {
                return cut;
            }
        }

        return reachesMax || isLast ? seen.Length : 0;
    }

    private int Scan(ReadOnlySpan<byte> data)
    {
        int normal = Math.Min(_options.AverageBytes, data.Length);
        ReadOnlySpan<ulong> gear = _gear.Words;
        int cut = GearScan.Find(gear, data[..normal], _options.MinBytes, _rareThreshold);
        if (cut > 0)
        {
            return _options.MinBytes + cut;
        }

        cut = GearScan.Find(gear, data, normal, _frequentThreshold);
        return cut > 0 ? normal + cut : 0;
    }
}
