using System.Collections.Immutable;
using Cairn.Core.Manifests;

namespace Cairn.Coding.Chunking;

/// <summary>
/// How long chunks are. Part of a volume's format: other values find no duplicates of what is stored.
/// </summary>
public sealed record ChunkerOptions
{
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
