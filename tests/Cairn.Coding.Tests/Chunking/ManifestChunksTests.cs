using Cairn.Coding.Chunking;
using Cairn.Coding.Encryption;

namespace Cairn.Coding.Tests.Chunking;

/// <summary>The list of chunks of a large file: what a small change of the file leaves of it, and how much of it the log names.</summary>
public sealed class ManifestChunksTests
{
    private static readonly GearTable Gear = GearTable.Derive(new DedupSecret(new byte[32]));

    [Theory]
    [InlineData(5_000, 64)]
    [InlineData((2 << 20) - 1, 64)]
    [InlineData(2 << 20, 128)]
    [InlineData(20 << 20, 1024)]
    [InlineData(1 << 30, 1024)]
    public void Lengths_grow_with_the_encoding(int encodedBytes, int averageKib)
    {
        ChunkerOptions lengths = ChunkerOptions.ForManifest(encodedBytes);
        Assert.Empty(lengths.Validate());
        Assert.Equal(averageKib << 10, lengths.AverageBytes);
    }

    [Theory]
    [InlineData(650_000)]
    [InlineData(6 << 20)]
    public void Where_something_is_added_at_the_end_nearly_all_chunks_stay(int encodedBytes)
    {
        byte[] encoded = new byte[encodedBytes];
        new Random(1).NextBytes(encoded);
        List<string> before = Cut(encoded.AsSpan(0, encodedBytes - 7000));
        List<string> after = Cut(encoded);
        Assert.InRange(after.Count, 5, 64);
        Assert.InRange(after.Except(before).Count(), 1, 2);
    }

    private static List<string> Cut(ReadOnlySpan<byte> encoded)
    {
        FastCdc cutter = new(Gear, ChunkerOptions.ForManifest(encoded.Length));
        List<string> chunks = [];
        while (!encoded.IsEmpty)
        {
            int length = cutter.NextCut(encoded, isLast: true);
            chunks.Add(Convert.ToHexString(encoded[..length]));
            encoded = encoded[length..];
        }

        return chunks;
    }
}
