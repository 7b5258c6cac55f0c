using Cairn.Core.Repair;

namespace Cairn.Core.Tests.Repair;

public sealed class EvacuationVerdictTests
{
    [Fact]
    public void A_machine_may_leave_when_nothing_is_on_it_alone_even_if_nobody_is_there_now()
    {
        Assert.Equal(EvacuationStep.Done, EvacuationVerdict.Of(new OnlyHereCounts()).Step);
        Assert.Equal(EvacuationStep.Done, EvacuationVerdict.Of(new OnlyHereCounts { Connected = 3 }).Step);
    }

    [Fact]
    public void Without_a_peer_it_says_what_stays_behind()
    {
        EvacuationVerdict verdict = EvacuationVerdict.Of(new OnlyHereCounts { Chunks = 1200, Blocks = 3 });
        Assert.Equal(EvacuationStep.NobodyThere, verdict.Step);
        Assert.Equal("No other node can be reached. 1,200 chunks are only here.", verdict.Text);
        verdict = EvacuationVerdict.Of(new OnlyHereCounts { Blocks = 1 });
        Assert.Equal("No other node can be reached. 1 log block is only here.", verdict.Text);
    }

    [Fact]
    public void What_the_disk_does_not_give_is_not_said_to_be_on_its_way()
    {
        OnlyHereCounts counts = new() { Chunks = 3, ChunksRefused = 1, ChunksUnreadable = 2, Connected = 1 };
        EvacuationVerdict verdict = EvacuationVerdict.Of(counts);
        Assert.Equal(EvacuationStep.Unreadable, verdict.Step);
        Assert.StartsWith("2 chunks are only here, and cannot be read", verdict.Text, StringComparison.Ordinal);
        Assert.Equal(EvacuationStep.Going, EvacuationVerdict.Of(counts with { Chunks = 4 }).Step);
    }

    [Theory]
    [InlineData(2, 2, 0, false, EvacuationStep.Full)]
    [InlineData(3, 2, 0, false, EvacuationStep.Going)]
    [InlineData(2, 2, 1, false, EvacuationStep.Going)]
    [InlineData(2, 2, 0, true, EvacuationStep.Going)]
    [InlineData(0, 0, 4, false, EvacuationStep.Going)]
    public void Full_is_said_only_when_room_is_all_that_lacks(
        long chunks, long refused, long blocks, bool unpublished, EvacuationStep step)
    {
        OnlyHereCounts counts = new()
        {
            Chunks = chunks,
            ChunksRefused = refused,
            Blocks = blocks,
            HasUnpublishedWrites = unpublished,
            Connected = 1,
        };
        Assert.Equal(step, EvacuationVerdict.Of(counts).Step);
    }
}
