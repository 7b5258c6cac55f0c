using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Volumes;
using Cairn.Simulation.Disks;

namespace Cairn.Node.Tests.Peers;

/// <summary>
/// Members that leave by their own will: the others drop old history without them, as they do not while an admin is forgotten who
/// may come back.
/// </summary>
public sealed class LeftMemberTests
{
    private const int Files = 50;
    private const string Kept = "history-kept";

    /// <summary>The one that left may look on: it has what it had, writes nothing, and stays out though it is started again.</summary>
    [Theory]
    [InlineData(301, true)]
    [InlineData(302, false)]
    public void TheOthersDropHistory_AndItStaysOut(ulong seed, bool staysUp)
    {
        PoolBench bench = DroppedPool.Of(4, seed);
        (BenchNode[] rest, BenchNode leaver) = (Rest(bench), bench.Nodes[^1]);
        DroppedPool.Fill(bench, Files);
        Assert.True(Leave(bench, leaver));
        if (!staysUp)
        {
            leaver.Kill();
        }

        Assert.True(bench.Put(rest[1], "afterwards", [7]).IsOk);
        DroppedPool.UntilDropped(bench, rest);
        Assert.All(rest, node => AssertShows(bench, node, Files, "afterwards"));
        Assert.All(rest, node => Assert.DoesNotContain(node.Status().Problems, problem => problem.Code == Kept));
        if (staysUp)
        {
            leaver.Kill();
        }

        leaver.Start();
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(2));
        Assert.Equal("forgotten", rest[0].RoleOf(leaver));
        Assert.Equal("left", leaver.Status().Problems[0].Code);
        AssertShows(bench, leaver, Files);
        Assert.Equal(VolumeError.Left, bench.Put(leaver, "more", [1]).Error);
        Assert.True(bench.Put(rest[2], "more", [8]).IsOk);
        bench.Until(() => Array.TrueForAll(rest, node => bench.Get(node, "more") is [8]), "the others go on");
        bench.AssertNoFailures();
    }

    /// <summary>Half of those who ever were here left: they do not outvote the others.</summary>
    [Fact]
    public void ManyWhoLeft_KeepNothing()
    {
        PoolBench bench = DroppedPool.Of(4, 311);
        Assert.True(Leave(bench, bench.Nodes[3]));
        Assert.True(Leave(bench, bench.Nodes[2]));
        bench.Nodes[2].Kill();
        bench.Nodes[3].Kill();
        BenchNode[] rest = [bench.Nodes[0], bench.Nodes[1]];
        DroppedPool.Fill(bench, rest, Files);
        DroppedPool.UntilDropped(bench, rest);
        Assert.All(rest, node => AssertShows(bench, node, Files));
    }

    /// <summary>Whoever may come back wants to read what happened: everything is kept, and it is said for whom.</summary>
    [Fact]
    public void OneThatIsForgotten_KeepsHistory_UntilItIsRevoked()
    {
        PoolBench bench = DroppedPool.Of(4, 321);
        (BenchNode[] rest, BenchNode away) = (Rest(bench), bench.Nodes[^1]);
        away.Kill();
        bench.Until(() => Array.TrueForAll(rest, node => node.Connected == 2), "it is gone");
        bench.Ok(rest[0], () => rest[0].Node.ForgetNode("node3", default).AsTask());
        DroppedPool.Fill(bench, rest, Files);
        Assert.DoesNotContain(rest[0].Status().Problems, problem => problem.Code == Kept);
        bench.Until(
            () => Array.TrueForAll(rest, node => node.Status().Problems.Any(problem => problem.Code == Kept)),
            "it is said");
        NodeProblem told = rest[1].Status().Problems.Single(problem => problem.Code == Kept);
        Assert.Contains("shared", told.Message, StringComparison.Ordinal);
        Assert.Contains("`cairn node revoke node3`", told.Advice, StringComparison.Ordinal);
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(10));
        Assert.DoesNotContain(rest, DroppedPool.HasDropped);

        bench.Ok(rest[0], () => rest[0].Node.RevokeNode("node3", default).AsTask());
        DroppedPool.UntilDropped(bench, rest);
        Assert.All(rest, node => AssertShows(bench, node, Files));
        Assert.All(rest, node => Assert.DoesNotContain(node.Status().Problems, problem => problem.Code == Kept));
    }

    /// <summary>What was acknowledged while it left is with the others, though it is gone the moment it says that it has left.</summary>
    [Fact]
    public void WhatIsWrittenWhileItLeaves_IsHandedOn_OrRefused()
    {
        for (ulong seed = 331; seed < 336; seed++)
        {
            PoolBench bench = DroppedPool.Of(3, seed);
            (BenchNode[] rest, BenchNode leaver) = (Rest(bench), bench.Nodes[^1]);
            Task<bool> leaving = leaver.Process.Run(() => Leave(leaver));
            int acknowledged = 0;
            while (!leaving.IsCompleted && bench.Put(leaver, $"file {acknowledged}", [(byte)acknowledged]).IsOk)
            {
                acknowledged++;
                bench.Scheduler.RunFor(TimeSpan.FromMilliseconds(bench.Random.Next(200)));
            }

            Assert.Equal(VolumeError.Left, bench.Put(leaver, "refused", [1]).Error);
            Assert.True(bench.Scheduler.Complete(leaving, TimeSpan.FromMinutes(10)));
            leaver.Kill(CrashKind.PowerLost);
            leaver.Wipe();
            Assert.True(acknowledged > 0);
            bench.Until(
                () => Array.TrueForAll(rest, node => bench.Get(node, $"file {acknowledged - 1}") is not null),
                "the last is here");
            Assert.All(rest, node => AssertShows(bench, node, acknowledged));
        }
    }

    /// <summary>Killed at any write of its leaving, it is afterwards a member or has left, and all say the same.</summary>
    [Fact]
    public void KilledWhileItLeaves_ItHasLeftOrNot()
    {
        PoolBench bench = DroppedPool.Of(3, 341);
        (BenchNode[] rest, BenchNode leaver) = (Rest(bench), bench.Nodes[^1]);
        Assert.True(bench.Put(leaver, "file 0", [0]).IsOk);
        bench.Until(() => Array.TrueForAll(rest, node => bench.Get(node, "file 0") is not null), "it is here");
        bool hasLeft = false;
        int lives = 0;
        for (int changes = 1; !hasLeft; changes++)
        {
            leaver.Disk.Faults.DieAtChange = leaver.Disk.Faults.ChangeCount + changes;
            Task<bool> leaving = leaver.Process.Run(() => Leave(leaver));
            bench.Scheduler.RunFor(TimeSpan.FromSeconds(20));
            leaver.Kill(lives % 2 == 0 ? CrashKind.PowerLost : CrashKind.ProcessKilled);
            leaver.Disk.Faults.Clear();
            leaver.Start();
            bench.Until(() => leaver.Connected == 2 && leaver.FindDrive() is not null, "it is back");
            bench.Scheduler.RunFor(TimeSpan.FromMinutes(2));
            hasLeft = leaver.Node.State.Members[leaver.Id].HasLeft;
            Assert.Equal(hasLeft, bench.Put(leaver, $"try {changes}", [1]) is { IsOk: false, Error: VolumeError.Left });
            Assert.Equal(hasLeft, leaver.Status().Problems.Any(problem => problem.Code == "left"));
            Assert.All(rest, node => Assert.Equal(hasLeft, node.Node.State.Members[leaver.Id].HasLeft));
            Assert.All(rest, node => Assert.Equal(!hasLeft, node.Node.State.IsActive(leaver.Id)));
            lives++;
        }

        Assert.InRange(lives, 3, 40);
        bench.AssertNoFailures();
    }

    private static BenchNode[] Rest(PoolBench bench) => [.. bench.Nodes.SkipLast(1)];

    private static bool Leave(PoolBench bench, BenchNode leaver) => bench.Do(leaver, () => Leave(leaver));

    private static async Task<bool> Leave(BenchNode leaver)
    {
        bool hasLeft = false;
        await foreach (Result<SafetyProgress, ControlError> step in leaver.Node.Leave(force: false, default))
        {
            hasLeft = step.IsOk;
        }

        return hasLeft;
    }

    private static void AssertShows(PoolBench bench, BenchNode node, int files, params string[] more)
    {
        string[] names = [.. Enumerable.Range(0, files).Select(i => $"file {i}"), .. more];
        Assert.All(names, name => Assert.True(bench.Do(node, () => node.Drive.Resolve(name).AsTask()).IsOk, name));
    }
}
