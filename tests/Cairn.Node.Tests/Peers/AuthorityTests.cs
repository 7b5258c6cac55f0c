using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Control;

namespace Cairn.Node.Tests.Peers;

/// <summary>Who may do what in a pool, and that keys reach everyone who should have them.</summary>
public sealed class AuthorityTests
{
    [Fact]
    public void A_member_may_not_govern_until_it_is_promoted()
    {
        PoolBench bench = PoolBench.Of(1, 201);
        BenchNode admin = bench.Nodes[0];
        BenchNode member = bench.NewNode();
        bench.Join(member, admin, MemberRole.Member);
        bench.Until(() => member.Connected == 1, "connected");
        CairnNode node = member.Node;
        ControlError[] refused =
        [
            bench.Do(member, () => node.Invite(default, default).AsTask()).Error,
            bench.Do(member, () => node.CreateVolume("docs", default).AsTask()).Error,
            bench.Do(member, () => node.RemoveVolume("docs", default).AsTask()).Error,
            bench.Do(member, () => node.RevokeNode("node0", default).AsTask()).Error,
            bench.Do(member, () => node.ForgetNode("node0", default).AsTask()).Error,
            bench.Do(member, () => node.PromoteNode("node1", default).AsTask()).Error,
            bench.Do(member, () => node.ForbidWriting("node0", default).AsTask()).Error,
            bench.Do(member, () => node.AllowWriting("node1", true, default).AsTask()).Error,
        ];
        Assert.All(refused, error => Assert.Equal(ControlErrorKind.NotPermitted, error.Kind));
        const string fix = "`cairn node promote node1`";
        Assert.All(refused, error => Assert.Contains(fix, error.Message, StringComparison.Ordinal));
        Assert.Equal("member", member.Info()[0].Role);
        bench.Ok(admin, () => admin.Node.PromoteNode("node1", default).AsTask());
        bench.Until(() => member.Status().IsAdmin, "promoted");
        bench.Ok(member, () => node.CreateVolume("docs", default).AsTask());
    }

    [Fact]
    public void Who_is_invited_to_read_reads_until_an_admin_says_otherwise()
    {
        PoolBench bench = PoolBench.Of(2, 251);
        BenchNode admin = bench.Nodes[0];
        BenchNode reader = bench.NewNode();
        bench.Join(reader, admin, MemberRole.Member, isReadOnly: true);
        bench.Until(() => reader.Status().IsReadOnly, "it knows that it only reads");
        bench.Until(() => bench.Nodes[1].Info().Count(node => node.IsReadOnly) == 1, "everybody knows");
        bench.Ok(admin, () => admin.Node.AllowWriting("node2", false, default).AsTask());
        bench.Until(() => !reader.Status().IsReadOnly, "it may write");
        bench.Ok(admin, () => admin.Node.ForbidWriting("node2", default).AsTask());
        bench.Until(() => reader.Status().IsReadOnly, "it only reads again");
        ControlError self = bench.Do(admin, () => admin.Node.ForbidWriting("node0", default).AsTask()).Error;
        Assert.Equal(ControlErrorKind.Unsuitable, self.Kind);
    }

    [Fact]
    public void The_kit_restores_the_owner_when_only_members_are_left()
    {
        PoolBench bench = new(211);
        BenchNode first = bench.NewNode();
        Result<FoundedPool, ControlError> founded =
            bench.Do(first, () => Task.FromResult(Founding.Found(first.Ports, first.Options)));
        first.Start();
        BenchNode member = bench.NewNode();
        bench.Join(member, first, MemberRole.Member);
        bench.Ok(first, () => first.Node.CreateVolume("scrap", default).AsTask());
        bench.Until(() => member.Volumes is { Open.Count: > 0 }, "volume there");
        first.Kill();
        BenchNode empty = bench.NewNode();
        Result<JoinedPool, ControlError> recovered = bench.Do(empty, () => Founding.Recover(
            empty.Ports, empty.Options, founded.Value.RecoveryKit, member.Address.ToString(), CancellationToken.None));
        Assert.True(recovered.IsOk, recovered.ToString());
        empty.Start();
        bench.Until(() => empty.Status() is { IsAdmin: true, Volumes: [{ HasKeys: true }] }, "back");
        bench.Ok(empty, () => empty.Node.RevokeNode("node0", default).AsTask());
    }

    [Fact]
    public void Keys_reach_who_joined_while_their_holder_was_away()
    {
        PoolBench bench = PoolBench.Of(2, 221);
        BenchNode holder = bench.Nodes[0];
        BenchNode host = bench.Nodes[1];
        host.Kill();
        bench.Ok(holder, () => holder.Node.CreateVolume("scrap", default).AsTask());
        holder.Kill();
        host.Start();
        BenchNode newcomer = bench.NewNode();
        bench.Join(newcomer, host);
        bench.Until(() => newcomer.Connected == 1, "joined");
        Assert.Empty(newcomer.Status().Volumes);
        holder.Start();
        bench.Until(() => newcomer.Status().Volumes is [{ HasKeys: true }], "keys");
        EpochId epoch = holder.Volume.Keyring.Current.Id;
        Assert.Equal(epoch, newcomer.Volume.Keyring.Current.Id);
    }

    [Fact]
    public void Even_the_pools_new_key_reaches_who_joined_before_hearing_of_it()
    {
        PoolBench bench = PoolBench.Of(3, 231);
        BenchNode admin = bench.Nodes[0];
        BenchNode host = bench.Nodes[1];
        host.Kill();
        bench.Ok(admin, () => admin.Node.RevokeNode("node2", default).AsTask());
        bench.Ok(admin, () => admin.Node.CreateVolume("scrap", default).AsTask());
        admin.Kill();
        bench.Nodes[2].Kill();
        host.Start();
        BenchNode newcomer = bench.NewNode();
        bench.Join(newcomer, host);
        admin.Start();
        bench.Until(() => newcomer.Status().Volumes is [{ HasKeys: true }], "keys of what is sealed under the new key");
        Assert.Contains(newcomer.Info(), node => node is { Name: "node2", Role: "revoked" });
    }

    [Fact]
    public void Two_admins_who_revoke_each_other_are_judged_alike_everywhere()
    {
        PoolBench bench = PoolBench.Of(4, 241);
        bench.Network.Split(
            [bench.Nodes[0].Address, bench.Nodes[2].Address], [bench.Nodes[1].Address, bench.Nodes[3].Address]);
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(30));
        bench.Ok(bench.Nodes[0], () => bench.Nodes[0].Node.RevokeNode("node1", default).AsTask());
        bench.Ok(bench.Nodes[1], () => bench.Nodes[1].Node.RevokeNode("node0", default).AsTask());
        bench.Network.HealAll();
        bench.Until(
            () => new[] { bench.Nodes[2], bench.Nodes[3] }.All(node =>
                node.Info().Count(other => other.Role == "suspended") == 2),
            "both wait for a third, wherever it is seen");
    }
}
