using System.Security.Cryptography;
using Cairn.Coding.Encryption;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Tests.Encryption;

public sealed class ShortGcmTests
{
    /// <summary>McGrew and Viega, "The Galois/Counter Mode of Operation", 2005, appendix B, test cases 13 to 16.</summary>
    [Theory]
    [InlineData(
        "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "", "", "",
        "530f8afbc74536b9a963b4f1c4cb738b")]
    [InlineData(
        "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
        "00000000000000000000000000000000", "", "cea7403d4d606b6e074ec5d3baf39d18",
        "d0d1c8a799996bf0265b98b5d48ab919")]
    [InlineData(
        "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
        "",
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
        "b094dac5d93471bdec1a502270e3cc6c")]
    [InlineData(
        "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
        "76fc6ece0f4e1768cddf8853bb2d551b")]
    public void It_makes_the_published_bytes(
        string key, string nonce, string plain, string associated, string hidden, string tag)
    {
        Assert.SkipUnless(ShortGcm.IsSupported, "this processor lacks the instructions");
        using ShortGcm cipher = new(Convert.FromHexString(key));
        byte[] made = new byte[plain.Length / 2];
        byte[] madeTag = new byte[ShortGcm.TagSize];
        byte[] bound = Convert.FromHexString(associated);
        cipher.Encrypt(Convert.FromHexString(nonce), Convert.FromHexString(plain), made, madeTag, bound);
        Assert.Equal(hidden, Convert.ToHexStringLower(made));
        Assert.Equal(tag, Convert.ToHexStringLower(madeTag));
    }

    [Fact]
    public void It_makes_and_opens_the_same_bytes_as_the_library_at_every_length()
    {
        Assert.SkipUnless(ShortGcm.IsSupported, "this processor lacks the instructions");
        var random = new Prng(1);
        for (int length = 0; length < 600; length++)
        {
            byte[] key = Bytes(random, 32);
            byte[] nonce = Bytes(random, 12);
            byte[] plain = Bytes(random, length < 500 ? length : random.Next(9000));
            byte[] associated = Bytes(random, random.Next(100));
            (byte[] theirs, byte[] theirTag) = (new byte[plain.Length], new byte[ShortGcm.TagSize]);
            (byte[] ours, byte[] ourTag) = (new byte[plain.Length], new byte[ShortGcm.TagSize]);
            using AesGcm library = new(key, ShortGcm.TagSize);
            library.Encrypt(nonce, plain, theirs, theirTag, associated);
            using ShortGcm cipher = new(key);
            cipher.Encrypt(nonce, plain, ours, ourTag, associated);
            Assert.Equal(theirs, ours);
            Assert.Equal(theirTag, ourTag);

            byte[] opened = new byte[plain.Length];
            Assert.True(cipher.TryDecrypt(nonce, theirs, theirTag, opened, associated));
            Assert.Equal(plain, opened);
        }
    }

    [Fact]
    public void It_opens_nothing_of_which_a_bit_was_changed_and_writes_nothing_then()
    {
        Assert.SkipUnless(ShortGcm.IsSupported, "this processor lacks the instructions");
        using ShortGcm cipher = new(TestKeys.Bytes(1, 32));
        byte[] nonce = TestKeys.Bytes(2, 12);
        byte[] associated = TestKeys.Bytes(3, 20);
        byte[] hidden = new byte[77];
        byte[] tag = new byte[ShortGcm.TagSize];
        cipher.Encrypt(nonce, TestKeys.Bytes(4, hidden.Length), hidden, tag, associated);
        byte[] opened = new byte[hidden.Length];
        foreach (byte[] part in new[] { nonce, associated, hidden, tag })
        {
            for (int bit = 0; bit < part.Length * 8; bit++)
            {
                part[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.False(cipher.TryDecrypt(nonce, hidden, tag, opened, associated));
                part[bit / 8] ^= (byte)(1 << (bit % 8));
            }
        }

        Assert.Equal(new byte[hidden.Length], opened);
        Assert.True(cipher.TryDecrypt(nonce, hidden, tag, opened, associated));
    }

    [Fact]
    public void Short_messages_are_its_own_and_long_ones_the_library_s()
    {
        Assert.True(ShortGcm.IsFaster(0));
        Assert.True(ShortGcm.IsFaster(350));
        Assert.False(ShortGcm.IsFaster(32 << 10));
    }

    private static byte[] Bytes(Prng random, int length)
    {
        byte[] bytes = new byte[length];
        random.Fill(bytes);
        return bytes;
    }
}
