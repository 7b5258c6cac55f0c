using Cairn.Core.Primitives;
using Cairn.Core.Rules;

namespace Cairn.Core.Tests.Rules;

public sealed class RetentionTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);

    private static List<double> Expired(string keep, params double[] daysAgo)
    {
        var expired = new List<double>();
        Retention.Parse(keep)!.Value.FindExpired(
            daysAgo, days => WallTime.From(Noon - TimeSpan.FromDays(days)), WallTime.From(Noon), expired);
        return expired;
    }

    [Theory]
    [InlineData("all 30d, daily 1y, last 10", 30, 365, 10)]
    [InlineData("last 3", 0, 0, 3)]
    [InlineData(" daily  2w ", 0, 14, 0)]
    [InlineData("all 2m", 60, 0, 0)]
    [InlineData("none", 0, 0, 0)]
    [InlineData("forever", Retention.DaysMax, 0, 0)]
    public void What_a_person_writes_is_read(string text, int all, int daily, int last)
    {
        Retention read = Retention.Parse(text)!.Value;
        Assert.Equal(new Retention(all, daily, last), read);
        Assert.True(read.IsValid);
        Assert.Equal(read, Retention.Parse(read.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("all")]
    [InlineData("all 30")]
    [InlineData("all d")]
    [InlineData("all -1d")]
    [InlineData("all 0d")]
    [InlineData("last 3d")]
    [InlineData("all 30d all 40d")]
    [InlineData("all 30d, all 40d")]
    [InlineData("weekly 3d")]
    [InlineData("all 99999999y")]
    [InlineData("forever, last 3")]
    public void Anything_else_is_refused(string text) => Assert.Null(Retention.Parse(text));

    [Fact]
    public void Each_of_the_three_keeps_what_it_says()
    {
        Assert.Equal([31.0, 400.0], Expired("all 30d", 0, 1, 29.5, 31, 400));
        Assert.Equal([31.0, 400.0], Expired("last 3", 0, 1, 29.5, 31, 400));
        Assert.Equal([1.1, 400.0], Expired("daily 1y", 0, 1, 1.1, 31, 400));
        Assert.Equal([400.0], Expired("all 2d, daily 1y", 0, 1, 1.1, 31, 400));
        Assert.Equal([0.0, 1.0], Expired("none", 0, 1));
        Assert.Empty(Expired("forever", 0, 1, 400_000));
    }

    [Fact]
    public void A_claim_from_the_future_stays() => Assert.Empty(Expired("all 1d", -1000));
}
