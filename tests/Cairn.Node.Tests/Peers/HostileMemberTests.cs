using System.Buffers;
using System.Security.Cryptography;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Core.Repair;
using Cairn.Node.Control;
using Cairn.Node.Ports;
using Cairn.Simulation;
using static Cairn.Node.Tests.Peers.RawPeer;

namespace Cairn.Node.Tests.Peers;

/// <summary>A member whose program was changed to fill the others' memory: what it says is bounded.</summary>
public sealed class HostileMemberTests
{
    private readonly PoolBench _bench = PoolBench.Of(1, 91);

    private BenchNode Victim => _bench.Nodes[0];

    [Fact]
    public void RecordsOfNodesThatItMadeUp_AreKeptUpToABound()
    {
        const int MadeUp = 1100;
        (BenchNode member, PoolId pool) = Member();
        int kept = _bench.Do(member, async () =>
        {
            await using IConnection connection = await Greet(member, pool);
            for (int number = 1; number <= MadeUp; number++)
            {
                using SimulatedIdentity identity = new(1_000_000 + (ulong)number);
                await Send(connection, new MapRecords([RecordOf(identity, $"made up {number}", member).Bytes]));
            }

            // Whose map differs everywhere is sent everything.
            await Send(connection, new MapBuckets(new Bytes16[MapBuckets.BucketCount]));
            while (true)
            {
                if (await Receive(connection) is MapRecords { Records.Count: > 100 } all)
                {
                    return all.Records.Count;
                }
            }
        });
        Assert.InRange(kept, 900, 1010);
    }

    [Fact]
    public void RecordsOfNodesThatItMadeUp_AreTheSameOnesWhateverTheOrder()
    {
        (BenchNode member, PoolId pool) = Member();
        NodeId[] made = [];
        NodeId[] kept = _bench.Do(member, async () =>
        {
            await using IConnection connection = await Greet(member, pool);
            SignedNodeRecord[] records = [.. Enumerable.Range(1, 1100).Select(number =>
            {
                using SimulatedIdentity identity = new(2_000_000 + (ulong)number);
                return RecordOf(identity, $"made up {number}", member);
            }).OrderByDescending(record => record.Record.Node)];
            made = [.. records.Select(record => record.Record.Node)];
            foreach (SignedNodeRecord record in records)
            {
                await Send(connection, new MapRecords([record.Bytes]));
            }

            await Send(connection, new MapBuckets(new Bytes16[MapBuckets.BucketCount]));
            while (true)
            {
                if (await Receive(connection) is MapRecords { Records.Count: > 100 } all)
                {
                    return all.Records.Select(record => NodeRecordCodec.TryReadNode(record.Span, out NodeId node)
                        ? node
                        : default).ToArray();
                }
            }
        });
        Assert.Equal(made.Order().Take(1000), kept.Where(made.Contains).Order());
    }

    [Fact]
    public void WhoAsksAndNeverListens_IsLeft()
    {
        (BenchNode member, PoolId pool) = Member();
        int asked = _bench.Do(member, async () =>
        {
            await using IConnection connection = await Greet(member, pool);
            for (int number = 1; number <= 1000; number++)
            {
                using SimulatedIdentity identity = new(3_000_000 + (ulong)number);
                await Send(connection, new MapRecords([RecordOf(identity, $"made up {number}", member).Bytes]));
            }

            // Whose map differs everywhere is sent everything.
            ArrayBufferWriter<byte> ask = new();
            PeerMessageCodec.Encode(new MapBuckets(new Bytes16[MapBuckets.BucketCount]), ask);
            for (int i = 0; i < 20_000; i++)
            {
                if (!(await connection.Send(ask.WrittenMemory, default, CancellationToken.None)).IsOk)
                {
                    return i;
                }
            }

            return int.MaxValue;
        });
        Assert.InRange(asked, 100, 10_000);
        _bench.Until(() => Victim.Connected == 0, "it is left");
    }

    [Fact]
    public void AListOfCopiesThatBeginsAnewForEver_EndsTheConnection()
    {
        (BenchNode member, PoolId pool) = Member();
        int pages = 0;
        GoodbyeReason? reason = _bench.Do(member, async () =>
        {
            await using IConnection connection = await Greet(member, pool);
            while (true)
            {
                switch (await Receive(connection))
                {
                    case DigestAsk ask:
                        RecordKey copy = RecordKey.Copy(Address(1));
                        PartitionReport report = new(copy.Partition, PartitionDigest.Empty.Add(copy));
                        await Send(connection, new DigestReply(ask.Request, HoldingsDigest.Encode([report])));
                        break;
                    case PartitionAsk ask:
                        pages++;
                        await Send(
                            connection, new PartitionReply(ask.Request, [Address(1), Address(2)], HasMore: true));
                        break;
                    case Goodbye goodbye:
                        return (GoodbyeReason?)goodbye.Reason;
                    case null:
                        return null;
                }
            }
        });
        Assert.Equal(GoodbyeReason.ProtocolError, reason);
        Assert.Equal(2, pages);
    }

    [Fact]
    public void ReadsThatWaitForWhoDoesNotListen_AreBounded()
    {
        _bench.Ok(Victim, () => Victim.Node.CreateVolume("scrap", default).AsTask());
        HostileMember hostile = HostileMember.Join(_bench, Victim);
        ChunkAddress held = _bench.Do(Victim, () => Task.FromResult(Victim.Volume.Write(_bench.Bytes(1 << 20))));
        HeldWorkers workers = RestartWithHeldWorkers();
        IConnection connection = _bench.Do(_bench.Nodes[1], hostile.Greet);
        workers.Hold();
        Ask(connection, held, 16_000);
        Assert.Equal(1, Victim.Connected);
        Ask(connection, held, 1_000);
        Assert.Equal(0, Victim.Connected);
        workers.Release();
        _bench.Scheduler.RunFor(TimeSpan.FromSeconds(1));
        _bench.AssertNoFailures();
    }

