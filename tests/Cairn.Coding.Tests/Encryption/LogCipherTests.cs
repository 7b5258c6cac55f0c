using Cairn.Coding.Encryption;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Tests.Encryption;

public sealed class LogCipherTests
{
    private static readonly VolumeKeyring Keys = TestKeys.Keyring();
    private static readonly LogId Log = new(new NodeId(TestKeys.Bytes(1, 32)), 3);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(1024 * 1024)]
    public void A_sealed_payload_opens(int length)
    {
        byte[] plain = TestKeys.Bytes(2, length);
        byte[] opened = new byte[length];
        Assert.True(LogCipher.Open(Keys, Keys.Current.Id, Log, 7, Seal(plain, 7), opened).IsOk);
        Assert.Equal(plain, opened);
    }

    [Fact]
    public void Sealing_is_deterministic_and_one_place_never_meets_one_key_with_two_payloads()
    {
        byte[] plain = TestKeys.Bytes(3, 100);
        Assert.Equal(Seal(plain, 7), Seal(plain, 7));
        byte[] other = [.. plain];
        other[0] ^= 1;
        byte[] a = Seal(plain, 7);
        byte[] b = Seal(other, 7);
        int same = a.AsSpan(16).ToArray().Zip(b.AsSpan(16).ToArray()).Count(pair => pair.First == pair.Second);
        Assert.True(same < 10, "one keystream for two payloads");
    }

    [Fact]
    public void It_opens_only_in_its_own_place()
    {
        byte[] sealedBytes = Seal(TestKeys.Bytes(4, 100), 7);
        byte[] opened = new byte[100];
        LogId otherAuthor = new(new NodeId(TestKeys.Bytes(5, 32)), 3);
        VolumeKeyring otherVolume = new(new VolumeId(TestKeys.Bytes(6, 16)), Keys.Dedup, Keys.Current);
        EpochId epoch = Keys.Current.Id;
        Assert.Equal(SealError.NotAuthentic, LogCipher.Open(Keys, epoch, Log, 8, sealedBytes, opened).Error);
        Assert.Equal(SealError.NotAuthentic, LogCipher.Open(Keys, epoch, otherAuthor, 7, sealedBytes, opened).Error);
        LogId next = Log with { Incarnation = 4 };
        Assert.Equal(SealError.NotAuthentic, LogCipher.Open(Keys, epoch, next, 7, sealedBytes, opened).Error);
        Assert.Equal(SealError.NotAuthentic, LogCipher.Open(otherVolume, epoch, Log, 7, sealedBytes, opened).Error);
        Assert.Equal(SealError.UnknownEpoch, LogCipher.Open(Keys, default, Log, 7, sealedBytes, opened).Error);
    }

    [Fact]
    public void Every_flipped_bit_and_truncation_is_found()
    {
        byte[] sealedBytes = Seal(TestKeys.Bytes(7, 50), 7);
        byte[] opened = new byte[50];
        for (int bit = 0; bit < sealedBytes.Length * 8; bit++)
        {
            sealedBytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Equal(
                SealError.NotAuthentic, LogCipher.Open(Keys, Keys.Current.Id, Log, 7, sealedBytes, opened).Error);
            sealedBytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        for (int length = 0; length < sealedBytes.Length; length++)
        {
            byte[] cut = sealedBytes[..length];
            byte[] room = new byte[Math.Max(0, length - LogCipher.Overhead)];
            SealError expected = length < LogCipher.Overhead ? SealError.WrongLength : SealError.NotAuthentic;
            Assert.Equal(expected, LogCipher.Open(Keys, Keys.Current.Id, Log, 7, cut, room).Error);
        }

        Assert.Equal(
            SealError.WrongLength, LogCipher.Open(Keys, Keys.Current.Id, Log, 7, sealedBytes, new byte[51]).Error);
    }

    private static byte[] Seal(byte[] plain, ulong blockSeq)
    {
        byte[] sealedBytes = new byte[plain.Length + LogCipher.Overhead];
        LogCipher.Seal(Keys.Current, Keys.Volume, Log, blockSeq, plain, sealedBytes);
        return sealedBytes;
    }
}
