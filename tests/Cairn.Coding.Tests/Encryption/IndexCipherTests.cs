using Cairn.Coding.Encryption;

namespace Cairn.Coding.Tests.Encryption;

public sealed class IndexCipherTests
{
    private static readonly byte[] Secret = TestKeys.Bytes(1, 32);
    private static readonly byte[] Salt = TestKeys.Bytes(2, IndexCipher.SaltSize);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5000)]
    public void A_value_opens_in_another_run_and_only_under_its_key(int length)
    {
        byte[] plain = TestKeys.Bytes(3, length);
        byte[] sealedBytes = new byte[length + IndexCipher.Overhead];
        using IndexCipher writing = new(Secret, Salt, 1);
        writing.Seal("key"u8, plain, sealedBytes);
        using IndexCipher reading = new(Secret, Salt, 2);
        byte[] opened = new byte[length];
        Assert.True(reading.TryOpen("key"u8, sealedBytes, opened));
        Assert.Equal(plain, opened);
        Assert.False(reading.TryOpen("other"u8, sealedBytes, opened));
        sealedBytes[^1] ^= 1;
        Assert.False(reading.TryOpen("key"u8, sealedBytes, opened));
        Assert.False(reading.TryOpen("key"u8, sealedBytes.AsSpan(0, 10), []));
    }

    [Fact]
    public void Equal_values_are_sealed_differently_and_equal_names_masked_alike()
    {
        using IndexCipher one = new(Secret, Salt, 1);
        using IndexCipher two = new(Secret, Salt, 2);
        byte[] first = new byte[10 + IndexCipher.Overhead];
        byte[] second = new byte[10 + IndexCipher.Overhead];
        byte[] third = new byte[10 + IndexCipher.Overhead];
        one.Seal("k"u8, new byte[10], first);
        one.Seal("k"u8, new byte[10], second);
        two.Seal("k"u8, new byte[10], third);
        Assert.NotEqual(first, second);
        Assert.NotEqual(first, third);

        byte[] mask = new byte[IndexCipher.MaskSize];
        byte[] again = new byte[IndexCipher.MaskSize];
        one.Mask("name"u8, mask);
        two.Mask("name"u8, again);
        Assert.Equal(mask, again);
        using IndexCipher elsewhere = new(Secret, TestKeys.Bytes(4, IndexCipher.SaltSize), 1);
        elsewhere.Mask("name"u8, again);
        Assert.NotEqual(mask, again);
    }
}
