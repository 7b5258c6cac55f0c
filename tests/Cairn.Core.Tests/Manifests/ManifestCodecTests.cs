using Cairn.Core.Manifests;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Manifests;

/// <summary>Bytes that are not a manifest, bytes of a newer one, and the committed bytes of this one.</summary>
public sealed class ManifestCodecTests
{
    private const string GoldenManifest =
        "0102c510c70f6daff2b3ea4c364796553b8557d0a8a80d69281a8ad5edda4280bbb90602c510c70f6daff2b3ea4c3647"
        + "96553b8514452a085697f892a7a366c27b1c2e647336239ae2487ab222a7fd6f1223c124e610f58def0430129de8b147"
        + "cc4d95610000e807980800e807008080400106696e6c696e650257d0a8a80d69281a8ad5edda4280bbb905f21e00af29"
        + "182f3d6839d1633e73bf3420a8c64782a7afd0f05cd1b6a1693c00c44889d1fda9a5911e984a65d213380101e8079808"
        + "0aac020301f4031403000001";

    private const string GoldenInlineRoot =
        "00010001010568656c6c6f";

    private const string GoldenChunkedRoot =
        "018080808080208080808080100101c510c70f6daff2b3ea4c364796553b850102c510c70f6daff2b3ea4c364796553b"
        + "8514452a085697f892a7a366c27b1c2e647336239ae2487ab222a7fd6f1223c124e610f58def0430129de8b147cc4d95"
        + "610000e807980800e807";

    [Fact]
    public void Known_manifests_have_known_bytes_for_ever()
    {
        Manifest manifest = Known();
        CheckGolden(GoldenManifest, ManifestCodec.Encode(manifest));
        Assert.Equal(manifest, ManifestCodec.Decode(Convert.FromHexString(GoldenManifest)).Value);

        ManifestRoot inline = new ManifestRoot.Inline(Manifest.OfInline("hello"u8.ToArray()));
        CheckGolden(GoldenInlineRoot, ManifestRootCodec.Encode(inline));
        Assert.Equal(inline, ManifestRootCodec.Decode(Convert.FromHexString(GoldenInlineRoot)).Value);

        ManifestRoot chunked = new ManifestRoot.Chunked(1L << 40, 1L << 39, Manifest.Of(Chunk(1, 1).Whole()));
        CheckGolden(GoldenChunkedRoot, ManifestRootCodec.Encode(chunked));
        Assert.Equal(chunked, ManifestRootCodec.Decode(Convert.FromHexString(GoldenChunkedRoot)).Value);
    }

    [Fact]
    public void A_root_tells_size_and_chunks_without_the_chunks()
    {
        ManifestRoot chunked = new ManifestRoot.Chunked(100, 60, Manifest.Of(Chunk(1, 1).Whole()));
        Assert.Equal(100, chunked.SizeBytes);
        Assert.Equal(60, chunked.DataBytes);
        Assert.Equal([Chunk(1, 1)], chunked.DirectChunks().AsEnumerable());
        ManifestRoot inline = new ManifestRoot.Inline(Known());
        Assert.Equal(Known().SizeBytes, inline.SizeBytes);
        Assert.Equal(Known().DataBytes, inline.DataBytes);
        Assert.Equal(Known().Chunks().AsEnumerable(), inline.DirectChunks().AsEnumerable());
    }

    [Fact]
    public void Every_truncation_is_a_typed_error()
    {
        byte[] bytes = ManifestCodec.Encode(Known());
        byte[] root = ManifestRootCodec.Encode(new ManifestRoot.Chunked(1 << 30, 1 << 20, Known()));
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Equal(ManifestError.Malformed, ManifestCodec.Decode(bytes.AsSpan(0, length)).Error);
        }

        for (int length = 0; length < root.Length; length++)
        {
            Assert.Equal(ManifestError.Malformed, ManifestRootCodec.Decode(root.AsSpan(0, length)).Error);
        }

