using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Volumes;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Network;
using Cairn.Storage.Home;
using Cairn.Storage.Ports;

namespace Cairn.Node.Tests.Peers;

/// <summary>What several nodes do together, on virtual time.</summary>
public sealed class PoolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Four_nodes_join_and_every_chunk_is_on_all_of_them(ulong seed)
    {
        PoolBench bench = PoolBench.Of(4, seed);
        List<ChunkAddress> written = WriteSome(bench, bench.Nodes[(int)(seed % 4)], 20);
        Safe(bench);
        foreach (BenchNode node in bench.Nodes)
        {
            foreach (ChunkAddress address in written)
            {
                Assert.True(bench.Do(node, () => node.Volume.Read(address)).IsOk);
            }
        }

        Assert.Equal(0, bench.Nodes[0].Status().Owed.SendChunks);
        Assert.Equal(4, bench.Nodes[0].Status().PoolState.CopiesPossible);
    }

    [Fact]
    public void A_lossy_slow_network_only_takes_longer()
    {
        PoolBench bench = new(11)
        {
            Network = { Faults = NetworkFaults.None with
            {
                DelayMax = TimeSpan.FromMilliseconds(80), LossPerMille = 50, DuplicatePerMille = 50,
            } },
        };
        BenchNode first = bench.NewNode();
        bench.Do(first, () => Task.FromResult(Founding.Found(first.Ports, first.Options)));
        first.Start();
        bench.Join(bench.NewNode(), first);
        bench.Join(bench.NewNode(), first);
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Connected == 2), "all connected");
        WriteSome(bench, first, 10);
        Safe(bench);
    }

    [Fact]
    public void A_node_killed_while_it_replicates_goes_on_after_its_restart()
    {
        PoolBench bench = PoolBench.Of(3, 21);
        BenchNode writer = bench.Nodes[1];
        CreateVolume(bench);
        List<ChunkAddress> written = [];
        bench.Do(writer, () =>
        {
            for (int i = 0; i < 30; i++)
            {
                written.Add(writer.Volume.Write(bench.Bytes(100_000)));
            }

            return Task.FromResult(0);
        });
        writer.Kill();
        writer.Start();
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Connected == 2), "all connected again");
        Safe(bench);
        foreach (BenchNode node in bench.Nodes)
        {
            bench.Until(() => written.TrueForAll(address => bench.Do(node, () => node.Volume.Read(address)).IsOk), "readable");
        }
    }

    [Fact]
    public void Chunks_that_a_full_disk_refused_are_offered_again_when_it_has_room()
    {
        // Found by `cairn simulate --nodes 4 --hours 1 --seed 3`: they stayed owed until the pool changed.
        PoolBench bench = PoolBench.Of(3, 23);
        bench.Nodes[2].Disk.ForeignBytes = 1L << 50;
        WriteSome(bench, bench.Nodes[0], 80);
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(1));
        Assert.NotEqual(0, bench.Nodes[0].Status().Owed.SendChunks);
        bench.Nodes[2].Disk.ForeignBytes = 0;
        Safe(bench);
    }

    [Fact]
    public void A_dead_holder_is_found_and_the_copies_are_remade_after_the_grace_period()
    {
        PoolBench bench = PoolBench.Of(5, 31);
        List<ChunkAddress> written = WriteSome(bench, bench.Nodes[0], 40);
        Safe(bench);
        BenchNode dead = bench.Nodes[3];
        dead.Kill();
        BenchNode[] living = [.. bench.Nodes.Where(node => node != dead)];
        bench.Until(
            () => living.All(node => node.Info().Single(other => other.Node == dead.Id).Liveness == "dead"),
            "found dead", TimeSpan.FromSeconds(30));
        bench.Until(() => Array.TrueForAll(living, node => HeldBy(node, written) == written.Count), "remade");
        dead.Start();
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Connected == 4), "back");
        Safe(bench);
    }

    [Fact]
    public void Reads_pass_over_a_silent_holder_within_half_a_second()
    {
        PoolBench bench = PoolBench.Of(6, 41);
        List<ChunkAddress> written = WriteSome(bench, bench.Nodes[0], 30);
        Safe(bench);
        BenchNode reader = bench.Nodes.First(node => written.Exists(address => !node.Holds(address)));
        ChunkAddress wanted = written.First(address => !reader.Holds(address));
        BenchNode silent = bench.Nodes.First(node => node != reader && node.Holds(wanted));
        bench.Network.CutOneWay(silent.Address, reader.Address);
        TimeSpan before = bench.Scheduler.Now;
        Assert.True(bench.Do(reader, () => reader.Volume.Read(wanted)).IsOk);
        Assert.True(bench.Scheduler.Now - before <= TimeSpan.FromMilliseconds(500));
    }

    /// <summary>That each of the others is dead is found out one after the other: a laptop in the park does not wait for that.</summary>
    [Fact]
    public void Reads_fail_at_once_soon_after_a_node_is_cut_off()
    {
        PoolBench bench = PoolBench.Of(7, 42);
        List<ChunkAddress> written = WriteSome(bench, bench.Nodes[0], 30);
        Safe(bench);
        BenchNode reader = bench.Nodes.Skip(1).First(node => written.Exists(address => !node.Holds(address)));
        ChunkAddress wanted = written.First(address => !reader.Holds(address));
        bench.Nodes.ForEach(node => bench.Network.Cut(reader.Address, node.Address));
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(15));
        TimeSpan before = bench.Scheduler.Now;
        Assert.Equal(VolumeError.Unreachable, bench.Do(reader, () => reader.Volume.Read(wanted)).Error);
        Assert.InRange(bench.Scheduler.Now - before, TimeSpan.Zero, TimeSpan.FromSeconds(3));
        bench.Network.HealAll();
        bench.Until(() => bench.Do(reader, () => reader.Volume.Read(wanted)).IsOk, "it is read again");
    }

    [Fact]
    public void A_split_pool_heals()
    {
        PoolBench bench = PoolBench.Of(4, 51);
        CreateVolume(bench);
        bench.Network.Split(
            [bench.Nodes[0].Address, bench.Nodes[1].Address], [bench.Nodes[2].Address, bench.Nodes[3].Address]);
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(40));
        bench.Ok(bench.Nodes[0], () => bench.Nodes[0].Node.CreateVolume("left", default).AsTask());
        bench.Ok(bench.Nodes[2], () => bench.Nodes[2].Node.CreateVolume("right", default).AsTask());
        bench.Network.HealAll();
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Connected == 3), "connected again");
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Status().Volumes.Count == 3), "one pool log");
        Assert.All(bench.Nodes, node => Assert.All(node.Status().Volumes, volume => Assert.True(volume.HasKeys)));
    }

    [Fact]
    public void A_revoked_node_is_cut_off_and_gets_no_new_keys()
    {
        PoolBench bench = PoolBench.Of(4, 61);
        CreateVolume(bench);
        BenchNode bad = bench.Nodes[2];
        EpochId before = bench.Nodes[0].Volume.Keyring.Current.Id;
        bench.Ok(bench.Nodes[0], () => bench.Nodes[0].Node.RevokeNode(bad.Options.Name, default).AsTask());
        BenchNode[] good = [.. bench.Nodes.Where(node => node != bad)];
        bench.Until(() => good.All(node => node.Connected == 2), "cut off");
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(2));
        Assert.All(good, node => Assert.Equal(2, node.Connected));
        Assert.Equal(0, bad.Connected);
        EpochId after = bench.Nodes[0].Volume.Keyring.Current.Id;
        Assert.NotEqual(before, after);
        Assert.All(good, node => Assert.Equal(after, node.Volume.Keyring.Current.Id));
        Assert.False(bad.Volume.Keyring.TryGet(after, out _));

        // Nobody tells it the pool's log any more: what the others say to its face is all that its owner can be told.
        NodeProblem told = bad.Status().Problems[0];
        Assert.Equal("revoked", told.Code);
        Assert.Contains("node0", told.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(bad.Status().Problems, problem => problem.Code == "peer-refused");
        Assert.All(good, node => Assert.DoesNotContain(node.Status().Problems, problem => problem.Code == "revoked"));
    }

    /// <summary>The disk is full between the revocation and the new keys: they are made later, without being asked for.</summary>
    [Fact]
    public void A_key_rotation_that_failed_is_made_up_for()
    {
        PoolBench bench = PoolBench.Of(3, 62);
        CreateVolume(bench);
        BenchNode admin = bench.Nodes[0];
        BenchNode bad = bench.Nodes[2];
        BenchNode[] good = [.. bench.Nodes.Where(node => node != bad)];
        EpochId before = admin.Volume.Keyring.Current.Id;
        good[1].Kill();
        admin.Disk.Faults.Fail = (path, operation) =>
            operation == DiskOperation.Write && path.StartsWith(HomeLayout.LogsFolder, StringComparison.Ordinal)
            && admin.Node.State.Members[bad.Id].Standing == MemberStanding.Revoked
                ? DiskErrorKind.NoSpace
                : null;
        Result<Unit, ControlError> revoked =
            bench.Do(admin, () => admin.Node.RevokeNode(bad.Options.Name, default).AsTask());
        Assert.Equal(ControlErrorKind.Storage, revoked.Error.Kind);
        Assert.Equal(MemberStanding.Revoked, admin.Node.State.Members[bad.Id].Standing);
        Assert.Equal(before, admin.Volume.Keyring.Current.Id);

        admin.Disk.Faults.Clear();
        good[1].Start();
        bench.Until(() => good.All(node => node.IsUp && node.Volumes!.Open.Count > 0
            && node.Volume.Keyring.Current.Id != before), "new keys for those who stay");
        EpochId after = admin.Volume.Keyring.Current.Id;
        Assert.All(good, node => Assert.Equal(after, node.Volume.Keyring.Current.Id));
        Assert.False(bad.Volume.Keyring.TryGet(after, out _));
    }

    [Fact]
    public void Bad_invites_are_refused_with_the_reason()
    {
        PoolBench bench = PoolBench.Of(1, 71);
        BenchNode host = bench.Nodes[0];
        BenchNode guest = bench.NewNode();
        Result<JoinedPool, ControlError> Try(string code) =>
            bench.Do(guest, () => Founding.Join(guest.Ports, guest.Options, code, CancellationToken.None));

        InviteTicket ticket = bench.Ok(host, () => host.Node.Invite(default, default).AsTask());
        Assert.Equal(ControlErrorKind.InviteGarbled, Try(ticket.Code[..20]).Error.Kind);
        Assert.Equal(ControlErrorKind.InviteGarbled, Try(string.Empty).Error.Kind);
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(11));
        Assert.Equal(ControlErrorKind.InviteExpired, Try(ticket.Code).Error.Kind);
        InviteTicket fresh = bench.Ok(host, () => host.Node.Invite(default, default).AsTask());
        Assert.True(Try(fresh.Code).IsOk);
        BenchNode second = bench.NewNode();
        Result<JoinedPool, ControlError> reused =
            bench.Do(second, () => Founding.Join(second.Ports, second.Options, fresh.Code, CancellationToken.None));
        Assert.Equal(ControlErrorKind.InviteRefused, reused.Error.Kind);
        bench.AssertNoFailures();
    }

    [Fact]
    public void A_stranger_is_refused_and_garbage_closes_only_its_connection()
    {
        PoolBench bench = PoolBench.Of(2, 81);
        BenchNode stranger = bench.NewNode();
        BenchNode host = bench.Nodes[0];
        bench.Do(stranger, async () =>
        {
            for (int i = 0; i < 20; i++)
            {
                Result<Ports.IConnection, Ports.TransportError> connected =
                    await stranger.Transport.Connect(host.Address, host.Id, CancellationToken.None);
                await using Ports.IConnection connection = connected.Value;
                await connection.Send(bench.Bytes(i * 13), default, CancellationToken.None);
                await connection.Receive(CancellationToken.None);
            }

            return 0;
        });
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(5));
        Assert.Equal(1, host.Connected);
        bench.AssertNoFailures();
    }

    [Fact]
    public void The_recovery_kit_brings_the_owner_back_on_an_empty_machine()
    {
        PoolBench bench = new(91);
        BenchNode first = bench.NewNode();
        Result<FoundedPool, ControlError> founded =
            bench.Do(first, () => Task.FromResult(Founding.Found(first.Ports, first.Options)));
        first.Start();
        bench.Join(bench.NewNode(), first);
        CreateVolume(bench);
        first.Kill();
        BenchNode empty = bench.NewNode();
        Result<JoinedPool, ControlError> recovered = bench.Do(empty, () => Founding.Recover(
            empty.Ports, empty.Options, founded.Value.RecoveryKit, bench.Nodes[1].Address.ToString(), CancellationToken.None));
        Assert.True(recovered.IsOk, recovered.ToString());
        empty.Start();
        bench.Until(() => empty.Status() is { IsAdmin: true } status && status.Volumes.Any(volume => volume.HasKeys), "admin again");
    }

    [Fact]
    public void A_node_leaves_and_its_copies_are_elsewhere()
    {
        PoolBench bench = PoolBench.Of(5, 101);
        List<ChunkAddress> written = WriteSome(bench, bench.Nodes[0], 20);
        Safe(bench);
        BenchNode leaver = bench.Nodes[4];
        bench.Do(leaver, async () =>
        {
            await foreach (Result<SafetyProgress, ControlError> step in leaver.Node.Leave(false, default))
            {
                Assert.True(step.IsOk, step.ToString());
            }

            return 0;
        });
        BenchNode[] rest = [.. bench.Nodes.Where(node => node != leaver)];
        bench.Until(() => Array.TrueForAll(rest, node => HeldBy(node, written) == written.Count), "all copies with the rest");
        Assert.Equal("left", leaver.Status().Problems[0].Code);
        leaver.Kill();
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(1));
        Assert.All(rest, node => Assert.Empty(node.Status().Problems));

        // It is started once more, and asked whether it has left: all have heard of it, and let it in no more.
        leaver.Start();
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(1));
        Assert.Equal(["left"], leaver.Status().Problems.Select(problem => problem.Code));
        List<string> said = bench.Do(leaver, async () =>
        {
            List<string> sentences = [];
            await foreach (Result<SafetyProgress, ControlError> step in leaver.Node.Leave(true, default))
            {
                sentences.Add(step.Value.Sentence);
            }

            return sentences;
        });
        Assert.Equal(["This node has left the pool."], said);
    }

    [Fact]
    public void A_node_that_left_takes_no_writes()
    {
        PoolBench bench = PoolBench.WithDrives(2, 102);
        BenchNode leaver = bench.Nodes[1];
        Assert.True(bench.Put(leaver, "before", bench.Bytes(1000)).IsOk);
        bench.Do(leaver, async () =>
        {
            await foreach (Result<SafetyProgress, ControlError> step in leaver.Node.Leave(false, default))
            {
                Assert.True(step.IsOk, step.ToString());
            }

            return 0;
        });
        Assert.Equal(VolumeError.Left, bench.Put(leaver, "after", bench.Bytes(1000)).Error);
        Assert.Equal(VolumeError.Left, bench.Put(leaver, "before", bench.Bytes(1000)).Error);
        Assert.Equal(1000, bench.Get(bench.Nodes[0], "before")!.Length);
        Assert.True(bench.Put(bench.Nodes[0], "after", bench.Bytes(1000)).IsOk);
    }

    private static void CreateVolume(PoolBench bench)
    {
        bench.Ok(bench.Nodes[0], () => bench.Nodes[0].Node.CreateVolume("scrap", default).AsTask());
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Volumes is { Open.Count: > 0 }), "volume everywhere");
    }

    private static List<ChunkAddress> WriteSome(PoolBench bench, BenchNode writer, int count)
    {
        CreateVolume(bench);
        List<ChunkAddress> written = [];
        bench.Do(writer, () =>
        {
            for (int i = 0; i < count; i++)
            {
                written.Add(writer.Volume.Write(bench.Bytes(1000 + bench.Random.Next(600_000))));
            }

            return Task.FromResult(0);
        });
        return written;
    }

    private static void Safe(PoolBench bench) => bench.Until(
        () => bench.Nodes.Where(node => node.IsUp).All(node => node.Status() is { Owed.SendChunks: 0, Owed.SendBlocks: 0 }), "safe");

    private static int HeldBy(BenchNode node, List<ChunkAddress> addresses) => addresses.Count(node.Holds);
}
