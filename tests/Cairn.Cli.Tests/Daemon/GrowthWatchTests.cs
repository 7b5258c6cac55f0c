using Cairn.Cli.Daemon;

namespace Cairn.Cli.Tests.Daemon;

public sealed class GrowthWatchTests
{
    private const long MiB = 1 << 20;
    private readonly GrowthWatch _watch = new();

    [Fact]
    public void It_is_time_once_when_much_was_added_and_again_only_when_that_was_looked_through()
    {
        Assert.Equal(DueCollection.None, Look(last: 3, 40, 63));
        Assert.Equal(DueCollection.Beside, Look(last: 3, 40, 64));
        Assert.Equal(DueCollection.None, Look(last: 3, 40, 90));
        Assert.Equal(DueCollection.None, Look(last: 9, 60, 60));
        Assert.Equal(DueCollection.Beside, Look(last: 9, 60, 84));
    }

    [Fact]
    public void Where_much_lives_more_may_be_added()
    {
        Assert.Equal(DueCollection.None, Look(last: 1, 400, 499));
        Assert.Equal(DueCollection.Beside, Look(last: 1, 400, 500));
    }

    [Fact]
    public void A_daemon_that_has_collected_nothing_yet_may_have_as_much()
    {
        Assert.Equal(DueCollection.None, Look(last: 0, 0, 23));
        Assert.Equal(DueCollection.Beside, Look(last: 0, 0, 24));
    }

    [Fact]
    public void Holes_are_closed_once_they_are_many_and_never_before_something_is_due()
    {
        Assert.Equal(DueCollection.Beside, Look(last: 1, 60, 84, holesThen: 23));
        Assert.Equal(DueCollection.None, Look(last: 2, 60, 83, holesThen: 24));
        Assert.Equal(DueCollection.Compacting, Look(last: 2, 60, 84, holesThen: 24));
        Assert.Equal(DueCollection.None, Look(last: 2, 60, 99, holesThen: 24));
    }

    private DueCollection Look(long last, long usedThen, long usedNow, long holesThen = 0) =>
        _watch.Look(last, usedThen * MiB, holesThen * MiB, usedNow * MiB);
}
