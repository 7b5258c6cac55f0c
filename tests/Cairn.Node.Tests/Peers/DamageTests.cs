using System.Text;
using Cairn.Node.Logs;
using Cairn.Node.Snapshots;
using Cairn.Simulation.Indexes;

namespace Cairn.Node.Tests.Peers;

/// <summary>What was deleted or rotted on a stopped node's disk: it comes back, and the owner hears of it in the status.</summary>
public sealed class DamageTests
{
    private static readonly byte[] Before = Encoding.UTF8.GetBytes("written before");
    private static readonly byte[] After = Encoding.UTF8.GetBytes("written after");

    /// <summary>The pool's log and the volume's, of all members: the founder's grants of the others are among it.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Logs_that_were_deleted_come_back_from_peers_and_are_reported(int number)
    {
        (PoolBench bench, BenchNode hurt) = Stopped(number);
        DeleteLogs(hurt);
        hurt.Start();
        string[] problems = Problems(hurt);
        Assert.Contains(problems, problem => problem.Contains("the pool's own log", StringComparison.Ordinal));
        bench.Until(() => hurt.FindDrive() is not null, "the volume is open again");
        bench.Until(() => Shows(bench, hurt, "one", Before), "the file is back");
        problems = Problems(hurt);
        Assert.Contains(problems, problem => problem.Contains("in the volume shared", StringComparison.Ordinal));

        // Both ways: nothing of what the node did before stands in the way of what it does now.
        foreach (BenchNode writer in bench.Nodes)
        {
            Assert.True(bench.Put(writer, $"by {writer.Options.Name}", After).IsOk);
            bench.Until(
                () => bench.Nodes.TrueForAll(node => Shows(bench, node, $"by {writer.Options.Name}", After)),
                $"what {writer.Options.Name} writes travels");
        }

        // The next start finds everything where it should be.
        hurt.Kill();
        hurt.Start();
        Assert.Empty(Problems(hurt));
    }

    /// <summary>The founder knows from its log alone who was let in a moment ago, and only they can give it that log again.</summary>
    [Fact]
    public void Logs_of_the_founder_come_back_from_whom_it_let_in_a_moment_before()
    {
        PoolBench bench = PoolBench.Of(2, 11);
        BenchNode founder = bench.Nodes[0];
        bench.Until(() => bench.Nodes[1].Node.State.IsActive(founder.Id), "the log is on both");
        founder.Kill();
        DeleteLogs(founder);
        founder.Start();
        bench.Until(() => founder.Node.State.IsActive(bench.Nodes[1].Id), "it knows its pool again");
        bench.Until(() => founder.Connected == 1, "they are connected");
    }

    [Fact]
    public void A_damaged_journal_is_reported()
    {
        (PoolBench bench, BenchNode hurt) = Stopped(1);
        string segment = hurt.Disk.Files.First(path => path.EndsWith(".seg", StringComparison.Ordinal));
        hurt.Disk.Truncate(segment, 1000);
        hurt.Start();
        Assert.Contains(Problems(hurt), problem => problem.Contains("the journal", StringComparison.Ordinal));
        bench.Until(() => hurt.FindDrive() is not null && Shows(bench, hurt, "one", Before), "the file is there");
    }

    [Fact]
    public void A_damaged_index_is_made_anew_and_reported()
    {
        (PoolBench bench, BenchNode hurt) = Stopped(1);
        foreach (SimulatedIndex index in hurt.Indexes.Values)
        {
            index.Failure = "database disk image is malformed";
        }

        hurt.Start();
        bench.Until(() => hurt.FindDrive() is not null && Shows(bench, hurt, "one", Before), "the file is there");
        Assert.Contains(Problems(hurt), problem => problem.Contains("made anew", StringComparison.Ordinal));
    }

    /// <summary>A member's block that nobody can give back: what waits for it, and what helps, stands in the status.</summary>
    [Fact]
    public void A_lost_block_that_late_changes_wait_for_is_named_with_what_helps()
    {
        PoolBench bench = PoolBench.WithDrives(3, 65);
        (BenchNode writer, BenchNode hurt, BenchNode away) = (bench.Nodes[0], bench.Nodes[1], bench.Nodes[2]);
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(10));
        writer.Kill();
        hurt.Kill();
        Assert.True(bench.Put(away, "late", After).IsOk);
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(10));
        away.Kill();
        writer.Start();
        hurt.Start();
        bench.Until(() => writer.FindDrive() is not null && hurt.FindDrive() is not null, "the volume is open");
        ReplicatedLog log = ((SnapshotsVolume)hurt.Drive).Engine.Log;
        Assert.True(bench.Put(writer, "before", Before).IsOk);
        bench.Until(() => Shows(bench, hurt, "before", Before), "the first file is there");
        string file = hurt.Disk.Files
            .Where(path => path.StartsWith($"logs/{log.Volume}-{writer.Id}", StringComparison.Ordinal))
            .MaxBy(hurt.Disk.LengthOf)!;
        long rots = hurt.Disk.LengthOf(file);
        Assert.True(bench.Put(writer, "one", Before).IsOk);
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(5));
        Assert.True(bench.Put(writer, "two", Before).IsOk);
        bench.Until(() => Shows(bench, hurt, "two", Before), "the files are there");
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(10));
        writer.Kill();
        log.Prune(static folded => folded);
        hurt.Disk.FlipBit(file, rots + 60, 3);
        away.Start();
        bench.Until(
            () => Problems(hurt).Any(problem => problem.Contains("that come late", StringComparison.Ordinal)),
            "it is told that late changes wait");
        Assert.Contains("`cairn up`", Assert.Single(Problems(hurt)), StringComparison.Ordinal);
        Assert.True(Shows(bench, hurt, "one", Before));
        Assert.False(Shows(bench, hurt, "late", After));

        writer.Start();
        bench.Until(() => Problems(hurt).Single().Contains("It is here again", StringComparison.Ordinal), "it is back");
        bench.Until(() => Shows(bench, hurt, "late", After), "what came late is shown");
        Assert.True(Shows(bench, hurt, "one", Before));
    }

    /// <summary>A pool of three with a file that all have, and one of them stopped.</summary>
    private static void DeleteLogs(BenchNode node)
    {
        foreach (string path in node.Disk.Files.Where(path => path.StartsWith("logs/", StringComparison.Ordinal)))
        {
            Assert.True(node.Disk.Delete(path).IsOk);
        }
    }

    private static (PoolBench Bench, BenchNode Stopped) Stopped(int number)
    {
        PoolBench bench = PoolBench.WithDrives(3, 60 + (ulong)number);
        Assert.True(bench.Put(bench.Nodes[1], "one", Before).IsOk);
        bench.Until(() => bench.Nodes.TrueForAll(node => Shows(bench, node, "one", Before)), "the file is everywhere");
        Assert.All(bench.Nodes, node => Assert.Empty(Problems(node)));

        // Every few seconds a node notes who the others are.
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(10));
        bench.Nodes[number].Kill();
        return (bench, bench.Nodes[number]);
    }

    private static bool Shows(PoolBench bench, BenchNode node, string name, byte[] content) =>
        bench.Get(node, name).AsSpan().SequenceEqual(content);

    private static string[] Problems(BenchNode node) =>
    [
        .. node.Status().Problems.Where(problem => problem.Code == "damage")
            .Select(problem => $"{problem.Message} {problem.Advice}"),
    ];
}
