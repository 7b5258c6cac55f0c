using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Simulation.Disks;
using Cairn.Storage.Ports;

namespace Cairn.Node.Tests.Peers;

/// <summary>A member that was forgotten while it was cut off and worked on, and that comes back.</summary>
public sealed class ForgottenMemberTests
{
    private const int FileBytes = 100_000;

    [Fact]
    public void What_it_edited_is_there_again_and_what_was_collected_meanwhile_stays_collected()
    {
        PoolBench bench = PoolBench.WithDrives(3, 31);
        (BenchNode first, BenchNode second, BenchNode away) = (bench.Nodes[0], bench.Nodes[1], bench.Nodes[2]);
        byte[] newer = bench.Bytes(FileBytes);
        Assert.True(bench.Put(first, "removed", bench.Bytes(FileBytes)).IsOk);
        Assert.True(bench.Put(first, "edited", bench.Bytes(FileBytes)).IsOk);
        bench.Until(() => bench.Nodes.TrueForAll(node => bench.Get(node, "edited") is not null), "the files are there");
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Chunks.SetEquals(first.Chunks)), "all have copies");
        SortedSet<ChunkAddress> old = away.Chunks;
        Assert.NotEmpty(old);

        bench.Network.Cut(away.Address, first.Address);
        bench.Network.Cut(away.Address, second.Address);
        bench.Until(() => away.Connected == 0 && first.Connected == 1, "it is cut off");
        bench.Ok(first, () => first.Node.ForgetNode("node2", default).AsTask());
        for (int i = 0; i < 30; i++)
        {
            Assert.True(bench.Put(away, $"other{i}", [1]).IsOk);
        }

        Assert.True(bench.Put(away, "edited", newer).IsOk);
        Assert.True(bench.Delete(first, "removed") && bench.Delete(first, "edited"));
        Assert.True(bench.Do(first, () => Task.FromResult(first.Drive.History!.EmptyTrash())).IsOk);
        bench.Until(() => first.Chunks.Count == 0 && second.Chunks.Count == 0, "the others collect without it");
        Assert.Superset(old, away.Chunks);

        bench.Network.HealAll();
        bench.Until(() => first.RoleOf(away) != "forgotten" && away.RoleOf(away) != "forgotten", "it belongs again");
        bench.Until(
            () => bench.Nodes.TrueForAll(node => bench.Get(node, "edited") is { } read && read.SequenceEqual(newer)),
            "its edit is everywhere");
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(3));
        Assert.All(bench.Nodes, node => Assert.Empty(node.Chunks.Intersect(old)));
        Assert.Null(bench.Get(first, "removed"));
        bench.AssertNoFailures();
    }

    /// <summary>
    /// Found by `cairn simulate --nodes 4 --seed 902`: placement without it asked for fewer copies, so it gave up all of its own.
    /// </summary>
    [Fact]
    public void On_its_way_back_it_gives_up_no_copy_of_what_is_needed()
    {
        PoolBench bench = PoolBench.WithDrives(3, 34);
        (BenchNode first, BenchNode second, BenchNode away) = (bench.Nodes[0], bench.Nodes[1], bench.Nodes[2]);
        Assert.True(bench.Put(first, "kept", bench.Bytes(FileBytes)).IsOk);
        bench.Until(() => away.Chunks.Count > 0 && away.Chunks.SetEquals(second.Chunks), "all have copies");
        SortedSet<ChunkAddress> copies = away.Chunks;
        bench.Network.Cut(away.Address, first.Address);
        bench.Network.Cut(away.Address, second.Address);
        bench.Until(() => away.Connected == 0 && first.Connected == 1, "it is cut off");
        bench.Ok(first, () => first.Node.ForgetNode("node2", default).AsTask());
        bench.Network.HealAll();
        int fewest = copies.Count;
        bench.Until(
            () =>
            {
                fewest = Math.Min(fewest, away.Chunks.Intersect(copies).Count());
                bool isBack = first.RoleOf(away) != "forgotten" && away.RoleOf(away) != "forgotten";
                return isBack && away.Status().State == "online";
            },
            "it belongs again");
        Assert.Equal(copies.Count, fewest);
    }

    /// <summary>
    /// Who does not know yet that it is back does not ask it whether something may go: until all do, no copy is one to count on.
    /// </summary>
    [Fact]
    public void What_it_wrote_apart_it_keeps_until_all_it_can_reach_know_that_it_is_back()
    {
        PoolBench bench = PoolBench.WithDrives(6, 35);
        (BenchNode first, BenchNode away) = (bench.Nodes[0], bench.Nodes[5]);
        bench.Nodes[..5].ForEach(node => bench.Network.Cut(away.Address, node.Address));
        bench.Until(() => away.Connected == 0 && first.Connected == 4, "it is cut off");
        bench.Ok(first, () => first.Node.ForgetNode("node5", default).AsTask());
        SortedSet<ChunkAddress> before = away.Chunks;
        for (int i = 0; i < 12; i++)
        {
            Assert.True(bench.Put(away, $"apart {i}", bench.Bytes(FileBytes * 3)).IsOk);
        }

        bench.Until(() => away.Chunks.Count >= before.Count + 12, "they are published");
        SortedSet<ChunkAddress> apart = [.. away.Chunks.Except(before)];
        bench.Network.HealAll();
        int fewest = apart.Count;
        bench.Until(
            () =>
            {
                bool isKnown = bench.Nodes.TrueForAll(node => node.RoleOf(away) != "forgotten");
                fewest = isKnown ? fewest : Math.Min(fewest, away.Chunks.Intersect(apart).Count());
                return isKnown && away.Chunks.Intersect(apart).Count() < apart.Count;
            },
            "it is back, and then gives up what placement wants elsewhere");
        Assert.Equal(apart.Count, fewest);
        bench.AssertNoFailures();
    }

    /// <summary>Found by `cairn simulate --faults ...,away --seed 2`: a full disk kept it out until it was started again.</summary>
    [Fact]
    public void A_disk_that_refuses_its_record_for_a_while_does_not_keep_it_out()
    {
        PoolBench bench = PoolBench.Of(3, 33);
        (BenchNode first, BenchNode away) = (bench.Nodes[0], bench.Nodes[2]);
        bench.Network.Cut(away.Address, first.Address);
        bench.Network.Cut(away.Address, bench.Nodes[1].Address);
        bench.Until(() => away.Connected == 0 && first.Connected == 1, "it is cut off");
        bench.Ok(first, () => first.Node.ForgetNode("node2", default).AsTask());
        int refused = 0;
        away.Disk.Faults.Fail = (path, operation) => operation == DiskOperation.Open && path == "record.new"
            && away.Status().State == "joining" && refused++ < 3 ? DiskErrorKind.NoSpace : null;
        bench.Network.HealAll();
        bench.Until(() => first.RoleOf(away) != "forgotten", "it belongs again");
        Assert.InRange(refused, 3, 4);
    }

    /// <summary>Each try reads all history: a full disk is not asked at every look, the owner is told, and it ends by itself.</summary>
    [Fact]
    public void What_it_cannot_make_good_yet_it_tries_again_in_growing_pauses_and_says_so()
    {
        PoolBench bench = PoolBench.Of(3, 38);
        (BenchNode first, BenchNode away) = (bench.Nodes[0], bench.Nodes[2]);
        bench.Ok(first, () => first.Node.CreateVolume("shared", default).AsTask());
        bench.Until(() => away.Volumes!.Open.Count == 1, "the volume is open");
        bench.Network.Cut(away.Address, first.Address);
        bench.Network.Cut(away.Address, bench.Nodes[1].Address);
        bench.Until(() => away.Connected == 0 && first.Connected == 1, "it is cut off");
        bench.Ok(first, () => first.Node.ForgetNode("node2", default).AsTask());
        away.Volume.CanComeBack = false;
        bench.Network.HealAll();
        bench.Until(() => away.Volume.ComeBacks > 0, "it tries");
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(20));
        Assert.InRange(away.Volume.ComeBacks, 5, 12);
        Assert.Contains("'shared'", Assert.Single(Failing(away)).Message, StringComparison.Ordinal);
        Assert.Single(
            away.Lines, static line => line.Contains("cannot yet make good", StringComparison.Ordinal));
        Assert.Equal("forgotten", first.RoleOf(away));

        away.Volume.CanComeBack = true;
        bench.Until(() => first.RoleOf(away) != "forgotten", "it belongs again", TimeSpan.FromMinutes(6));
        Assert.Empty(Failing(away));

        static IEnumerable<NodeProblem> Failing(BenchNode node) =>
            node.Status().Problems.Where(static problem => problem.Code == "return-failing");
    }

    [Fact]
    public void A_member_that_is_away_over_the_horizon_is_forgotten_and_space_comes_back()
    {
        PoolBench bench = PoolBench.WithDrives(3, 32);
        (BenchNode first, BenchNode second, BenchNode away) = (bench.Nodes[0], bench.Nodes[1], bench.Nodes[2]);
        Assert.True(bench.Put(first, "removed", bench.Bytes(FileBytes)).IsOk);
        bench.Until(() => second.Chunks.Count > 0 && first.Chunks.Count > 0, "copies are there");
        away.Kill();
        foreach (BenchNode node in new[] { first, second })
        {
            node.Options = node.Options with { Horizon = TimeSpan.FromMinutes(15) };
            node.Kill();
            node.Start();
        }

        bench.Until(() => first.Connected == 1 && first.FindDrive() is not null, "two go on");
        Assert.True(bench.Delete(first, "removed"));
        Assert.True(bench.Do(first, () => Task.FromResult(first.Drive.History!.EmptyTrash())).IsOk);
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(10));
        Assert.NotEmpty(first.Chunks);
        first.Kill();
        first.Start();
        bench.Until(
            () => first.Chunks.Count == 0 && second.Chunks.Count == 0, "space is back", TimeSpan.FromMinutes(8));
        Assert.Equal("forgotten", second.RoleOf(away));

        // Nobody is told to do something about it any more.
        Assert.Empty(second.Status().Problems);
        Assert.Equal(2, second.Status().PoolState.NodesTotal);
        away.Start();
        bench.Until(() => second.RoleOf(away) != "forgotten", "it belongs again");
        bench.Until(() => away.Chunks.Count == 0, "and has nothing of what was removed");
    }

    /// <summary>
    /// Found by `cairn simulate --faults laptops,...`: one that had lost sight of the others one after the other forgot them all, and
    /// collected alone what they needed.
    /// </summary>
    [Fact]
    public void One_after_the_other_no_more_than_half_are_forgotten()
    {
        PoolBench bench = DroppedPool.Of(5, 36);
        BenchNode first = bench.Nodes[0];
        bench.Nodes[4].Kill();
        bench.Nodes[3].Kill();
        bench.Until(() => CountForgotten(first) == 2, "two are forgotten", TimeSpan.FromHours(1));
        bench.Nodes[2].Kill();
        bench.Nodes[1].Kill();
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(30));
        Assert.Equal(2, CountForgotten(first));
    }

    private static int CountForgotten(BenchNode node) => node.Info().Count(static other => other.Role == "forgotten");
}
