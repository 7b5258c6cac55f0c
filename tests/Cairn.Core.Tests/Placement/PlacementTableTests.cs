using Cairn.Core.Membership;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Core.Tests.Membership;

namespace Cairn.Core.Tests.Placement;

public sealed class PlacementTableTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(4, 4)]
    [InlineData(5, 4)]
    [InlineData(100, 4)]
    public void Every_partition_has_its_copies_on_different_nodes(int nodes, int copies)
    {
        PlacementTable table = PlacementKit.Table(PlacementKit.Equal(nodes));
        Assert.Equal(copies, table.Copies);
        foreach (PartitionId partition in PlacementKit.Partitions())
        {
            HolderList order = table.Order(partition);
            Assert.Equal(order.Count, order.Distinct().Count());
            Assert.Equal(Math.Min(nodes, copies + PlacementTable.SpillMax), order.Count);
            Assert.Equal(order.Take(copies), table.Holders(partition));
        }
    }

    [Fact]
    public void The_order_of_the_input_does_not_matter()
    {
        List<PlacementNode> pool = PlacementKit.Pool(20, 4, 4, 4, 2, 1, 1, 1);
        PlacementTable table = PlacementKit.Table(pool);
        pool.Reverse();
        Assert.Equal(0, PlacementKit.Table(pool).CopiesNotIn(table));
        Assert.Equal(
            WeightSolver.Refine(pool, PlacementPolicy.Default, PlacementWeights.None),
            WeightSolver.Refine(Enumerable.Reverse(pool), PlacementPolicy.Default, PlacementWeights.None));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(8)]
    [InlineData(20)]
    [InlineData(100)]
    public void A_newcomer_moves_about_its_own_share_and_nothing_between_the_others(int nodes)
    {
        List<PlacementNode> before = PlacementKit.Equal(nodes);
        PlacementWeights weights = WeightSolver.Refine(before, PlacementPolicy.Default, PlacementWeights.None)!;
        PlacementTable old = PlacementKit.Table(before, 4, weights);
        PlacementTable grown = PlacementKit.Table(PlacementKit.Equal(nodes + 1), 4, weights);
        int share = 4 * PartitionId.Count / (nodes + 1);
        Assert.InRange(grown.CopiesNotIn(old), share * 8 / 10, share * 12 / 10);
        NodeId newcomer = PlacementKit.Node(nodes);
        foreach (PartitionId partition in PlacementKit.Partitions())
        {
            HolderList had = old.Holders(partition);
            Assert.All(grown.Holders(partition), node => Assert.True(node == newcomer || had.Contains(node)));
        }
    }

    [Theory]
    [InlineData(6)]
    [InlineData(20)]
    public void A_leaver_moves_only_what_it_held(int nodes)
    {
        List<PlacementNode> before = PlacementKit.Equal(nodes);
        PlacementWeights weights = WeightSolver.Refine(before, PlacementPolicy.Default, PlacementWeights.None)!;
        PlacementTable old = PlacementKit.Table(before, 4, weights);
        PlacementTable shrunk = PlacementKit.Table(before.GetRange(1, nodes - 1), 4, weights);
        int held = old.Load().Single(load => load.Node == PlacementKit.Node(0)).Partitions;
        Assert.Equal(held, shrunk.CopiesNotIn(old));
    }

    [Fact]
    public void Solving_again_in_a_mixed_pool_moves_no_more_than_the_change_asks()
    {
        List<PlacementNode> before = PlacementKit.Pool(20, 4, 4, 4, 2, 1, 1, 1);
        PlacementWeights weights = WeightSolver.Refine(before, PlacementPolicy.Default, PlacementWeights.None)!;
        PlacementTable old = PlacementKit.Table(before, 4, weights);
        List<PlacementNode> after = PlacementKit.Pool(20, 4, 4, 4, 2, 1, 1, 1, 4);
        PlacementWeights refined = WeightSolver.Refine(after, PlacementPolicy.Default, weights)!;
        PlacementTable grown = PlacementKit.Table(after, 4, refined);
        Assert.True(PlacementKit.Fill(after, grown) >= 0.97);
        double share = PlacementKit.Unit * 4.0 / grown.CapacityBytes * PartitionId.Count;
        Assert.InRange(grown.CopiesNotIn(old), 1, share * 1.7);
    }

    [Fact]
    public void Tags_and_zones_choose_the_nodes()
    {
        List<PlacementNode> pool = [.. PlacementKit.Equal(9).Select((node, i) => node with
        {
            Zone = i < 5 ? "home" : i < 8 ? "office" : string.Empty,
            Tags = i % 2 == 0 ? ["ssd"] : ["hdd", "slow"],
        })];
        PlacementPolicy ssd = PlacementPolicy.Default with { RequiredTags = ["ssd"] };
        PlacementPolicy notSlow = PlacementPolicy.Default with { ForbiddenTags = ["slow"] };
        PlacementPolicy office = PlacementPolicy.Default with { Zones = ["office"] };
        PlacementTable onSsd = PlacementTable.Build(pool, ssd, PlacementWeights.None);
        Assert.Equal(5, onSsd.NodeCount);
        Assert.Equal(0, onSsd.CopiesNotIn(PlacementTable.Build(pool, notSlow, PlacementWeights.None)));
        PlacementTable inOffice = PlacementTable.Build(pool, office, PlacementWeights.None);
        Assert.Equal(3, inOffice.Copies);
        PlacementPolicy nowhere = office with { RequiredTags = ["gold"] };
        PlacementTable none = PlacementTable.Build(pool, nowhere, PlacementWeights.None);
        Assert.Equal(0, none.Copies);
        Assert.Empty(none.Holders(new PartitionId(7)));
        Assert.Equal(0, none.WriteTargets(new PartitionId(7), new NodeId[4]));
    }

    [Theory]
    [InlineData(5, 5, 0, 2)]
    [InlineData(8, 1, 1, 2)]
    [InlineData(6, 1, 0, 3)]
    [InlineData(40, 40, 40, 2)]
    [InlineData(1, 100, 0, 3)]
    public void Copies_spread_over_zones_as_far_as_zones_reach(int a, int b, int c, int mostInOne)
    {
        string[] zones = [.. Enumerable.Repeat("a", a), .. Enumerable.Repeat("b", b), .. Enumerable.Repeat("c", c)];
        List<PlacementNode> pool = [.. PlacementKit.Equal(zones.Length)
            .Select((node, i) => node with { Zone = zones[i] })];
        PlacementTable table = PlacementTable.Build(pool, PlacementPolicy.Default, PlacementWeights.None);
        Dictionary<NodeId, string> zoneOf = pool.ToDictionary(node => node.Node, node => node.Zone);
        int most = PlacementKit.Partitions().Max(partition =>
            table.Holders(partition).GroupBy(node => zoneOf[node]).Max(group => group.Count()));
        Assert.Equal(mostInOne, most);
        Assert.True(zones.Length > 30 || WeightSolver.PredictFillPermille(
            pool, PlacementPolicy.Default,
                WeightSolver.Refine(pool, PlacementPolicy.Default, PlacementWeights.None)!) >= 970);
    }

    [Fact]
    public void Full_nodes_are_passed_over_for_new_copies_only()
    {
        List<PlacementNode> pool = PlacementKit.Equal(8);
        PlacementTable roomy = PlacementKit.Table(pool);
        pool[3] = pool[3] with { IsFull = true };
        PlacementTable table = PlacementKit.Table(pool);
        NodeId full = PlacementKit.Node(3);
        NodeId[] targets = new NodeId[4];
        foreach (PartitionId partition in PlacementKit.Partitions())
        {
            Assert.Equal(roomy.Holders(partition), table.Holders(partition));
            Assert.Equal(4, table.WriteTargets(partition, targets));
            Assert.DoesNotContain(full, targets);
            Assert.All(targets, target => Assert.True(table.Takes(partition, target)));
            Assert.Equal(4, pool.Count(node => table.Takes(partition, node.Node)));
            Assert.Equal(table.IsHolder(partition, full), table.AnswersFor(partition, full));
            Assert.All(pool, node => Assert.Equal(
                table.IsHolder(partition, node.Node) || table.Takes(partition, node.Node),
                table.AnswersFor(partition, node.Node)));
            Assert.False(table.AnswersFor(partition, PlacementKit.Node(99)));
        }

        Assert.True(table.AnsweredBy(PlacementKit.Node(99)).IsEmpty);

        List<PlacementNode> allFull = [.. pool.Select(node => node with { IsFull = true })];
        Assert.Equal(0, PlacementKit.Table(allFull).WriteTargets(new PartitionId(0), targets));
    }

    [Fact]
    public void Being_full_has_hysteresis()
    {
        Assert.False(FullHysteresis.Next(false, 969, 1000));
        Assert.True(FullHysteresis.Next(false, 970, 1000));
        Assert.True(FullHysteresis.Next(true, 921, 1000));
        Assert.False(FullHysteresis.Next(true, 920, 1000));
        Assert.False(FullHysteresis.Next(false, 921, 1000));
        Assert.True(FullHysteresis.Next(false, 0, 0));
        Assert.False(FullHysteresis.Next(false, long.MaxValue / 2, long.MaxValue));
    }

    [Fact]
    public void A_record_says_what_placement_needs()
    {
        NodeRecord record = MemberKit.Record(1) with { Zone = "z", Tags = ["t"], IsFull = true };
        PlacementNode node = PlacementNode.From(record);
        Assert.Equal((record.Node, record.CapacityBytes, "z", true),
            (node.Node, node.CapacityBytes, node.Zone, node.IsFull));
        Assert.True(NodeState.Away.TakesCopies());
        Assert.False(NodeState.Decommissioning.TakesCopies());
    }

    [Fact]
    public void A_lookup_allocates_nothing()
    {
        PlacementTable table = PlacementKit.Table(PlacementKit.Equal(100));
        NodeId[] targets = new NodeId[4];
        NodeId wanted = PlacementKit.Node(5);
        int found = 0;
        void Look()
        {
            for (ushort p = 0; p < 1000; p++)
            {
                foreach (NodeId node in table.Holders(new PartitionId(p)))
                {
                    found += node == wanted ? 1 : 0;
                }

                found += table.WriteTargets(new PartitionId(p), targets);
            }
        }

        Look();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Look();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(found > 8000);
    }

    /// <summary>
    /// The table of docs/formats/placement.md: computed apart from the program, it must never change.
    /// </summary>
    [Fact]
    public void The_golden_placement_holds()
    {
        PlacementTable table = PlacementTable.Build(
            [.. Enumerable.Range(0, 8).Select(i => new PlacementNode(PlacementKit.Node(i), 1000))],
            PlacementPolicy.Default,
            new PlacementWeights(Enumerable.Range(0, 8)
                .Select(i => new NodeWeight(PlacementKit.Node(i), 1000, (uint)(1000 * (i + 1))))));
        string golden = string.Join(' ', new ushort[] { 0, 1, 2, 3, 1000, 4095 }.Select(p =>
            string.Concat(table.Order(new PartitionId(p)).Select(node =>
                Enumerable.Range(0, 8).Single(i => PlacementKit.Node(i) == node)))));
        Assert.Equal(Golden, golden);
    }

    private const string Golden = "45372610 74215360 53746120 42537160 57462130 75216043";
}