    [Fact]
    public void PutsThatWaitForASlowDisk_AreBounded()
    {
        const int Tried = 100;
        HostileMember hostile = HostileMember.Join(_bench, Victim);
        HeldWorkers workers = RestartWithHeldWorkers();
        byte[] stored = _bench.Bytes(4 << 20);
        int sent = _bench.Do(_bench.Nodes[1], async () =>
        {
            await using IConnection connection = await hostile.Greet();
            workers.Hold();
            int number = 0;
            while (number < Tried && await TrySend(connection, Put(number, stored)))
            {
                number++;
            }

            return number;
        });
        Assert.InRange(sent, 96 / 4, 40);
        workers.Release();
        _bench.Until(() => Victim.Connected == 0, "it is left");
    }

    [Fact]
    public void WhoWasRevoked_ComesBackByNoInvite_AndDoesNotUseItUp()
    {
        HostileMember revoked = HostileMember.Join(_bench, Victim);
        _bench.Ok(Victim, () => Victim.Node.RevokeNode("h", default).AsTask());
        InviteCode code = HostileMember.Invite(_bench, Victim);
        PeerMessage answer = _bench.Do(Victim, () => revoked.Knock(code));
        Assert.Equal(GoodbyeReason.Revoked, Assert.IsType<Goodbye>(answer).Reason);
        Assert.Equal(MemberStanding.Revoked, Victim.Node.State.Members[revoked.Node].Standing);

        BenchNode newcomer = _bench.NewNode();
        Assert.IsType<JoinAccept>(_bench.Do(newcomer, () => HostileMember.Knock(newcomer, Victim, code)));
    }

    [Fact]
    public void StrangersWhoConnectAndSayNothing_KeepNoMemberOut()
    {
        HostileMember member = HostileMember.Join(_bench, Victim);
        BenchNode stranger = _bench.NewNode();
        _bench.Do(stranger, async () =>
        {
            List<IConnection> silent = [];
            for (int i = 0; i < 200; i++)
            {
                silent.Add((await stranger.Transport.Connect(Victim.Address, Victim.Id, default)).Value);
            }

            return silent;
        });
        _bench.Do(_bench.Nodes[1], async () =>
        {
            await using IConnection connection = await member.Greet();
            return 0;
        });

        // A newcomer at another address is let in, too.
        _bench.Join(_bench.NewNode(), Victim);
    }

    [Fact]
    public void NumbersThatAddUpToMoreThanThereAre_KeepNobodyFromItsStatus()
    {
        foreach (int body in new[] { 1, 2 })
        {
            HostileMember hostile = HostileMember.Join(_bench, Victim);
            _bench.Do(_bench.Nodes[body], async () =>
            {
                await using IConnection connection = await hostile.Greet();
                await Send(connection, new MapRecords([hostile.RecordWith(record => record with
                {
                    Counter = 200, OwedChunks = long.MaxValue, CapacityBytes = long.MaxValue, UsedBytes = long.MaxValue,
                }).Bytes]));
                return 0;
            });
            _bench.Until(
                () => Victim.Info().Count(node => node.CapacityBytes == long.MaxValue) == body, "the record is there");
        }

        Assert.False(Victim.Status().IsSafe);
        _bench.Scheduler.RunFor(TimeSpan.FromMinutes(1));
        _bench.AssertNoFailures();
    }

    private static ChunkPut Put(int number, byte[] stored) => new(
        (ulong)number, [new OfferedChunk(new ChunkAddress(SHA256.HashData(stored)), stored)]);

    private HeldWorkers RestartWithHeldWorkers()
    {
        Victim.Kill();
        HeldWorkers workers = new(Victim.Ports.Workers);
        Victim.Adapt = ports => ports with { Workers = workers };
        Victim.Start();
        return workers;
    }

    private void Ask(IConnection connection, ChunkAddress address, int times)
    {
        _bench.Do(_bench.Nodes[1], async () =>
        {
            for (int i = 0; i < times; i++)
            {
                await Send(connection, new ChunkGet((ulong)i, address));
            }

            return 0;
        });
        _bench.Scheduler.RunFor(TimeSpan.FromMilliseconds(200));
    }

    /// <summary>Two in one partition, ascending.</summary>
    private static ChunkAddress Address(byte last) => new([.. new byte[31], last]);

    /// <summary>One that was let in, and whose own program does not run.</summary>
    private (BenchNode Member, PoolId Pool) Member()
    {
        BenchNode member = _bench.NewNode();
        InviteTicket ticket =
            _bench.Ok(Victim, () => Victim.Node.Invite(new InviteTerms(MemberRole.Member), default).AsTask());
        Result<JoinedPool, ControlError> joined = _bench.Do(
            member, () => Founding.Join(member.Ports, member.Options, ticket.Code, CancellationToken.None));
        Assert.True(joined.IsOk, joined.ToString());
        return (member, joined.Value.Pool);
    }

    private async Task<IConnection> Greet(BenchNode member, PoolId pool)
    {
        Result<IConnection, TransportError> connected =
            await member.Transport.Connect(Victim.Address, Victim.Id, CancellationToken.None);
        SignedNodeRecord own = RecordOf(member.Ports.Identity, "member", member);
        await Send(
            connected.Value,
            new Hello(ProtocolVersion.Min, ProtocolVersion.Max, HelloPurpose.Member, pool, own.Bytes));
        Assert.IsType<Hello>(await Receive(connected.Value));
        return connected.Value;
    }
}
