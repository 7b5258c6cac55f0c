using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Simulation.Disks;

namespace Cairn.Node.Tests.Peers;

/// <summary>A newcomer to a volume with a long history, on virtual time: whom it takes the table from, and what a crash leaves.</summary>
public sealed class NewcomerPoolTests
{
    private const int Files = 40;

    /// <summary>Who may not decide who belongs cannot show a newcomer a tree of its own making, either.</summary>
    [Theory]
    [InlineData(MemberRole.Admin, true)]
    [InlineData(MemberRole.Member, false)]
    public void OnlyAnAdmin_IsAskedForItsTable(MemberRole role, bool isAsked)
    {
        PoolBench bench = PoolBench.WithDrives(1, 21);
        (BenchNode founder, BenchNode giver) = (bench.Nodes[0], bench.NewNode());
        bench.Join(giver, founder, role);
        Fill(bench, founder);
        bench.Until(() => HasAll(bench, giver), "the giver has the files");
        BenchNode newcomer = Newcomer(bench, founder);
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(1));
        founder.Kill();
        newcomer.Start();
        bench.Until(() => HasAll(bench, newcomer), "the newcomer has the files");
        Assert.Equal(
            isAsked, newcomer.Lines.Any(static line => line.Contains("begins with", StringComparison.Ordinal)));
    }

    [Fact]
    public void WhereverANewcomerIsKilled_ItHasAllInTheEnd()
    {
        for (ulong seed = 1; seed <= 5; seed++)
        {
            PoolBench bench = PoolBench.WithDrives(2, seed);
            Fill(bench, bench.Nodes[0]);
            BenchNode newcomer = Newcomer(bench, bench.Nodes[0]);
            bench.Scheduler.RunFor(TimeSpan.FromMinutes(1));
            for (int life = 0; life < 4; life++)
            {
                newcomer.Start();
                bench.Scheduler.RunFor(TimeSpan.FromMicroseconds(bench.Random.Next(4000)));
                newcomer.Kill(bench.Random.Chance(2) ? CrashKind.PowerLost : CrashKind.ProcessKilled);
            }

            newcomer.Start();
            bench.Until(() => HasAll(bench, newcomer), "the newcomer has the files");
            bench.Until(() => bench.Put(newcomer, "by the newcomer", [1, 2, 3]).IsOk, "the newcomer writes");
            bench.Until(
                () => bench.Nodes.TrueForAll(node => bench.Get(node, "by the newcomer") is [1, 2, 3]),
                "all have what the newcomer wrote");
        }
    }

    /// <summary>A member that has not run yet.</summary>
    private static BenchNode Newcomer(PoolBench bench, BenchNode inviter)
    {
        BenchNode newcomer = bench.NewNode();
        newcomer.Options = newcomer.Options with { TableFrom = Files };
        InviteTicket ticket =
            bench.Ok(inviter, () => inviter.Node.Invite(new InviteTerms(MemberRole.Member), default).AsTask());
        Result<JoinedPool, ControlError> joined = bench.Do(
            newcomer, () => Founding.Join(newcomer.Ports, newcomer.Options, ticket.Code, CancellationToken.None));
        Assert.True(joined.IsOk, joined.ToString());
        return newcomer;
    }

    private static void Fill(PoolBench bench, BenchNode node)
    {
        for (int i = 0; i < Files; i++)
        {
            Assert.True(bench.Put(node, $"file {i}", [(byte)i]).IsOk);
        }
    }

    private static bool HasAll(PoolBench bench, BenchNode node) =>
        node.FindDrive() is not null
        && Enumerable.Range(0, Files).All(i => bench.Get(node, $"file {i}") is [var only] && only == i);
}
