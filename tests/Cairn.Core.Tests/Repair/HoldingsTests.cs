using Cairn.Core.Membership;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Core.Repair;
using Cairn.Core.Tests.Placement;

namespace Cairn.Core.Tests.Repair;

public sealed class HoldingsTests
{
    private static RecordKey Key(int number) => RecordKey.Copy(new ChunkAddress(PlacementKit.Node(number).Value));

    [Fact]
    public void A_digest_forgets_the_order_and_undoes_removals()
    {
        List<RecordKey> keys = [.. Enumerable.Range(0, 100).Select(Key)];
        PartitionDigest digest = PartitionDigest.Of(keys);
        keys.Reverse();
        Assert.Equal(digest, PartitionDigest.Of(keys));
        Assert.Equal(digest, digest.Add(Key(1000)).Remove(Key(1000)));
        Assert.Equal(digest, PartitionDigest.Of(keys.Take(40)).Combine(PartitionDigest.Of(keys.Skip(40))));
        Assert.NotEqual(digest, PartitionDigest.Of(keys.Skip(1)).Add(Key(1000)));
        Assert.True(keys.Aggregate(digest, (sum, key) => sum.Remove(key)).IsEmpty);
        Assert.Throws<InvariantException>(() => PartitionDigest.Empty.Remove(Key(1)));
    }

    [Fact]
    public void Every_part_of_a_key_counts()
    {
        RecordKey key = Key(1);
        RecordKey[] others =
        [
            key with { Kind = RecordKind.Shard },
            key with { Kind = RecordKind.Shard, Index = 1 },
            key with { Partition = new PartitionId((ushort)(key.Partition.Value ^ 1)) },
            key with { Address = Key(2).Address },
        ];
        Assert.Equal(5, others.Append(key).Select(PartitionDigest.Hash).Distinct().Count());
    }

    [Fact]
    public void The_golden_digest_and_reports_decode()
    {
        PartitionDigest digest = PartitionDigest.Empty.Add(new RecordKey(
            new PartitionId(0x123),
                new ChunkAddress(Convert.FromHexString("1230" + new string('a', 60))), RecordKind.Shard, 7));
        Assert.Equal(GoldenDigest,
            Convert.ToHexStringLower(HoldingsDigest.Encode([new(new PartitionId(0x123), digest)])));
        PartitionReport read = HoldingsDigest.Decode(Convert.FromHexString(GoldenDigest))!.Single();
        Assert.Equal(digest, read.Digest);
        Assert.Equal(0x123, read.Partition.Value);
    }

    [Fact]
    public void Broken_reports_are_refused()
    {
        List<PartitionReport> reports = [.. Enumerable.Range(0, 5)
            .Select(p => new PartitionReport(new PartitionId((ushort)(p * 3)), PartitionDigest.Of([Key(p)])))];
        byte[] bytes = HoldingsDigest.Encode(reports);
        Assert.Equal(reports, HoldingsDigest.Decode(bytes));
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Null(HoldingsDigest.Decode(bytes.AsSpan(0, length)));
        }

        byte[] doubled = [.. bytes];
        doubled[1 + 22] = 0;
        Assert.Null(HoldingsDigest.Decode(doubled));
        doubled[1 + 22] = 0xFF;
        doubled[1 + 23] = 0xFF;
        Assert.Null(HoldingsDigest.Decode(doubled));
    }

    [Fact]
    public void Differences_are_named_from_both_sides()
    {
        static PartitionReport Report(int partition, int key) =>
            new(new PartitionId((ushort)partition), PartitionDigest.Of([Key(key)]));
        IReadOnlyList<PartitionReport> mine = [Report(1, 1), Report(2, 2), Report(5, 5)];
        IReadOnlyList<PartitionReport> theirs = [Report(2, 2), Report(4, 4), Report(5, 6), Report(9, 9)];
        Assert.Equal([1, 4, 5, 9], HoldingsDigest.Differences(mine, theirs).Select(p => (int)p.Value));
        Assert.Equal([1, 4, 5, 9], HoldingsDigest.Differences(theirs, mine).Select(p => (int)p.Value));
        Assert.NotEqual(HoldingsDigest.Root(mine), HoldingsDigest.Root(theirs));
    }

    [Fact]
    public void Two_nodes_share_the_partitions_both_hold()
    {
        PlacementTable table = PlacementKit.Table(PlacementKit.Equal(8));
        List<PartitionId> shared = HoldingsDigest.Shared(table, PlacementKit.Node(0), PlacementKit.Node(1));
        Assert.Equal(shared, HoldingsDigest.Shared(table, PlacementKit.Node(1), PlacementKit.Node(0)));
        Assert.All(shared, partition => Assert.True(
            table.IsHolder(partition, PlacementKit.Node(0)) && table.IsHolder(partition, PlacementKit.Node(1))));
        Assert.InRange(shared.Count, 700, 1100);
    }

    [Fact]
    public void Absence_ends_in_loss_after_its_grace_and_in_nothing_when_the_node_returns()
    {
        AbsenceWatch watch = Watch(9);
        watch.Observe(PlacementKit.Node(1), Liveness.Suspect, NodeState.Online, 1000);
        watch.Observe(PlacementKit.Node(2), Liveness.Dead, NodeState.Online, 1000);
        watch.Observe(PlacementKit.Node(3), Liveness.Dead, NodeState.Away, 1000);
        watch.Observe(PlacementKit.Node(2), Liveness.Dead, NodeState.Online, 1500);
        Assert.Equal(2000, watch.NextChangeMs(1500));
        Assert.Empty(watch.Lost(1999));
        Assert.Equal([PlacementKit.Node(2)], watch.Lost(2000));
        Assert.False(watch.IsBraked(2000));
        Assert.Equal(2, watch.Lost(1_001_000).Count);
        watch.Observe(PlacementKit.Node(2), Liveness.Alive, NodeState.Online, 2001);
        Assert.Empty(watch.Lost(5000));
    }

    [Fact]
    public void Many_vanishing_together_put_the_brake_on_until_the_owner_says_go()
    {
        AbsenceWatch watch = Watch(9);
        for (int node = 1; node <= 3; node++)
        {
            watch.Observe(PlacementKit.Node(node), Liveness.Dead, NodeState.Online, node * 100);
        }

        Assert.True(watch.IsBraked(2000));
        watch.Release();
        Assert.False(watch.IsBraked(2000));
        watch.Observe(PlacementKit.Node(1), Liveness.Alive, NodeState.Online, 2100);
        Assert.False(watch.IsBraked(2100));
        watch.Observe(PlacementKit.Node(1), Liveness.Dead, NodeState.Online, 2200);
        Assert.False(watch.IsBraked(3300), "one at a time is not together");
        watch.Observe(PlacementKit.Node(4), Liveness.Dead, NodeState.Online, 2300);
        watch.Observe(PlacementKit.Node(5), Liveness.Dead, NodeState.Online, 2300);
        Assert.True(watch.IsBraked(3400), "the go was for the first time");
    }

    /// <summary>Worked out apart from the program, by docs/formats/holdings.md.</summary>
    private const string GoldenDigest = "0123011bd59f3c455e2753a2df868611a5eb6b01000000";

    private static AbsenceWatch Watch(int others)
    {
        AbsenceWatch watch = new(AbsenceOptions.Default with { GraceMs = 1000, AnnouncedGraceMs = 1_000_000 });
        for (int node = 1; node <= others; node++)
        {
            watch.Observe(PlacementKit.Node(node), Liveness.Alive, NodeState.Online, 0);
        }

        return watch;
    }
}
