using System.Collections.Immutable;
using Cairn.Core.Manifests;

namespace Cairn.Coding.Chunking;

/// <summary>
/// How long chunks are. Part of a volume's format: other values find no duplicates of what is stored.
/// </summary>
public sealed record ChunkerOptions
{
    private const int ManifestAverageBytesMin = 64 << 10;
    private const int ManifestChunksMax = 32;

    /// <summary>256 KiB, 1 MiB, 4 MiB.</summary>
    public static ChunkerOptions Default { get; } = new();

    /// <summary>Bytes; no cut comes before this many, and they are not looked at. Default 256 KiB.</summary>
    public int MinBytes { get; init; } = 256 * 1024;

    /// <summary>
    /// Bytes; cuts are rare before and frequent after this many, so most chunks end near it. Default 1 MiB.
    /// </summary>
    public int AverageBytes { get; init; } = 1024 * 1024;

    /// <summary>Bytes; a cut is forced here. Default 4 MiB.</summary>
    public int MaxBytes { get; init; } = ChunkRef.PlainBytesMax;

    /// <summary>The lengths into which the encoded manifest of a large file is cut. Source: docs/formats/manifest.md.</summary>
    /// <remarks>
    /// Each version of a file has a manifest, and what is said of its other parts is as before: the shorter its chunks are, the
    /// less of it is stored and sent again. But each of them is named in the log. So they are short, and there are some tens at most.
    /// </remarks>
    /// <param name="encodedBytes">How long the encoding is.</param>
    public static ChunkerOptions ForManifest(int encodedBytes)
    {
        int average = ManifestAverageBytesMin;
        while (average < Default.AverageBytes && encodedBytes / average >= ManifestChunksMax)
        {
            average *= 2;
        }

        return new ChunkerOptions { MinBytes = average / 4, AverageBytes = average, MaxBytes = 4 * average };
    }

    /// <summary>Everything that is wrong with the values; empty when nothing is.</summary>
    public ImmutableArray<string> Validate()
    {
        ImmutableArray<string>.Builder problems = ImmutableArray.CreateBuilder<string>();
        if (MinBytes < FastCdc.WindowBytes)
        {
            problems.Add($"MinBytes is {MinBytes}; at least {FastCdc.WindowBytes} are hashed before a cut");
        }

        if (AverageBytes < MinBytes || MaxBytes < AverageBytes)
        {
            problems.Add($"{MinBytes}, {AverageBytes}, {MaxBytes} are not in ascending order");
        }

        if (MaxBytes > ChunkRef.PlainBytesMax)
        {
            problems.Add($"MaxBytes is {MaxBytes}; a chunk holds at most {ChunkRef.PlainBytesMax}");
        }

        return problems.DrainToImmutable();
    }
}
