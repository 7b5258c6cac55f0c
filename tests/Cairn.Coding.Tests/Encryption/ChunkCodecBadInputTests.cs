using Cairn.Coding.Encryption;
using Cairn.Coding.Hashing;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Tests.Encryption;

/// <summary>
/// Damaged, cut, mixed and forged stored bytes: always a typed error, never other bytes, never an exception.
/// </summary>
public sealed class ChunkCodecBadInputTests
{
    private static readonly VolumeKeyring Keys = TestKeys.Keyring();

    [Fact]
    public void Every_flipped_bit_is_found()
    {
        byte[] plain = TestKeys.Bytes(1, 100);
        (ChunkRef chunk, byte[] stored) = ChunkCodecTests.Seal(Keys, plain);
        byte[] opened = new byte[plain.Length];
        for (int bit = 0; bit < stored.Length * 8; bit++)
        {
            stored[bit / 8] ^= (byte)(1 << (bit % 8));
            ChunkError expected = bit < 32 * 8 ? ChunkError.WrongHeader : ChunkError.NotAuthentic;
            Assert.Equal(expected, ChunkCodec.Decode(Keys, chunk, stored, opened).Error);
            Assert.NotEqual(chunk.Address, ChunkHasher.Address(stored));
            stored[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void Every_truncation_is_found()
    {
        byte[] plain = TestKeys.Bytes(2, 17_000);
        (ChunkRef chunk, byte[] stored) = ChunkCodecTests.Seal(Keys, plain);
        byte[] opened = new byte[plain.Length];
        for (int length = 0; length < stored.Length; length++)
        {
            Assert.Equal(
                ChunkError.WrongLength, ChunkCodec.Decode(Keys, chunk, stored.AsSpan(0, length), opened).Error);
        }

        Assert.Equal(ChunkError.WrongLength, ChunkCodec.Decode(Keys, chunk, [.. stored, 0], opened).Error);
    }

    [Fact]
    public void Segments_cannot_change_places_nor_be_left_out()
    {
        byte[] plain = TestKeys.Bytes(3, 4 * 16384);
        (ChunkRef chunk, byte[] stored) = ChunkCodecTests.Seal(Keys, plain);
        byte[] opened = new byte[plain.Length];
        byte[] swapped = [.. stored];
        stored.AsSpan(32, 16400).CopyTo(swapped.AsSpan(32 + 16400));
        stored.AsSpan(32 + 16400, 16400).CopyTo(swapped.AsSpan(32));
        Assert.Equal(ChunkError.NotAuthentic, ChunkCodec.Decode(Keys, chunk, swapped, opened).Error);

        byte[] shorter = stored[..(32 + (3 * 16400))];
        BitConverter.TryWriteBytes(shorter.AsSpan(8), 3 * 16384);
        BitConverter.TryWriteBytes(shorter.AsSpan(12), 3 * 16384);
        ChunkRef cut = chunk with { PlainLength = 3 * 16384, StoredLength = shorter.Length };
        Assert.Equal(ChunkError.NotAuthentic, ChunkCodec.Decode(Keys, cut, shorter, opened.AsSpan(0, 3 * 16384)).Error);
    }

    [Fact]
    public void A_chunk_opens_only_under_its_own_id_epoch_and_volume()
    {
        byte[] plain = TestKeys.Bytes(4, 5000);
        (ChunkRef chunk, byte[] stored) = ChunkCodecTests.Seal(Keys, plain);
        byte[] opened = new byte[plain.Length];
        ChunkRef otherId = chunk with { Id = new ChunkId(TestKeys.Bytes(5, 32)) };
        Assert.Equal(ChunkError.NotAuthentic, ChunkCodec.Decode(Keys, otherId, stored, opened).Error);

        VolumeKeyring otherKey = new(Keys.Volume, Keys.Dedup, new EpochKey(Keys.Current.Id, TestKeys.Bytes(6, 32)));
        Assert.Equal(ChunkError.NotAuthentic, ChunkCodec.Decode(otherKey, chunk, stored, opened).Error);

        VolumeKeyring otherVolume = new(new VolumeId(TestKeys.Bytes(7, 16)), Keys.Dedup, Keys.Current);
        Assert.Equal(ChunkError.NotAuthentic, ChunkCodec.Decode(otherVolume, chunk, stored, opened).Error);

        ChunkRef unknown = chunk with { Epoch = new EpochId(TestKeys.Bytes(8, 16)) };
        Assert.Equal(ChunkError.UnknownEpoch, ChunkCodec.Decode(Keys, unknown, stored, opened).Error);
        Assert.Equal(
            ChunkError.UnknownEpoch, ChunkCodec.DecodeRange(Keys, unknown, 0, stored.AsSpan(32), opened).Error);
    }

    [Fact]
    public void A_range_is_refused_when_a_touched_segment_is_damaged_and_only_then()
    {
        byte[] plain = TestKeys.Bytes(9, 5 * 16384);
        (ChunkRef chunk, byte[] stored) = ChunkCodecTests.Seal(Keys, plain);
        stored[32 + (2 * 16400) + 50] ^= 1;
        for (int segment = 0; segment < 5; segment++)
        {
            StoredRange range = ChunkCodec.RangeOf(chunk, (segment * 16384) + 100, 1000);
            byte[] opened = new byte[1000];
            Result<Unit, ChunkError> result = ChunkCodec.DecodeRange(
                Keys, chunk, (segment * 16384) + 100, stored.AsSpan(range.Offset, range.Length), opened);
            Assert.Equal(segment != 2, result.IsOk);
            Assert.Equal(segment != 2, plain.AsSpan((segment * 16384) + 100, 1000).SequenceEqual(opened));
        }
    }

    [Fact]
    public void A_range_of_the_wrong_length_is_refused()
    {
        byte[] plain = TestKeys.Bytes(10, 40_000);
        (ChunkRef chunk, byte[] stored) = ChunkCodecTests.Seal(Keys, plain);
        byte[] opened = new byte[20_000];
        for (int length = 0; length < stored.Length; length += 97)
        {
            ReadOnlySpan<byte> range = stored.AsSpan(32, Math.Min(length, stored.Length - 32));
            Result<Unit, ChunkError> result = ChunkCodec.DecodeRange(Keys, chunk, 10, range, opened);
            Assert.Equal(range.Length == 2 * 16400, result.IsOk);
        }

        ChunkRef lying = chunk with { StoredLength = chunk.StoredLength + 1 };
        Assert.Equal(
            ChunkError.WrongLength, ChunkCodec.DecodeRange(Keys, lying, 10, stored.AsSpan(32, 32_800), opened).Error);
    }

    [Fact]
    public void Random_bytes_are_not_a_chunk()
    {
        byte[] opened = new byte[100];
        (ChunkRef chunk, byte[] stored) = ChunkCodecTests.Seal(Keys, TestKeys.Bytes(11, 100));
        for (ulong seed = 0; seed < 500; seed++)
        {
            byte[] bytes = TestKeys.Bytes(seed, stored.Length);
            Assert.Equal(ChunkError.WrongHeader, ChunkCodec.Decode(Keys, chunk, bytes, opened).Error);
        }
    }

    [Fact]
    public void An_encoding_of_the_future_is_refused()
    {
        (ChunkRef chunk, byte[] stored) = ChunkCodecTests.Seal(Keys, TestKeys.Bytes(12, 100));
        ChunkRef future = chunk with { Encoding = (ChunkEncoding)7 };
        Assert.Equal(ChunkError.UnknownEncoding, ChunkCodec.Decode(Keys, future, stored, new byte[100]).Error);
        Assert.Equal(ChunkError.UnknownEncoding, ChunkCodec.DecodeRange(Keys, future, 0, stored, new byte[9]).Error);
    }

    [Fact]
    public void Misuse_is_a_bug()
    {
        byte[] plain = new byte[10];
        ChunkId id = ChunkHasher.Id(Keys.Dedup, plain);
        Assert.Throws<InvariantException>(() => ChunkCodec.Encode(Keys, id, plain, new byte[10]));
        Assert.Throws<InvariantException>(() => ChunkCodec.Encode(Keys, id, [], new byte[48]));
        (ChunkRef chunk, byte[] stored) = ChunkCodecTests.Seal(Keys, plain);
        Assert.Throws<InvariantException>(() => ChunkCodec.Decode(Keys, chunk, stored, new byte[9]));
        Assert.Throws<InvariantException>(() => ChunkCodec.RangeOf(chunk, 5, 6));
        Assert.Throws<InvariantException>(() => ChunkCodec.RangeOf(chunk, 0, 0));
    }
}
