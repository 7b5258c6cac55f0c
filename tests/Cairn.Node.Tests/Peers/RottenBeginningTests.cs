namespace Cairn.Node.Tests.Peers;

/// <summary>
/// Logs of a member that dropped old blocks, and that do not know any more where they begin: both their headers are rotten.
/// </summary>
public sealed class RottenBeginningTests
{
    private const int Files = 50;

    /// <summary>
    /// Whatever else is lost with them, it shows the whole tree or none, alone and with the others; and what it alone had is
    /// everywhere in the end.
    /// </summary>
    [Theory]
    [InlineData("own", false, false)]
    [InlineData("own", true, false)]
    [InlineData("own", true, true)]
    [InlineData("others", false, false)]
    [InlineData("others", true, true)]
    [InlineData("all", false, false)]
    [InlineData("all", false, true)]
    [InlineData("all", true, false)]
    [InlineData("all", true, true)]
    public void AllOrNothingIsShown_AndNothingIsLost(string whose, bool losesIndex, bool losesCheckpoints)
    {
        PoolBench bench = DroppedPool.Of(3, 401);
        DroppedPool.Fill(bench, Files);
        DroppedPool.UntilDropped(bench);
        BenchNode victim = bench.Nodes[2];
        Array.ForEach([bench.Nodes[0], bench.Nodes[1]], static node => node.Kill());
        Assert.True(bench.Put(victim, "sealed", [1]).IsOk);
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(5));
        Assert.True(bench.Put(victim, "journaled", [2]).IsOk);
        victim.Kill();
        Rot(victim, whose);
        if (losesIndex)
        {
            DroppedPool.Lose(victim, "volume-");
        }

        if (losesCheckpoints)
        {
            DroppedPool.Lose(victim, "checkpoint-");
        }

        victim.Start();
        for (int i = 0; i < 12; i++)
        {
            bench.Scheduler.RunFor(TimeSpan.FromSeconds(5));
            AssertAllOrNothing(bench, victim);
        }

        bench.Nodes[0].Start();
        bench.Nodes[1].Start();
        for (int i = 0; i < 40; i++)
        {
            bench.Scheduler.RunFor(TimeSpan.FromSeconds(i / 10.0));
            AssertAllOrNothing(bench, victim);
        }

        bench.Until(() => victim.FindDrive() is not null, "it is open");
        for (int life = 0; life < 2; life++)
        {
            victim.Kill();
            victim.Start();
            bench.Until(() => victim.FindDrive() is not null, "it is open again");
            AssertAllOrNothing(bench, victim);
        }

        Assert.True(bench.Put(victim, "afterwards", [3]).IsOk);
        bench.Until(
            () => bench.Nodes.TrueForAll(node => bench.Get(node, "sealed") is [1] && bench.Get(node, "journaled") is [2]
                && bench.Get(node, "afterwards") is [3]),
            "all have what it alone had");
        Assert.All(bench.Nodes, node => AssertAllOrNothing(bench, node));
        bench.AssertNoFailures();
    }

    private static void Rot(BenchNode node, string whose)
    {
        string own = node.Id.Value.ToHex();
        int rotten = 0;
        foreach (string path in node.Disk.Files.Where(static path => path.EndsWith(".log", StringComparison.Ordinal)))
        {
            bool isOwn = path.Contains(own, StringComparison.Ordinal);
            if (node.Disk.LengthOf(path) > 8192 && IsLater(node, path) && (whose == "all" || isOwn == (whose == "own")))
            {
                node.Disk.FlipBit(path, 101, 1);
                node.Disk.FlipBit(path, 4096 + 101, 1);
                rotten++;
            }
        }

        Assert.True(rotten > 0, $"no log of {whose} begins later");
    }

    private static bool IsLater(BenchNode node, string path)
    {
        using var file = node.Disk.Open(path, Storage.Ports.DiskOpenMode.Read).Value;
        byte[] version = new byte[1];
        Assert.True(file.Read(4, version).IsOk);
        return version[0] == 2;
    }

    private static void AssertAllOrNothing(PoolBench bench, BenchNode node)
    {
        if (node.FindDrive() is not null)
        {
            Assert.All(
                Enumerable.Range(0, Files), i => Assert.True(bench.Get(node, $"file {i}") is not null, $"file {i}"));
        }
    }
}
