using Cairn.Coding.Encryption;
using Cairn.Coding.Hashing;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Tests.Encryption;

public sealed class VolumeKeyringTests
{
    [Fact]
    public void Keys_are_a_set_whatever_the_order_they_came_in()
    {
        VolumeKeyring one = TestKeys.Keyring().With(TestKeys.Epoch(1)).With(TestKeys.Epoch(5)).With(TestKeys.Epoch(9));
        VolumeKeyring two = TestKeys.Keyring().With(TestKeys.Epoch(9)).With(TestKeys.Epoch(1)).With(TestKeys.Epoch(5));

        Assert.Equal(one.Encode(), two.Encode());
        Assert.Equal(4, one.Epochs.Length);
        Assert.Same(one, one.With(TestKeys.Epoch(5)));
        Assert.True(one.TryGet(TestKeys.Epoch(9).Id, out EpochKey? key));
        Assert.Equal(TestKeys.Epoch(9), key);
        Assert.False(one.TryGet(TestKeys.Epoch(77).Id, out _));
    }

    [Fact]
    public void The_current_epoch_is_chosen_not_added()
    {
        VolumeKeyring keys = TestKeys.Keyring();
        EpochKey next = TestKeys.Epoch(1);
        Assert.Equal(keys.Current, keys.With(next).Current);
        Assert.Equal(next, keys.With(next).WithCurrent(next.Id).Current);
        Assert.Throws<InvariantException>(() => keys.WithCurrent(next.Id));
    }

    [Fact]
    public void A_second_key_for_an_epoch_changes_nothing()
    {
        VolumeKeyring keys = TestKeys.Keyring();
        Assert.Same(keys, keys.With(new EpochKey(keys.Current.Id, new byte[32])));
    }

    [Fact]
    public void A_key_takes_the_place_of_another_only_when_that_is_said()
    {
        EpochKey right = new(TestKeys.Epoch(5).Id, new byte[32]);
        VolumeKeyring keys = TestKeys.Keyring().With(TestKeys.Epoch(5)).Replacing(right);
        Assert.True(keys.TryGet(right.Id, out EpochKey? held));
        Assert.Equal(right, held);
        Assert.Equal(2, keys.Epochs.Length);
        Assert.Equal(right, keys.WithCurrent(right.Id).Current);
        Assert.Equal(TestKeys.Keyring().Current, keys.Current);
        EpochKey current = new(keys.Current.Id, new byte[32]);
        Assert.Equal(current, keys.Replacing(current).Current);
        byte[] encoded = keys.Replacing(current).Encode();
        Assert.Equal(encoded, VolumeKeyring.Decode(encoded).Value.Encode());
    }

    [Fact]
    public void Bytes_decode_to_the_same_keyring()
    {
        VolumeKeyring keys = TestKeys.Keyring().With(TestKeys.Epoch(1)).WithCurrent(TestKeys.Epoch(1).Id);
        VolumeKeyring decoded = VolumeKeyring.Decode(keys.Encode()).Value;
        Assert.Equal(keys.Volume, decoded.Volume);
        Assert.Equal(keys.Dedup, decoded.Dedup);
        Assert.Equal(keys.Current, decoded.Current);
        Assert.Equal(keys.Encode(), decoded.Encode());
    }

    [Fact]
    public void Truncated_and_damaged_bytes_are_typed_errors_or_another_sound_keyring()
    {
        byte[] bytes = TestKeys.Keyring().With(TestKeys.Epoch(1)).Encode();
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Equal(KeyringError.Malformed, VolumeKeyring.Decode(bytes.AsSpan(0, length)).Error);
        }

        Assert.Equal(KeyringError.Malformed, VolumeKeyring.Decode([.. bytes, 0]).Error);
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            if (VolumeKeyring.Decode(bytes).TryGet(out VolumeKeyring? decoded, out _))
            {
                Assert.Equal(bytes, decoded.Encode());
            }

            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        bytes[0] = 2;
        Assert.Equal(KeyringError.NewerFormat, VolumeKeyring.Decode(bytes).Error);
    }

    [Fact]
    public void Epochs_of_another_volume_open_its_chunks_and_nothing_else()
    {
        VolumeKeyring origin = TestKeys.Keyring(100);
        VolumeKeyring own = TestKeys.Keyring(200);
        VolumeKeyring clone = own.Reading(origin.Volume, origin.Epochs).With(TestKeys.Epoch(1));
        byte[] plain = TestKeys.Bytes(300, 5000);

        (ChunkRef theirs, byte[] stored) = Sealed(origin, plain);
        Assert.Equal(plain, Opened(clone, theirs, stored));
        byte[] range = new byte[10];
        StoredRange needed = ChunkCodec.RangeOf(theirs, 40, range.Length);
        Assert.True(ChunkCodec.DecodeRange(
            clone, theirs, 40, stored.AsSpan(needed.Offset, needed.Length), range).IsOk);
        Assert.Equal(plain[40..50], range);
        byte[] refused = new byte[plain.Length];
        Assert.Equal(ChunkError.UnknownEpoch, ChunkCodec.Decode(own, theirs, stored, refused).Error);

        // What the clone writes is its own, and whose an epoch is decides what it opens.
        Assert.Equal(Sealed(own, plain).Chunk, Sealed(clone, plain).Chunk);
        Assert.False(clone.TryGet(origin.Current.Id, out _));
        Assert.Throws<InvariantException>(() => clone.WithCurrent(origin.Current.Id));
        Assert.Throws<InvariantException>(clone.Encode);
        VolumeKeyring mistaken = own.Reading(own.Volume, origin.Epochs);
        Assert.Equal(ChunkError.NotAuthentic, ChunkCodec.Decode(mistaken, theirs, stored, refused).Error);
    }

    private static (ChunkRef Chunk, byte[] Stored) Sealed(VolumeKeyring keys, byte[] plain)
    {
        byte[] stored = new byte[ChunkCodec.StoredLength(plain.Length)];
        return (ChunkCodec.Encode(keys, ChunkHasher.Id(keys.Dedup, plain), plain, stored), stored);
    }

    private static byte[] Opened(VolumeKeyring keys, ChunkRef chunk, byte[] stored)
    {
        byte[] plain = new byte[chunk.PlainLength];
        Assert.True(ChunkCodec.Decode(keys, chunk, stored, plain).IsOk);
        return plain;
    }

    [Fact]
    public void Nothing_prints_a_key()
    {
        VolumeKeyring keys = TestKeys.Keyring();
        string secret = Convert.ToHexStringLower(keys.Current.Bytes);
        Assert.DoesNotContain(secret, $"{keys} {keys.Current} {keys.Dedup}", StringComparison.Ordinal);
        Assert.NotEqual(keys.Dedup, new DedupSecret(new byte[32]));
        Assert.Throws<InvariantException>(() => new DedupSecret(new byte[31]));
        Assert.Throws<InvariantException>(() => new EpochKey(default, new byte[33]));
    }
}
