using System.Buffers.Binary;
using System.Security.Cryptography;
using Cairn.Coding.Chunking;
using Cairn.Coding.Encryption;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Tests.Chunking;

public sealed class FastCdcTests
{
    private static readonly byte[] Secret = TestKeys.Bytes(1, 32);
    private static readonly GearTable Gear = GearTable.Derive(new DedupSecret(Secret));
    private static readonly ChunkerOptions Small = new() { MinBytes = 64, AverageBytes = 512, MaxBytes = 4096 };
    private static readonly FastCdc SmallCutter = new(Gear, Small);
    private static readonly FastCdc Cutter = new(Gear, ChunkerOptions.Default);

    [Theory]
    [InlineData(64, 512, 4096)]
    [InlineData(100, 40_000, 100_000)]
    [InlineData(4096, 4096, 70_000)]
    [InlineData(262_144, 1_048_576, 4_194_304)]
    public void The_fast_scan_cuts_where_a_plain_loop_cuts(int min, int average, int max)
    {
        ChunkerOptions options = new() { MinBytes = min, AverageBytes = average, MaxBytes = max };
        FastCdc cutter = new(Gear, options);
        byte[] data = TestKeys.Bytes(2, (3 * max) + 1234);
        int offset = 0;
        while (offset < data.Length)
        {
            int cut = cutter.NextCut(data.AsSpan(offset), isLast: true);
            Assert.Equal(PlainLoop(options, data.AsSpan(offset)), cut);
            offset += cut;
        }
    }

    [Fact]
    public void Every_chunk_keeps_the_lengths_and_together_they_are_the_data()
    {
        Prng random = new(3);
        for (int round = 0; round < 100; round++)
        {
            byte[] data = TestKeys.Bytes((ulong)round, random.Next(60_000));
            List<int> cuts = Cuts(SmallCutter, data);
            Assert.Equal(data.Length, cuts.Sum());
            Assert.All(cuts, cut => Assert.InRange(cut, 1, Small.MaxBytes));
            Assert.All(cuts.SkipLast(1), cut => Assert.True(cut > Small.MinBytes));
        }
    }

    [Fact]
    public void Bytes_that_come_piece_by_piece_are_cut_like_bytes_that_come_at_once()
    {
        Prng random = new(4);
        byte[] data = TestKeys.Bytes(5, 200_000);
        List<int> cuts = [];
        int start = 0;
        int seen = 0;
        while (start < data.Length)
        {
            int cut = SmallCutter.NextCut(data.AsSpan(start..seen), isLast: seen == data.Length);
            if (cut == 0)
            {
                seen = Math.Min(data.Length, seen + 1 + random.Next(700));
                continue;
            }

            cuts.Add(cut);
            start += cut;
        }

        Assert.Equal(Cuts(SmallCutter, data), cuts);
    }

    [Fact]
    public void An_insertion_changes_only_the_cuts_around_it()
    {
        byte[] data = TestKeys.Bytes(6, 300_000);
        Prng random = new(7);
        for (int round = 0; round < 20; round++)
        {
            int at = random.Next(data.Length);
            byte[] changed = [.. data[..at], .. TestKeys.Bytes((ulong)round, 1 + random.Next(100)), .. data[at..]];
            HashSet<string> before = [.. Pieces(data)];
            int kept = Pieces(changed).Count(before.Contains);
            Assert.True(kept >= before.Count - 12, $"{kept} of {before.Count} chunks kept");
        }
    }

    [Fact]
    public void Chunks_are_about_as_long_as_asked()
    {
        List<int> cuts = Cuts(Cutter, TestKeys.Bytes(8, 64 * 1024 * 1024));
        Assert.InRange(cuts.Average(), 900_000, 1_400_000);
    }

    [Fact]
    public void Zeros_are_cut_at_the_maximum_or_wherever_but_always_in_bounds()
    {
        List<int> cuts = Cuts(SmallCutter, new byte[50_000]);
        Assert.Equal(50_000, cuts.Sum());
        Assert.All(cuts, cut => Assert.InRange(cut, 1, Small.MaxBytes));
    }

    [Fact]
    public void Nothing_is_cut_from_nothing_and_too_little_waits()
    {
        Assert.Equal(0, Cutter.NextCut([], isLast: true));
        Assert.Equal(0, Cutter.NextCut(new byte[1000], isLast: false));
        Assert.Equal(1000, Cutter.NextCut(new byte[1000], isLast: true));
        Assert.Equal(ChunkerOptions.Default.MinBytes, Cutter.NextCut(new byte[256 * 1024], isLast: true));
    }

    [Fact]
    public void Another_secret_cuts_elsewhere()
    {
        byte[] data = TestKeys.Bytes(9, 100_000);
        FastCdc other = new(GearTable.Derive(new DedupSecret(TestKeys.Bytes(10, 32))), Small);
        Assert.NotEqual(Cuts(SmallCutter, data), Cuts(other, data));
    }

    [Fact]
    public void The_cuts_of_known_bytes_never_change()
    {
        // Computed by an independent implementation of docs/formats/chunking.md.
        Assert.Equal(
            [1108850, 1162058, 1245937, 1681717, 1084039, 1059201, 1046806],
            Cuts(Cutter, TestKeys.Bytes(11, 8 * 1024 * 1024)));
        Assert.Equal(
            [1218, 577, 228, 534, 583, 523, 679, 587, 758, 597, 705, 241, 566, 204],
            Cuts(SmallCutter, TestKeys.Bytes(12, 8000)));
    }

    [Fact]
    public void Impossible_options_are_named_all_at_once()
    {
        Assert.Empty(ChunkerOptions.Default.Validate());
        Assert.Equal(3, new ChunkerOptions { MinBytes = 1, AverageBytes = 0, MaxBytes = 5_000_000 }.Validate().Length);
        Assert.Throws<InvariantException>(() => new FastCdc(Gear, new ChunkerOptions { MinBytes = 2_000_000 }));
    }

    private static List<int> Cuts(FastCdc cutter, byte[] data)
    {
        List<int> cuts = [];
        for (int offset = 0; offset < data.Length; offset += cuts[^1])
        {
            cuts.Add(cutter.NextCut(data.AsSpan(offset), isLast: true));
        }

        return cuts;
    }

    private static IEnumerable<string> Pieces(byte[] data)
    {
        int offset = 0;
        foreach (int cut in Cuts(SmallCutter, data))
        {
            yield return Convert.ToHexString(data.AsSpan(offset, cut));
            offset += cut;
        }
    }

    /// <summary>docs/formats/chunking.md, word by word.</summary>
    private static int PlainLoop(ChunkerOptions options, ReadOnlySpan<byte> data)
    {
        byte[] gear = HKDF.DeriveKey(HashAlgorithmName.SHA256, Secret, 2048, "cairn/gear/1"u8.ToArray());
        ulong hash = 0;
        int end = Math.Min(data.Length, options.MaxBytes);
        for (int i = options.MinBytes - 64; i < end; i++)
        {
            hash = (hash << 1) + BinaryPrimitives.ReadUInt64LittleEndian(gear.AsSpan(8 * data[i]));
            ulong oneIn = ulong.MaxValue / (ulong)options.AverageBytes;
            ulong threshold = i < options.AverageBytes ? oneIn >> 2 : oneIn << 2;
            if (i >= options.MinBytes && hash < threshold)
            {
                return i + 1;
            }
        }

        return end;
    }
}
