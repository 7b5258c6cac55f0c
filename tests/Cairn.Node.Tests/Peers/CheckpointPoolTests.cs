using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Simulation.Disks;

namespace Cairn.Node.Tests.Peers;

/// <summary>Checkpoints of a pool on virtual time: all make the same, and newcomers begin with what all have made.</summary>
public sealed class CheckpointPoolTests
{
    private const int Between = 40;
    private const int Files = 50;

    [Fact]
    public void ANewcomerBeginsWithWhatAllMade_NobodysWordAlone()
    {
        PoolBench bench = Founded(31);
        BenchNode newcomer = Newcomer(bench);

        // The admin is away: neither its word nor its table is needed.
        bench.Nodes[0].Kill();
        newcomer.Start();
        bench.Until(() => HasAll(bench, newcomer), "the newcomer has the files");
        Assert.Contains(
            newcomer.Lines, static line => line.Contains("the checkpoint of 3 members", StringComparison.Ordinal));
        bench.Nodes[0].Start();
        bench.Until(() => bench.Put(newcomer, "by the newcomer", [1, 2, 3]).IsOk, "the newcomer writes");
        bench.Until(
            () => bench.Nodes.TrueForAll(node => bench.Get(node, "by the newcomer") is [1, 2, 3]),
            "all have what the newcomer wrote");
        Assert.All(bench.Nodes, node => Assert.DoesNotContain(
            node.Status().Problems, static problem => problem.Code == "checkpoint-differs"));
    }

    [Fact]
    public void WhereverGiversAndTheNewcomerAreKilled_ItHasAllInTheEnd()
    {
        for (ulong seed = 1; seed <= 2; seed++)
        {
            PoolBench bench = Founded(seed, attributeBytes: 64 << 10);
            BenchNode newcomer = Newcomer(bench);
            for (int life = 0; life < 5; life++)
            {
                newcomer.Start();
                bench.Scheduler.RunFor(TimeSpan.FromMicroseconds(bench.Random.Next(4000)));
                BenchNode giver = bench.Nodes[bench.Random.Next(3)];
                giver.Kill();
                bench.Scheduler.RunFor(TimeSpan.FromMicroseconds(bench.Random.Next(4000)));
                newcomer.Kill(bench.Random.Chance(2) ? CrashKind.PowerLost : CrashKind.ProcessKilled);
                giver.Start();
            }

            newcomer.Start();
            bench.Until(() => HasAll(bench, newcomer), "the newcomer has the files");
        }
    }

    [Fact]
    public void ALostIndexIsMadeFromTheCheckpoint()
    {
        PoolBench bench = Founded(32);
        BenchNode member = bench.Nodes[2];
        member.Kill();
        Assert.True(member.Indexes.Remove(member.Indexes.Keys.Single(
            static name => name.StartsWith("volume-", StringComparison.Ordinal))));
        member.Start();
        bench.Until(() => HasAll(bench, member), "the member has the files again");
        bench.Until(
            () => member.Lines.Any(
                static line => line.Contains("made anew from a checkpoint", StringComparison.Ordinal)),
            "it says what it began with");
    }

    /// <summary>Three members with files, and a checkpoint of them all.</summary>
    /// <param name="seed">Decides everything.</param>
    /// <param name="attributeBytes">Much of it with every file: more than a page of records.</param>
    private static PoolBench Founded(ulong seed, int attributeBytes = 0)
    {
        PoolBench bench = PoolBench.WithDrives(3, seed, tableFrom: Between);
        for (int i = 0; i < Files; i++)
        {
            Assert.True(bench.Put(bench.Nodes[1], $"file {i}", [(byte)i]).IsOk);
            Assert.True(attributeBytes == 0 || bench.SetAttribute(bench.Nodes[1], $"file {i}", attributeBytes).IsOk);
        }

        bench.Until(
            () => bench.Nodes.TrueForAll(node => !node.Node.State.Checkpoints.IsEmpty), "a checkpoint stands");
        return bench;
    }

    private static BenchNode Newcomer(PoolBench bench)
    {
        BenchNode newcomer = bench.NewNode();
        InviteTicket ticket = bench.Ok(
            bench.Nodes[0], () => bench.Nodes[0].Node.Invite(new InviteTerms(MemberRole.Member), default).AsTask());
        Result<JoinedPool, ControlError> joined = bench.Do(
            newcomer, () => Founding.Join(newcomer.Ports, newcomer.Options, ticket.Code, CancellationToken.None));
        Assert.True(joined.IsOk, joined.ToString());
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(1));
        return newcomer;
    }

    private static bool HasAll(PoolBench bench, BenchNode node) =>
        node.FindDrive() is not null
        && Enumerable.Range(0, Files).All(i => bench.Get(node, $"file {i}") is [var only] && only == i);
}
