using Cairn.Core.Placement;
using Cairn.Core.Primitives;

namespace Cairn.Node.Tests.Peers;

/// <summary>Weights published by the pool itself: copies in proportion to what nodes give, and few of them moved.</summary>
public sealed class PlacementWeightsTests
{
    private const long Unit = 96L << 20;

    /// <summary>
    /// Two nodes each of 1, 2, 3 and 10 units honestly hold 6 units at four copies: the big ones hold everything, the
    /// others about a sixth, a third and a half. Tolerance: a quarter of the share, for 400 chunks fall by chance.
    /// </summary>
    [Fact]
    public void Copies_lie_in_proportion_to_what_nodes_give()
    {
        int[] units = [1, 2, 3, 10, 1, 2, 3, 10];
        PoolBench bench = PoolBench.Of([.. units.Select(unit => unit * Unit)], 111);
        bench.Until(() => bench.Nodes.TrueForAll(node => WeightsOf(node) > 0), "weights published");
        bench.Ok(bench.Nodes[0], () => bench.Nodes[0].Node.CreateVolume("scrap", default).AsTask());
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Volumes is { Open.Count: > 0 }), "volume everywhere");
        List<ChunkAddress> written = [];
        BenchNode writer = bench.Nodes[3];
        bench.Do(writer, () =>
        {
            written.AddRange(Enumerable.Range(0, 400).Select(_ => writer.Volume.Write(bench.Bytes(2000))));
            return Task.FromResult(0);
        });
        bench.Until(() => writer.Status() is { Owed.SendChunks: 0 }, "sent");
        Assert.Equal(4 * written.Count, bench.Nodes.Sum(node => written.Count(node.Holds)));
        PlacementNode[] nodes = [.. bench.Nodes.Select(node => new PlacementNode(node.Id, CapacityOf(node)))];
        double honest = HonestCapacity.Of(nodes.Select(node => node.CapacityBytes).ToArray(), 4);
        for (int i = 0; i < units.Length; i++)
        {
            double share = Math.Min(1, nodes[i].CapacityBytes / honest);
            int held = written.Count(bench.Nodes[i].Holds);
            Assert.InRange(held, share * written.Count * 0.75, share * written.Count * 1.25);
        }

        // Filled up to the honest capacity, no node would have to hold more than it gives: 97 % is the promise.
        Assert.True(WeightSolver.PredictFillPermille(nodes, PlacementPolicy.Default, WeightsIn(bench.Nodes[5])) >= 970);
    }

    [Fact]
    public void A_newcomer_takes_its_share_and_nothing_moves_between_the_others()
    {
        PoolBench bench = PoolBench.Of([.. Enumerable.Repeat(Unit, 6)], 121);
        bench.Until(() => bench.Nodes.TrueForAll(node => WeightsOf(node) > 0), "weights published");
        PlacementTable before = bench.Nodes[0].Node.Placement;
        bench.Join(bench.NewNode(Unit), bench.Nodes[0]);
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Node.Placement.NodeCount == 7), "seven nodes");
        bench.Until(() => bench.Nodes.TrueForAll(node => WeightsIn(node).Nodes.Length == 7), "seven weights");
        PlacementTable after = bench.Nodes[0].Node.Placement;
        for (int p = 0; p < PartitionId.Count; p++)
        {
            var partition = new PartitionId((ushort)p);
            foreach (NodeId node in after.Holders(partition))
            {
                Assert.True(node == bench.Nodes[6].Id || before.IsHolder(partition, node));
            }
        }
    }

    [Fact]
    public void Both_halves_of_a_split_pool_publish_and_agree_when_it_heals()
    {
        PoolBench bench = PoolBench.Of([Unit, 2 * Unit, 3 * Unit, Unit, 2 * Unit, 3 * Unit], 131);
        bench.Until(() => bench.Nodes.TrueForAll(node => WeightsOf(node) > 0), "weights published");
        ulong version = WeightsOf(bench.Nodes[0]);
        bench.Network.Split(
            [.. bench.Nodes.Take(3).Select(node => node.Address)],
            [.. bench.Nodes.Skip(3).Select(node => node.Address)]);
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(40));
        Space(bench, bench.Nodes[0], 5 * Unit);
        Space(bench, bench.Nodes[5], 9 * Unit);
        bench.Until(() => WeightsOf(bench.Nodes[1]) > version && WeightsOf(bench.Nodes[4]) > version, "both published");
        Assert.NotEqual(WeightsIn(bench.Nodes[1]), WeightsIn(bench.Nodes[4]));
        bench.Network.HealAll();
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Connected == 5), "connected again");
        bench.Until(() => WeightsIn(bench.Nodes[0]).TryGet(bench.Nodes[5].Id, out NodeWeight five)
            && five.CapacityBytes == CapacityOf(bench.Nodes[5])
            && WeightsIn(bench.Nodes[0]).TryGet(bench.Nodes[0].Id, out NodeWeight zero)
            && zero.CapacityBytes == CapacityOf(bench.Nodes[0]), "solved for both changes");
        PlacementWeights first = WeightsIn(bench.Nodes[0]);
        bench.Until(() => bench.Nodes.TrueForAll(node => WeightsIn(node).Equals(first)), "the same weights");
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(15));
        version = WeightsOf(bench.Nodes[0]);
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(2));
        Assert.All(bench.Nodes, node => Assert.Equal(version, WeightsOf(node)));
    }

    private static void Space(PoolBench bench, BenchNode node, long bytes) =>
        bench.Ok(node, () => node.Node.SetSpace(bytes, default).AsTask());

    private static ulong WeightsOf(BenchNode node) => node.Node.State.WeightsVersion;

    private static PlacementWeights WeightsIn(BenchNode node) => node.Node.State.Weights;

    private static long CapacityOf(BenchNode node) => node.Info().Single(info => info.IsSelf).CapacityBytes;
}
