using Cairn.Coding.Encryption;
using Cairn.Coding.Hashing;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Tests.Encryption;

public sealed class ChunkCodecTests
{
    private static readonly VolumeKeyring Keys = TestKeys.Keyring();

    public static TheoryData<int> Lengths =>
        [1, 15, 16, 4096, 16383, 16384, 16385, 32768, 100_000, 1024 * 1024, ChunkRef.PlainBytesMax];

    [Theory]
    [MemberData(nameof(Lengths))]
    public void A_sealed_chunk_opens_to_the_same_bytes(int length)
    {
        byte[] plain = TestKeys.Bytes((ulong)length, length);
        (ChunkRef chunk, byte[] stored) = Seal(Keys, plain);

        byte[] opened = new byte[length];
        Assert.True(ChunkCodec.Decode(Keys, chunk, stored, opened).IsOk);

        Assert.Equal(plain, opened);
        Assert.Equal(ChunkHasher.Address(stored), chunk.Address);
        Assert.Equal(stored.Length, chunk.StoredLength);
        Assert.Equal(length, chunk.PlainLength);
    }

    [Fact]
    public void The_same_bytes_in_one_epoch_are_stored_the_same()
    {
        byte[] plain = TestKeys.Bytes(5, 50_000);
        (ChunkRef first, byte[] firstStored) = Seal(Keys, plain);
        (ChunkRef second, byte[] secondStored) = Seal(Keys, plain);

        Assert.Equal(first, second);
        Assert.Equal(firstStored, secondStored);
    }

    [Fact]
    public void Another_epoch_keeps_the_id_and_changes_the_address_and_both_open()
    {
        byte[] plain = TestKeys.Bytes(6, 50_000);
        EpochKey next = TestKeys.Epoch(900);
        VolumeKeyring both = Keys.With(next).WithCurrent(next.Id);
        (ChunkRef old, byte[] oldStored) = Seal(Keys, plain);
        (ChunkRef renewed, byte[] renewedStored) = Seal(both, plain);

        Assert.Equal(old.Id, renewed.Id);
        Assert.NotEqual(old.Address, renewed.Address);
        byte[] opened = new byte[plain.Length];
        Assert.True(ChunkCodec.Decode(both, old, oldStored, opened).IsOk);
        Assert.True(ChunkCodec.Decode(both, renewed, renewedStored, opened).IsOk);
        Assert.Equal(plain, opened);
        Assert.Equal(ChunkError.UnknownEpoch, ChunkCodec.Decode(Keys, renewed, renewedStored, opened).Error);
    }

    [Fact]
    public void Any_range_opens_from_the_stored_bytes_it_names()
    {
        byte[] plain = TestKeys.Bytes(7, 70_000);
        (ChunkRef chunk, byte[] stored) = Seal(Keys, plain);
        Prng random = new(8);
        for (int round = 0; round < 500; round++)
        {
            int offset = random.Next(plain.Length);
            int length = 1 + random.Next(plain.Length - offset);
            StoredRange range = ChunkCodec.RangeOf(chunk, offset, length);
            byte[] opened = new byte[length];
            ReadOnlySpan<byte> bytes = stored.AsSpan(range.Offset, range.Length);

            Assert.True(ChunkCodec.DecodeRange(Keys, chunk, offset, bytes, opened).IsOk);
            Assert.True(plain.AsSpan(offset, length).SequenceEqual(opened));
            Assert.True(range.Length <= length + (2 * (16384 + 16)) + (length / 1024), "too many segments");
        }
    }

    internal static (ChunkRef Chunk, byte[] Stored) Seal(VolumeKeyring keys, byte[] plain)
    {
        byte[] stored = new byte[ChunkCodec.StoredLength(plain.Length)];
        ChunkRef chunk = ChunkCodec.Encode(keys, ChunkHasher.Id(keys.Dedup, plain), plain, stored);
        return (chunk, stored);
    }
}
