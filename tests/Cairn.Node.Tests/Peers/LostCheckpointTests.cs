using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Volumes;
using Cairn.Simulation.Disks;

namespace Cairn.Node.Tests.Peers;

/// <summary>
/// Members on virtual time that have dropped old blocks, and of which one loses its index and all its checkpoints: it shows no
/// tree until it has the settled one from another.
/// </summary>
public sealed class LostCheckpointTests
{
    private const int Files = 50;
    private const string Code = "awaits-checkpoint";

    [Fact]
    public void ItIsNotOpened_UntilSomebodyWhoKeepsItIsThere_AndLosesNothing()
    {
        PoolBench bench = Dropped(41);
        BenchNode victim = bench.Nodes[2];
        Kill(bench.Nodes[0], bench.Nodes[1]);
        Assert.True(bench.Put(victim, "sealed", [1]).IsOk);
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(1));
        Assert.True(bench.Put(victim, "journaled", [2]).IsOk);
        LoseAll(victim);

        for (int life = 0; life < 3; life++)
        {
            victim.Start();
            bench.Scheduler.RunFor(TimeSpan.FromMinutes(life == 0 ? 3 : 0.3));
            AssertWaits(bench, victim, "None of those who keep it can be reached: node0, node1.");
            victim.Kill(life == 1 ? CrashKind.PowerLost : CrashKind.ProcessKilled);
        }

        victim.Start();
        bench.Nodes[1].Start();
        bench.Until(() => victim.FindDrive() is not null, "it is open");
        AssertHasAll(bench, victim);
        Assert.DoesNotContain(victim.Status().Problems, static problem => problem.Code == Code);
        bench.Until(() => bench.Get(victim, "journaled") is [2], "what was journaled is there");
        bench.Nodes[0].Start();
        bench.Until(() => bench.Put(victim, "afterwards", [3]).IsOk, "it writes");
        bench.Until(
            () => bench.Nodes.TrueForAll(node => node.FindDrive() is not null && bench.Get(node, "sealed") is [1]
                && bench.Get(node, "journaled") is [2] && bench.Get(node, "afterwards") is [3]),
            "all have all of it");
        Assert.All(bench.Nodes, node => AssertHasAll(bench, node));
        bench.AssertNoFailures();
    }

    [Fact]
    public void WhereverItAndThoseWhoGiveItAreKilled_ItShowsAllOrNothing()
    {
        for (ulong seed = 51; seed <= 53; seed++)
        {
            PoolBench bench = Dropped(seed, attributeBytes: 64 << 10);
            BenchNode victim = bench.Nodes[2];
            LoseAll(victim);
            for (int life = 0; life < 6; life++)
            {
                victim.Start();
                BenchNode giver = bench.Nodes[bench.Random.Next(2)];
                RunAndLook(bench, victim, 6000);
                giver.Kill();
                RunAndLook(bench, victim, 6000);
                victim.Kill(bench.Random.Chance(2) ? CrashKind.PowerLost : CrashKind.ProcessKilled);
                giver.Start();
            }

            victim.Start();
            bench.Until(() => victim.FindDrive() is not null, "it is open");
            AssertHasAll(bench, victim);
            bench.AssertNoFailures();
        }
    }

    /// <summary>With either of the two it needs nobody.</summary>
    [Theory]
    [InlineData("volume-")]
    [InlineData("checkpoint-")]
    public void WithTheIndexOrTheCheckpoints_ItIsOpenedAlone(string lost)
    {
        PoolBench bench = Dropped(61);
        BenchNode victim = bench.Nodes[2];
        Kill(bench.Nodes[0], bench.Nodes[1]);
        victim.Kill();
        DroppedPool.Lose(victim, lost);
        victim.Start();
        bench.Until(() => victim.FindDrive() is not null, "it is open", TimeSpan.FromSeconds(1));
        AssertHasAll(bench, victim);
    }

    [Fact]
    public void ANewcomer_ShowsAllOrNothing()
    {
        PoolBench bench = Dropped(71, attributeBytes: 64 << 10);
        BenchNode newcomer = bench.NewNode();
        InviteTicket ticket = bench.Ok(
            bench.Nodes[0], () => bench.Nodes[0].Node.Invite(new InviteTerms(MemberRole.Member), default).AsTask());
        Result<JoinedPool, ControlError> joined = bench.Do(
            newcomer, () => Founding.Join(newcomer.Ports, newcomer.Options, ticket.Code, CancellationToken.None));
        Assert.True(joined.IsOk, joined.ToString());
        for (int life = 0; life < 4; life++)
        {
            newcomer.Start();
            RunAndLook(bench, newcomer, 20_000);
            Kill(bench.Nodes[0], bench.Nodes[1], bench.Nodes[2]);

            // Longer than it has patience with one transfer.
            bench.Scheduler.RunFor(TimeSpan.FromMinutes(3));
            Look(bench, newcomer);
            newcomer.Kill();
            bench.Nodes.ForEach(node => _ = node == newcomer || Started(node));
        }

        newcomer.Start();
        bench.Until(() => newcomer.FindDrive() is not null, "it is open");
        AssertHasAll(bench, newcomer);
        bench.Until(() => bench.Put(newcomer, "by the newcomer", [4]).IsOk, "it writes");
        bench.Until(
            () => bench.Nodes.TrueForAll(node => bench.Get(node, "by the newcomer") is [4]), "all have what it wrote");
        bench.AssertNoFailures();
    }

    /// <summary>Three members with files, of which each has dropped what the settled checkpoint has.</summary>
    private static PoolBench Dropped(ulong seed, int attributeBytes = 0)
    {
        PoolBench bench = DroppedPool.Of(3, seed);
        DroppedPool.Fill(bench, Files, attributeBytes);
        DroppedPool.UntilDropped(bench);
        return bench;
    }

    private static void LoseAll(BenchNode node)
    {
        node.Kill();
        DroppedPool.Lose(node, "volume-");
        DroppedPool.Lose(node, "checkpoint-");
    }

    private static void Kill(params BenchNode[] nodes) => Array.ForEach(nodes, static node => node.Kill());

    private static bool Started(BenchNode node)
    {
        node.Start();
        return true;
    }

    private static void RunAndLook(PoolBench bench, BenchNode node, int microseconds)
    {
        for (int i = 0; i < 4; i++)
        {
            bench.Scheduler.RunFor(TimeSpan.FromMicroseconds(bench.Random.Next(microseconds)));
            Look(bench, node);
        }
    }

    /// <summary>What is shown at any moment is the tree.</summary>
    private static void Look(PoolBench bench, BenchNode node)
    {
        if (node.FindDrive() is not null)
        {
            AssertHasAll(bench, node);
        }
    }

    private static void AssertHasAll(PoolBench bench, BenchNode node) => Assert.All(
        Enumerable.Range(0, Files),
        i => Assert.True(bench.Do(node, () => node.Drive.Resolve($"file {i}").AsTask()).IsOk, $"file {i}"));

    private static void AssertWaits(PoolBench bench, BenchNode node, string sentence)
    {
        Assert.Null(node.FindDrive());
        ControlError refused = bench.Do(node, () => node.Node.Volume("shared", default).AsTask()).Error;
        Assert.Equal(ControlErrorKind.Unreachable, refused.Kind);
        Assert.Contains(sentence, refused.Message, StringComparison.Ordinal);
        NodeProblem problem = Assert.Single(node.Status().Problems, static problem => problem.Code == Code);
        Assert.Contains(sentence, problem.Message, StringComparison.Ordinal);
    }
}
