using Cairn.Core.Primitives;
using Cairn.Storage.Checksums;

namespace Cairn.Storage.Tests;

/// <summary>The checksum has its published values, whatever the length and however it is fed.</summary>
public sealed class Crc32CTests
{
    [Fact]
    public void It_has_the_values_of_RFC_3720()
    {
        Assert.Equal(0x8A9136AAu, Crc32C.Compute(new byte[32]));
        Assert.Equal(0xE3069283u, Crc32C.Compute("123456789"u8));
    }

    [Fact]
    public void Interleaved_and_plain_agree_at_every_length()
    {
        byte[] bytes = new byte[40_000];
        new Prng(1).Fill(bytes);
        for (int length = 0; length < bytes.Length; length += 1 + (length / 7))
        {
            Assert.Equal(Plain(bytes.AsSpan(0, length)), Crc32C.Compute(bytes.AsSpan(0, length)));
            int cut = length / 3;
            Assert.Equal(
                Crc32C.Compute(bytes.AsSpan(0, length)),
                Crc32C.Append(Crc32C.Compute(bytes.AsSpan(0, cut)), bytes.AsSpan(cut, length - cut)));
        }
    }

    private static uint Plain(ReadOnlySpan<byte> bytes)
    {
        uint crc = 0xFFFFFFFF;
        foreach (byte value in bytes)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0);
            }
        }

        return ~crc;
    }
}