        Assert.Equal(ManifestError.Malformed, ManifestCodec.Decode([.. bytes, 0]).Error);
        Assert.Equal(ManifestError.Malformed, ManifestRootCodec.Decode([.. root, 0]).Error);
    }

    [Fact]
    public void Every_flipped_bit_is_an_error_or_another_manifest_with_one_encoding()
    {
        byte[] bytes = ManifestCodec.Encode(Known());
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            CheckOneEncoding(bytes);
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void Random_bytes_never_throw()
    {
        Prng random = new(1);
        for (int round = 0; round < 20_000; round++)
        {
            byte[] bytes = new byte[random.Next(200)];
            random.Fill(bytes);
            if (bytes.Length > 3)
            {
                bytes[0] = 1;
                bytes[1] = (byte)random.Next(3);
                bytes[2] = (byte)random.Next(5);
            }

            CheckOneEncoding(bytes);
            _ = ManifestRootCodec.Decode(bytes);
        }
    }

    [Fact]
    public void A_newer_manifest_says_so()
    {
        byte[] bytes = ManifestCodec.Encode(Known());
        bytes[0] = ManifestCodec.FormatVersion + 1;
        Assert.Equal(ManifestError.NewerFormat, ManifestCodec.Decode(bytes).Error);
        bytes[0] = 0;
        Assert.Equal(ManifestError.Malformed, ManifestCodec.Decode(bytes).Error);
    }

    [Theory]
    [InlineData("01000200010001", ManifestError.NotCanonical)] // two holes side by side
    [InlineData("0100020101410101 42", ManifestError.NotCanonical)] // two inline items that fit in one
    [InlineData("0100010000", ManifestError.Malformed)] // an empty hole
    [InlineData("01000101 00", ManifestError.Malformed)] // an empty inline item
    [InlineData("01000103000001", ManifestError.Malformed)] // a known chunk that nobody named
    [InlineData("01000104", ManifestError.Malformed)] // an item of no kind
    [InlineData("010001 00ffffffffffffffffff01", ManifestError.Malformed)] // a hole longer than any offset
    [InlineData("0100ffffffff0f", ManifestError.Malformed)] // more items than bytes
    public void What_no_writer_writes_is_refused(string hex, ManifestError error)
    {
        byte[] bytes = Convert.FromHexString(hex.Replace(" ", string.Empty, StringComparison.Ordinal));
        Assert.Equal(error, ManifestCodec.Decode(bytes).Error);
    }

    [Fact]
    public void A_file_longer_than_any_offset_is_refused()
    {
        Manifest longest = Manifest.Of(
            new ManifestItem.Hole(long.MaxValue - 1), new ManifestItem.Inline(new byte[] { 65 }));
        byte[] bytes = ManifestCodec.Encode(longest);
        Assert.Equal(longest, ManifestCodec.Decode(bytes).Value);
        bytes[2] = 3;
        Assert.Equal(ManifestError.Malformed, ManifestCodec.Decode([.. bytes, 0, 1]).Error);
    }

    [Fact]
    public void An_insertion_near_the_front_leaves_most_bytes_as_they_are()
    {
        ChunkRef[] chunks = [.. Enumerable.Range(0, 500).Select(i => Chunk((ulong)i, 1))];
        byte[] before = ManifestCodec.Encode(Manifest.Of([.. chunks.Select(chunk => chunk.Whole())]));
        ManifestItem[] inserted =
            [chunks[0].Whole(), Chunk(1000, 1).Whole(), .. chunks.Skip(1).Select(chunk => chunk.Whole())];
        byte[] after = ManifestCodec.Encode(Manifest.Of(inserted));
        Assert.True(after.AsSpan().EndsWith(before.AsSpan(before.Length - (490 * 70))));
        Assert.InRange(before.Length, 500 * 66, 500 * 80);
    }

    private static void CheckOneEncoding(byte[] bytes)
    {
        if (ManifestCodec.Decode(bytes).TryGet(out Manifest? manifest, out _))
        {
            ManifestModel.CheckInvariants(manifest);
            Assert.Equal(bytes, ManifestCodec.Encode(manifest));
        }
    }

    private static void CheckGolden(string expected, byte[] actual) =>
        Assert.True(expected == Convert.ToHexStringLower(actual), Convert.ToHexStringLower(actual));

    private static Manifest Known()
    {
        ChunkRef first = Chunk(1, 1);
        ChunkRef second = Chunk(2, 2);
        return Manifest.Of(
            first.Whole(),
            new ManifestItem.Hole(1 << 20),
            new ManifestItem.Inline("inline"u8.ToArray()),
            new ManifestItem.Ref(second, 10, 300),
            new ManifestItem.Ref(first, 500, 20),
            new ManifestItem.Ref(second, 0, 1));
    }

    private static ChunkRef Chunk(ulong seed, ulong epoch)
    {
        Prng random = new(seed);
        byte[] bytes = new byte[80];
        random.Fill(bytes);
        new Prng(epoch).Fill(bytes.AsSpan(64));
        ChunkId id = new(bytes.AsSpan(0, 32));
        ChunkAddress address = new(bytes.AsSpan(32, 32));
        ChunkEncoding encoding = seed % 2 == 0 ? ChunkEncoding.Compressed : ChunkEncoding.Raw;
        return new ChunkRef(id, address, new EpochId(bytes.AsSpan(64)), 1000, 1048, encoding);
    }
}
