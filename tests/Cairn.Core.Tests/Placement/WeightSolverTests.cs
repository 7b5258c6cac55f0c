using Cairn.Core.Placement;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Placement;

public sealed class WeightSolverTests
{
    [Theory]
    [InlineData(4, 20, 4, 4, 4, 2, 1, 1, 1)]
    [InlineData(2, 20, 4, 4, 4, 2, 1, 1, 1)]
    [InlineData(3, 100, 50, 20, 10, 10, 5, 5, 5, 5, 2, 2, 1, 1)]
    [InlineData(4, 8, 8, 8, 8, 1, 1, 1, 1, 1, 1, 1, 1)]
    [InlineData(4, 1, 1, 1, 1, 1)]
    [InlineData(4, 5, 4, 3, 2, 1)]
    [InlineData(4, 100, 1, 1, 1, 1, 1, 1)]
    public void Skewed_pools_reach_97_percent_of_what_they_can_hold(int copies, params int[] sizes)
    {
        List<PlacementNode> pool = PlacementKit.Pool(sizes);
        PlacementPolicy policy = PlacementPolicy.Default with { Copies = copies };
        PlacementWeights weights = WeightSolver.Refine(pool, policy, PlacementWeights.None)!;
        PlacementTable table = PlacementTable.Build(pool, policy, weights);
        double fill = PlacementKit.Fill(pool, table);
        Assert.True(fill >= 0.97, $"{fill:P2}, {string.Join(' ', table.Load().Select(load => load.Partitions))}");
        Assert.Null(WeightSolver.Refine(pool, policy, weights));
    }

    /// <summary>With hundreds of nodes the grain of 4,096 whole partitions shows; what is over spills.</summary>
    [Fact]
    public void Large_mixed_pools_reach_97_percent()
    {
        Prng prng = new(11);
        foreach (int count in new[] { 20, 100, 300 })
        {
            List<PlacementNode> pool = PlacementKit.Pool(
                [.. Enumerable.Range(0, count).Select(_ => 1 + prng.Next(20))]);
            PlacementWeights weights = WeightSolver.Refine(pool, PlacementPolicy.Default, PlacementWeights.None)!;
            int fill = WeightSolver.PredictFillPermille(pool, PlacementPolicy.Default, weights);
            Assert.True(fill >= (count <= 100 ? 970 : 950), $"{count} nodes: {fill}");
        }
    }
}
