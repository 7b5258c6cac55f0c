using Cairn.Io.FuseDevice;

namespace Cairn.Io.Tests.FuseDevice;

public sealed class PollWindowTests
{
    private static readonly TimeSpan Rare = TimeSpan.FromSeconds(1);

    [Fact]
    public void NothingIsLookedFor_WhereRequestsAreRare()
    {
        PollWindow window = default;
        Assert.Equal(TimeSpan.Zero, window.Length);
        window.Waited(Rare);
        Assert.Equal(TimeSpan.Zero, window.Length);
    }

    [Fact]
    public void WhileRequestsComeSoon_ItGrowsUpToABound()
    {
        PollWindow window = default;
        window.Waited(PollWindow.Soon);
        Assert.Equal(PollWindow.Min, window.Length);
        window.Waited(TimeSpan.Zero);
        Assert.Equal(2 * PollWindow.Min, window.Length);
        for (int i = 0; i < 10; i++)
        {
            window.Waited(PollWindow.Soon);
        }

        Assert.Equal(PollWindow.Max, window.Length);
    }

    [Fact]
    public void WhenTheyStop_ItIsNothingAfterAFewWaits()
    {
        PollWindow window = default;
        for (int i = 0; i < 10; i++)
        {
            window.Waited(TimeSpan.Zero);
        }

        TimeSpan looked = TimeSpan.Zero;
        for (int i = 0; i < 10; i++)
        {
            looked += window.Length;
            window.Waited(Rare);
        }

        Assert.Equal(TimeSpan.Zero, window.Length);
        Assert.InRange(looked, PollWindow.Max, 2 * PollWindow.Max);
    }
}
