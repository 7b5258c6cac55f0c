using System.Collections.Immutable;
using Cairn.Coding.Bundles;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Tests.Bundles;

public sealed class BundleTests
{
    [Fact]
    public void Items_lie_where_the_builder_said_and_the_reader_finds_them()
    {
        Prng random = new(1);
        using BundleBuilder builder = new();
        for (int round = 0; round < 20; round++)
        {
            List<(int Offset, byte[] Item)> added = [];
            for (int i = 1 + random.Next(300); i > 0; i--)
            {
                byte[] item = TestKeys.Bytes((ulong)i, 1 + random.Next(20_000));
                Assert.True(builder.TryAdd(item, out int offset));
                added.Add((offset, item));
            }

            ReadOnlyMemory<byte> plain = builder.Finish();
            ImmutableArray<BundleItem> items = BundleReader.Read(plain.Span).Value;
            Assert.Equal(added.Count, items.Length);
            for (int i = 0; i < items.Length; i++)
            {
                Assert.Equal(added[i].Offset, items[i].Offset);
                Assert.True(plain.Span.Slice(items[i].Offset, items[i].Length).SequenceEqual(added[i].Item));
            }

            builder.Clear();
            Assert.Equal(0, builder.Count);
        }
    }

    [Theory]
    [InlineData(4096)]
    [InlineData(ChunkRef.PlainBytesMax)]
    public void A_full_bundle_takes_no_more_and_fits_in_a_chunk(int bytesMax)
    {
        Prng random = new(2);
        using BundleBuilder builder = new(bytesMax);
        byte[] item = TestKeys.Bytes(3, 1 + (bytesMax / 50));
        while (builder.TryAdd(item.AsSpan(random.Next(item.Length)), out _))
        {
        }

        int count = builder.Count;
        Assert.False(builder.TryAdd(new byte[bytesMax], out _));
        ReadOnlyMemory<byte> plain = builder.Finish();
        Assert.InRange(plain.Length, bytesMax * 9 / 10, bytesMax);
        Assert.Equal(count, BundleReader.Read(plain.Span).Value.Length);
    }

    [Fact]
    public void One_byte_items_fill_a_bundle()
    {
        using BundleBuilder builder = new(1000);
        while (builder.TryAdd([1], out _))
        {
        }

        Assert.Equal(builder.Count, BundleReader.Read(builder.Finish().Span).Value.Length);
    }

    [Fact]
    public void Any_truncation_or_flipped_bit_of_the_trailer_is_an_error_or_another_sound_table()
    {
        using BundleBuilder builder = new();
        foreach (int length in new[] { 5, 300, 1, 70 })
        {
            builder.TryAdd(TestKeys.Bytes(4, length), out _);
        }

        byte[] plain = builder.Finish().ToArray();
        for (int length = 0; length < plain.Length; length++)
        {
            CheckSound(plain.AsSpan(0, length));
        }

        for (int bit = 376 * 8; bit < plain.Length * 8; bit++)
        {
            plain[bit / 8] ^= (byte)(1 << (bit % 8));
            CheckSound(plain);
            plain[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void A_newer_bundle_says_so()
    {
        using BundleBuilder builder = new();
        builder.TryAdd([1, 2, 3], out _);
        byte[] plain = builder.Finish().ToArray();
        plain[^4] = 2;
        Assert.Equal(BundleError.NewerFormat, BundleReader.Read(plain).Error);
    }

    [Fact]
    public void Random_bytes_are_not_a_bundle()
    {
        for (ulong seed = 0; seed < 2000; seed++)
        {
            byte[] bytes = TestKeys.Bytes(seed, (int)(seed % 200));
            if (bytes.Length > 12)
            {
                "CBN"u8.CopyTo(bytes.AsSpan(bytes.Length - 3));
                bytes[^4] = 1;
            }

            CheckSound(bytes);
        }
    }

    private static void CheckSound(ReadOnlySpan<byte> plain)
    {
        if (BundleReader.Read(plain).TryGet(out ImmutableArray<BundleItem> items, out _))
        {
            int end = 0;
            foreach (BundleItem item in items)
            {
                Assert.Equal(end, item.Offset);
                Assert.True(item.Length > 0);
                end += item.Length;
            }

            Assert.True(end < plain.Length);
        }
    }
}
