using Cairn.Core.Primitives;

namespace Cairn.Core.Tests;

public sealed class WallTimeTests
{
    [Theory]
    [InlineData("2026-11-22T01:02:03.0000000Z")]
    [InlineData("1969-12-31T23:59:59.5000000Z")]
    [InlineData("1700-01-01T00:00:00.0000001Z")]
    public void A_time_comes_back_as_it_was(string text)
    {
        DateTimeOffset time = DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(time, WallTime.From(time).ToDateTimeOffset());
    }

    /// <summary>Not at the other end of all times, where an overflow would put it.</summary>
    [Fact]
    public void A_time_that_does_not_fit_is_the_nearest_that_does()
    {
        Assert.Equal(1677, WallTime.From(DateTimeOffset.MinValue).ToDateTimeOffset().Year);
        Assert.Equal(2262, WallTime.From(DateTimeOffset.MaxValue).ToDateTimeOffset().Year);
        DateTimeOffset ofWindows = new(1601, 1, 1, 0, 0, 0, TimeSpan.Zero);
        Assert.Equal(1677, WallTime.From(ofWindows.ToUnixTimeSeconds(), 7).ToDateTimeOffset().Year);
        Assert.Equal(2262, WallTime.From(long.MaxValue, 999_999_999).ToDateTimeOffset().Year);
        Assert.Equal(new WallTime(-500_000_000), WallTime.From(-1, 500_000_000));
    }
}
