using Cairn.Core.Text;

namespace Cairn.Core.Tests.Text;

public sealed class SizeTextTests
{
    [Theory]
    [InlineData("50GiB", 50L << 30)]
    [InlineData("1.5T", 3L << 39)]
    [InlineData("20GB", 20_000_000_000)]
    [InlineData(" 512 kib ", 512L << 10)]
    [InlineData("4096", 4096)]
    [InlineData("0", 0)]
    public void Sizes_that_people_write_are_read(string text, long bytes)
    {
        Assert.True(SizeText.TryParse(text, out long parsed));
        Assert.Equal(bytes, parsed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("GiB")]
    [InlineData("-5GiB")]
    [InlineData("5 potatoes")]
    [InlineData("1e9")]
    [InlineData("9999999999PiB")]
    [InlineData("99999999999999999999999999999PiB")]
    [InlineData("1.2.3G")]
    public void Other_text_is_refused(string text) => Assert.False(SizeText.TryParse(text, out _));

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "0.98 KiB")]
    [InlineData(1L << 30, "1.00 GiB")]
    [InlineData(50L << 30, "50.0 GiB")]
    [InlineData(long.MaxValue, "8.00 EiB")]
    public void Sizes_are_printed_with_three_digits(long bytes, string text) =>
        Assert.Equal(text, SizeText.Format(bytes));
}
