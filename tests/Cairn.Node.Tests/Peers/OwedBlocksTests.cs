namespace Cairn.Node.Tests.Peers;

/// <summary>How many changes are still to come is known as soon as others say what they hold.</summary>
public sealed class OwedBlocksTests
{
    private const int Files = 60;

    [Fact]
    public void What_came_while_a_machine_was_away_is_counted_until_it_is_here()
    {
        PoolBench bench = PoolBench.WithDrives(3, 411);
        BenchNode laptop = bench.Nodes[2];
        bench.Until(() => bench.Nodes.TrueForAll(node => ToReceive(node) == 0), "nothing is to come");
        laptop.Kill();
        for (int i = 0; i < Files; i++)
        {
            Assert.True(bench.Put(bench.Nodes[i % 2], $"file {i}", [(byte)i]).IsOk);
            bench.Scheduler.RunFor(TimeSpan.FromMilliseconds(20));
        }

        laptop.Start();
        long most = 0;
        bench.Until(
            () =>
            {
                most = Math.Max(most, ToReceive(laptop));
                return most > 0 && laptop.FindDrive() is not null
                    && bench.Nodes.TrueForAll(node => ToReceive(node) == 0);
            },
            "all have come");

        // Both of the others hold all of them, and each counts once.
        Assert.InRange(most, Files, Files + (Files / 2));
        for (int i = 0; i < Files; i++)
        {
            Assert.Equal((byte)i, Assert.Single(bench.Get(laptop, $"file {i}")!));
        }
    }

    [Fact]
    public void Nothing_is_expected_of_those_who_are_not_there()
    {
        PoolBench bench = PoolBench.WithDrives(2, 412);
        (BenchNode desk, BenchNode laptop) = (bench.Nodes[0], bench.Nodes[1]);
        laptop.Kill();
        Assert.True(bench.Put(desk, "unseen", [1]).IsOk);
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(2));
        desk.Kill();
        laptop.Start();
        bench.Until(() => laptop.FindDrive() is not null, "the drive is back");
        Assert.Equal(0, ToReceive(laptop));
    }

    private static long ToReceive(BenchNode node) => node.Status().Owed.ReceiveBlocks;
}
