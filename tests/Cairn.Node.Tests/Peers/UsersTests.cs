using System.Globalization;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Volumes;

namespace Cairn.Node.Tests.Peers;

/// <summary>Who uses which machine.</summary>
public sealed class UsersTests
{
    [Fact]
    public void An_admin_says_who_uses_a_machine_and_all_nodes_show_it()
    {
        PoolBench bench = PoolBench.Of(2, 701);
        (BenchNode admin, BenchNode lap) = (bench.Nodes[0], bench.Nodes[1]);
        BenchNode member = bench.NewNode();
        bench.Join(member, admin, MemberRole.Member);
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Connected == 2), "all connected");
        Assert.True(Assign(bench, admin, lap.Options.Name, "anna").IsOk);
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Node.UserOf(lap.Id) == "anna"), "all know");
        Assert.Equal("anna", member.Info().Single(node => node.Node == lap.Id).User);
        Assert.Empty(member.Node.UserOf(admin.Id));

        Assert.Equal(ControlErrorKind.NotPermitted, Assign(bench, member, lap.Options.Name, "mallory").Error.Kind);
        Assert.Equal(ControlErrorKind.AlreadyExists, Assign(bench, admin, "node1", "node0").Error.Kind);
        Assert.Equal(ControlErrorKind.InvalidArgument, Assign(bench, admin, "node1", "an\nna").Error.Kind);
        Assert.Equal(ControlErrorKind.NotFound, Assign(bench, admin, "nobody", "anna").Error.Kind);

        Assert.True(Assign(bench, admin, lap.Options.Name, string.Empty).IsOk);
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Node.UserOf(lap.Id).Length == 0), "all know again");
    }

    [Fact]
    public void The_work_of_several_machines_is_left_out_of_a_moment_at_once()
    {
        PoolBench bench = PoolBench.WithDrives(3, 702);
        BenchNode desk = bench.Nodes[0];
        Assert.True(bench.Put(desk, "before", bench.Bytes(1000)).IsOk);
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(10));
        string moment = "@" + desk.Process.Time.GetUtcNow().UtcDateTime.ToString("O", CultureInfo.InvariantCulture);
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(1));
        foreach (BenchNode node in bench.Nodes)
        {
            Assert.True(bench.Put(node, $"by-{node.Options.Name}", bench.Bytes(1000)).IsOk);
        }

        bench.Until(
            () => bench.Get(desk, "by-node1") is not null && bench.Get(desk, "by-node2") is not null, "all there");
        PastState past = new(moment) { Without = [bench.Nodes[1].Id, bench.Nodes[2].Id] };
        Result<RestoreOutcome, VolumeError> restored =
            bench.Do(desk, () => desk.Drive.Snapshots!.Restore(past, string.Empty, default).AsTask());
        Assert.Equal(2, restored.Value.Changed);
        Assert.NotNull(bench.Get(desk, "before"));
        Assert.NotNull(bench.Get(desk, "by-node0"));
        Assert.Null(bench.Get(desk, "by-node1"));
        Assert.Null(bench.Get(desk, "by-node2"));
    }

    private static Result<Unit, ControlError> Assign(PoolBench bench, BenchNode by, string node, string user) =>
        bench.Do(by, () => by.Node.AssignUser(node, user, default).AsTask());
}
