using Cairn.Core.Primitives;
using Cairn.Node.Control;

namespace Cairn.Node.Tests.Peers;

/// <summary>A machine knows what would be lost with it, and pushes it out before it leaves.</summary>
public sealed class OnlyHereTests
{
    [Theory]
    [InlineData(100)]
    [InlineData(900_000)]
    public void What_was_written_with_nobody_there_is_only_here_also_after_a_restart_and_evacuated_when_they_are_back(
        int bytes)
    {
        PoolBench bench = PoolBench.WithDrives(3, 401);
        BenchNode laptop = bench.Nodes[2];
        byte[] content = bench.Bytes(bytes);
        Assert.True(bench.Put(laptop, "shared by all", content).IsOk);
        bench.Until(() => laptop.Status().OnlyHere.Sentence.Length == 0, "nothing is only here");
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(10));
        bench.Nodes[0].Kill();
        bench.Nodes[1].Kill();
        Assert.True(bench.Put(laptop, "written in the park", bench.Bytes(bytes)).IsOk);
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(10));
        AssertOnlyHere(laptop, bytes);
        laptop.Kill();
        laptop.Start();
        bench.Until(() => laptop.FindDrive() is not null, "the drive is back");
        AssertOnlyHere(laptop, bytes);
        SafetyProgress last = Evacuate(bench, laptop);
        Assert.False(last.IsSafe);
        Assert.Contains("No other node can be reached", last.Sentence, StringComparison.Ordinal);

        bench.Nodes[0].Start();
        last = Evacuate(bench, laptop);
        Assert.True(last.IsSafe, last.Sentence);
        Assert.Equal(new OnlyHereStatus(0, 0, 0, 0, [], string.Empty), laptop.Status().OnlyHere with { Paths = [] });
        laptop.Kill();
        Assert.NotNull(bench.Get(bench.Nodes[0], "written in the park"));
    }

    [Fact]
    public void Everything_of_a_pool_of_one_is_only_there()
    {
        PoolBench bench = PoolBench.WithDrives(1, 402);
        Assert.True(bench.Put(bench.Nodes[0], "lonely", bench.Bytes(50_000)).IsOk);
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(5));
        OnlyHereStatus only = bench.Nodes[0].Status().OnlyHere;
        Assert.True(only.Bytes > 50_000 && only.Sentence.Contains("one node", StringComparison.Ordinal));
        Assert.False(Evacuate(bench, bench.Nodes[0]).IsSafe);
    }

    [Fact]
    public void An_evacuation_says_that_the_others_are_full()
    {
        PoolBench bench = PoolBench.Of([512L << 20, 96L << 20], 403);
        BenchNode laptop = bench.Nodes[0];
        bench.Ok(laptop, () => laptop.Node.CreateVolume("scrap", default).AsTask());
        bench.Until(() => laptop.Volumes is { Open.Count: > 0 }, "the volume is open");
        bench.Do(laptop, () =>
        {
            for (int i = 0; i < 120; i++)
            {
                laptop.Volume.Write(bench.Bytes(1 << 20));
            }

            return Task.FromResult(0);
        });
        SafetyProgress last = Evacuate(bench, laptop);
        Assert.False(last.IsSafe);
        Assert.Contains("are full", last.Sentence, StringComparison.Ordinal);
    }

    private static void AssertOnlyHere(BenchNode node, int bytes)
    {
        OnlyHereStatus only = node.Status().OnlyHere;
        Assert.Equal(["shared/written in the park"], only.Paths);
        Assert.Equal(1, only.Files);
        Assert.True(only.Bytes >= bytes, $"{only}");
        Assert.False(node.Status().IsSafe);
        Assert.DoesNotContain("Everything", node.Status().Verdict, StringComparison.Ordinal);
    }

    private static SafetyProgress Evacuate(PoolBench bench, BenchNode node) => bench.Do(node, async () =>
    {
        SafetyProgress last = default;
        await foreach (Result<SafetyProgress, ControlError> step in node.Node.Evacuate(default))
        {
            Assert.True(step.IsOk, step.ToString());
            last = step.Value;
        }

        return last;
    });
}
