using Cairn.Simulation.Disks;
using Cairn.Storage.Home;
using Cairn.Storage.Journaling;
using Cairn.Storage.Packs;

namespace Cairn.Storage.Tests.Home;

/// <summary>The parts of a node's space add up to no more than the whole, small or large.</summary>
public sealed class SpacePlanTests
{
    [Theory]
    [InlineData(SpacePlan.SpaceBytesMin)]
    [InlineData(1L << 30)]
    [InlineData(20L << 30)]
    [InlineData(4L << 40)]
    public void The_parts_fit_and_work(long spaceBytes)
    {
        SpacePlan plan = SpacePlan.For(spaceBytes);
        Assert.InRange(plan.Journal.BytesMax + plan.Chunks.SpaceBytes, 1, spaceBytes);
        Assert.InRange(plan.Journal.SegmentsMax, 4, 64);
        SimulatedDisk disk = new();
        using Journal journal = Journal.Open(disk, plan.Journal).Value;
        Assert.True(journal.Replay((_, _, _, _) => true).IsOk);
        Assert.True(journal.Append(JournalKind.Extent, default, new byte[1 << 20]).IsOk);
        using ChunkStore store = ChunkStore.Open(disk, plan.Chunks).Value;
        Assert.True(store.HasRoom(plan.Chunks.SpaceBytes / 2, ChunkUse.Staged));
        Assert.True(store.HasRoom(plan.Chunks.SpaceBytes / 3, ChunkUse.Replicated));
    }
}
