using Cairn.Cli.Daemon;

namespace Cairn.Cli.Tests.Daemon;

public sealed class RestWatchTests
{
    private const long MiB = 1 << 20;
    private readonly RestWatch _watch = new();
    private long _allocated;

    [Fact]
    public void Memory_goes_back_soon_after_work_and_once_more_when_the_pools_let_go()
    {
        Assert.False(Look(100 * MiB));
        Assert.False(Look(50 * MiB));
        bool[] resting = [.. Enumerable.Range(0, 20).Select(_ => Look(MiB / 10))];
        Assert.Equal([0, 7], resting.Index().Where(look => look.Item).Select(look => look.Index));
        Assert.False(Look(100 * MiB));
        Assert.True(Look(0));
    }

    [Fact]
    public void A_daemon_that_never_worked_is_left_alone() =>
        Assert.DoesNotContain(true, Enumerable.Range(0, 100).Select(_ => Look(MiB)));

    [Fact]
    public void Work_that_begins_again_puts_it_off()
    {
        Assert.False(Look(100 * MiB));
        Assert.True(Look(0));
        Assert.False(Look(100 * MiB));
        Assert.True(Look(0));
    }

    private bool Look(long freshBytes) => _watch.Look(_allocated += freshBytes);
}
