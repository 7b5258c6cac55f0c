using System.Text;
using Cairn.Coding.Encryption;
using Cairn.Coding.Hashing;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Tests.Encryption;

public sealed class CompressedChunkTests
{
    private static readonly VolumeKeyring Keys = TestKeys.Keyring();
    private static readonly byte[] Text = Encoding.UTF8.GetBytes(
        string.Concat(Enumerable.Range(0, 9000).Select(i => $"line {i} of a text that repeats itself\n")));

    [Fact]
    public void Text_gets_smaller_and_opens_to_the_same_bytes()
    {
        (ChunkRef chunk, byte[] stored) = Seal(Text, TestKeys.Bytes(1, 16));
        Assert.Equal(ChunkEncoding.Compressed, chunk.Encoding);
        Assert.True(chunk.StoredLength < Text.Length / 2);
        Assert.Equal(ChunkHasher.Address(stored), chunk.Address);

        byte[] opened = new byte[Text.Length];
        Assert.True(ChunkCodec.Decode(Keys, chunk, stored, opened).IsOk);
        Assert.Equal(Text, opened);
    }

    [Fact]
    public void A_range_needs_the_whole_chunk_and_opens()
    {
        (ChunkRef chunk, byte[] stored) = Seal(Text, TestKeys.Bytes(1, 16));
        Assert.Equal(new StoredRange(0, stored.Length), ChunkCodec.RangeOf(chunk, 1000, 50));
        byte[] opened = new byte[50];
        Assert.True(ChunkCodec.DecodeRange(Keys, chunk, 1000, stored, opened).IsOk);
        Assert.Equal(Text[1000..1050], opened);
    }

    [Fact]
    public void Another_salt_is_another_key()
    {
        (ChunkRef one, byte[] oneStored) = Seal(Text, TestKeys.Bytes(1, 16));
        (ChunkRef two, byte[] twoStored) = Seal(Text, TestKeys.Bytes(2, 16));
        Assert.Equal(one.Id, two.Id);
        Assert.NotEqual(one.Address, two.Address);
        Assert.False(oneStored.AsSpan(32, 64).SequenceEqual(twoStored.AsSpan(32, 64)));
    }

    [Fact]
    public void Random_bytes_are_not_worth_it()
    {
        byte[] plain = TestKeys.Bytes(3, 100_000);
        byte[] stored = new byte[ChunkCodec.StoredLength(plain.Length)];
        ChunkId id = ChunkHasher.Id(Keys.Dedup, plain);
        Assert.Null(ChunkCodec.TryEncodeCompressed(Keys, id, plain, new byte[16], stored));
        Assert.Null(ChunkCodec.TryEncodeCompressed(Keys, id, plain.AsSpan(0, 1), new byte[16], stored));
    }

    [Fact]
    public void Every_flipped_bit_and_truncation_is_found()
    {
        byte[] plain = new byte[300];
        (ChunkRef chunk, byte[] stored) = Seal(plain, TestKeys.Bytes(1, 16));
        byte[] opened = new byte[plain.Length];
        for (int bit = 0; bit < stored.Length * 8; bit++)
        {
            stored[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(ChunkCodec.Decode(Keys, chunk, stored, opened).IsOk, $"bit {bit}");
            stored[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        for (int length = 0; length < stored.Length; length++)
        {
            Assert.Equal(
                ChunkError.WrongLength, ChunkCodec.Decode(Keys, chunk, stored.AsSpan(0, length), opened).Error);
        }
    }

    [Fact]
    public void A_reference_with_the_wrong_plain_length_is_refused()
    {
        (ChunkRef chunk, byte[] stored) = Seal(new byte[300], TestKeys.Bytes(1, 16));
        ChunkRef lying = chunk with { PlainLength = 299 };
        Assert.Equal(ChunkError.WrongHeader, ChunkCodec.Decode(Keys, lying, stored, new byte[299]).Error);
    }

    private static (ChunkRef Chunk, byte[] Stored) Seal(byte[] plain, byte[] salt)
    {
        byte[] stored = new byte[ChunkCodec.StoredLength(plain.Length)];
        ChunkId id = ChunkHasher.Id(Keys.Dedup, plain);
        ChunkRef? chunk = ChunkCodec.TryEncodeCompressed(Keys, id, plain, salt, stored);
        Assert.NotNull(chunk);
        return (chunk, stored[..chunk.StoredLength]);
    }
}
