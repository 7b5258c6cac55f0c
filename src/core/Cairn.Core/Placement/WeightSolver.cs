using Cairn.Core.Primitives;

namespace Cairn.Core.Placement;

/// <summary>Finds the weights under which every node fills up at about the same moment.</summary>
/// <remarks>
/// Plain rendezvous with weights equal to capacities overflows small nodes early when no node may hold two copies: a
/// mixed pool is full at 54 to 77 % of what it could hold. So weights are solved over the real table, by whole numbers
/// only: every machine that solves gets the same. See docs/decisions/placement-weights.md.
/// </remarks>
public static class WeightSolver
{
    /// <summary>
    /// Published weights are kept while the table they give reaches this much of the honest capacity.
    /// </summary>
    public const int GoodFillPermille = 970;

    /// <summary>A solve stops early here: better is not worth moving data for.</summary>
    private const int EnoughPermille = 990;

    /// <summary>New weights that gain less than this are not published.</summary>
    private const int GainPermille = 10;

    private const int RoundsMax = 64;

    /// <summary>After so many rounds the steps get small: what is left is the grain of whole partitions.</summary>
    private const int CoarseRounds = 12;

    /// <summary>The weights to publish, or null when the published ones still do.</summary>
    /// <param name="nodes">Every node whose state takes copies.</param>
    /// <param name="policy">The pool's policy.</param>
    /// <param name="published">What is in force; <see cref="PlacementWeights.None"/> at first.</param>
    public static PlacementWeights? Refine(
        IEnumerable<PlacementNode> nodes, PlacementPolicy policy, PlacementWeights published)
    {
        PlacementField field = new(nodes, policy);
        uint[] kept = Effective(field, published);
        int fill = FillPermille(field, Counts(field, kept));
        uint[] chosen = kept;
        if (fill < GoodFillPermille)
        {
            (uint[] solved, int solvedFill) = Solve(field, kept, fill);
            chosen = solvedFill >= fill + GainPermille ? solved : kept;
        }

        PlacementWeights proposal = new(
            field.Nodes.Select((node, i) => new NodeWeight(node.Node, node.CapacityBytes, chosen[i])));
        return proposal.Equals(published) ? null : proposal;
    }

    /// <summary>
    /// How full the pool gets before the first node overflows, in thousandths of the honest capacity.
    /// </summary>
    public static int PredictFillPermille(
        IEnumerable<PlacementNode> nodes, PlacementPolicy policy, PlacementWeights published)
    {
        PlacementField field = new(nodes, policy);
        return FillPermille(field, Counts(field, Effective(field, published)));
    }

    /// <summary>
    /// The weight of every eligible node: the published one where it still fits the node, else a derived one.
    /// </summary>
    /// <remarks>
    /// A node that is new, changed its capacity, or moved across the pinned line gets the weight its capacity implies,
    /// scaled to the published ones; so between two publications all nodes still agree and only its own share moves.
    /// </remarks>
    internal static uint[] Effective(PlacementField field, PlacementWeights published)
    {
        int count = field.Nodes.Length;
        uint[] derived = new uint[count];
        uint[] weights = new uint[count];
        UInt128 publishedSum = 0;
        UInt128 derivedSum = 0;
        for (int i = 0; i < count; i++)
        {
            PlacementNode node = field.Nodes[i];
            derived[i] = Derive(field.Shares[i]);
            bool fits = published.TryGet(node.Node, out NodeWeight entry)
                && entry.CapacityBytes == node.CapacityBytes
                && (entry.Weight == PlacementWeights.Pinned) == (derived[i] == PlacementWeights.Pinned);
            weights[i] = fits ? entry.Weight : 0;
            publishedSum += fits && derived[i] != PlacementWeights.Pinned ? entry.Weight : 0;
            derivedSum += fits && derived[i] != PlacementWeights.Pinned ? derived[i] : 0;
        }

        for (int i = 0; i < count; i++)
        {
            bool scaled = derivedSum > 0 && derived[i] != PlacementWeights.Pinned;
            uint own = scaled ? Clamp(derived[i] * publishedSum / derivedSum) : derived[i];
            weights[i] = weights[i] == 0 ? own : weights[i];
        }

        return weights;
    }

    /// <summary>
    /// -log2(1 - share): the rate at which a node's clock rings before the others have filled the copies.
    /// </summary>
    /// <remarks>
    /// Of exponential clocks with rates w, those that ring by time 1 include node i with 1 - exp(-w).
    /// </remarks>
    private static uint Derive(ulong share)
    {
        const ulong Whole = 1UL << 32;
        if (share >= Whole)
        {
            return PlacementWeights.Pinned;
        }

        ulong log = FixedLog.NegativeLog2(unchecked(0UL - (share << 32)));
        return share == 0 ? 1 : Clamp(log >> (FixedLog.FractionBits - 24));
    }

    private static uint Clamp(UInt128 weight) =>
        (uint)UInt128.Clamp(weight, 1, PlacementWeights.WeightMax);

    private static (uint[] Weights, int FillPermille) Solve(PlacementField field, uint[] start, int startFill)
    {
        uint[] weights = [.. start];
        uint[] best = start;
        int bestFill = startFill;
        for (int round = 0; round < RoundsMax && bestFill < EnoughPermille; round++)
        {
            int[] counts = Counts(field, weights);
            int fill = FillPermille(field, counts);
            if (fill > bestFill)
            {
                bestFill = fill;
                best = [.. weights];
            }

            Adjust(field, weights, counts, damping: round < CoarseRounds ? 1u : 4u);
        }

        return (best, bestFill);
    }

    /// <summary>Moves every weight towards its node's share, by at most a factor of two.</summary>
    /// <remarks>
    /// Damped, it goes a part of the way and leaves alone the nodes that are right to a whole partition.
    /// </remarks>
    private static void Adjust(PlacementField field, uint[] weights, int[] counts, uint damping)
    {
        for (int i = 0; i < weights.Length; i++)
        {
            ulong exact = field.Shares[i] * PartitionId.Count;
            bool isExact = (ulong)counts[i] >= exact >> 32 && (ulong)counts[i] <= (exact + uint.MaxValue) >> 32;
            if (weights[i] == PlacementWeights.Pinned || (isExact && damping > 1))
            {
                continue;
            }

            // In 1/16 of a partition, with one added on both sides so that an empty node still grows.
            UInt128 wanted = (((UInt128)field.Shares[i] * PartitionId.Count) >> 28) + 16;
            UInt128 has = (UInt128)((counts[i] * 16) + 16);
            wanted = UInt128.Clamp(wanted, has / 2, has * 2);
            weights[i] = Clamp(weights[i] * (wanted + ((damping - 1) * has)) / (damping * has));
        }
    }

    internal static int[] Counts(PlacementField field, uint[] weights)
    {
        int count = field.Nodes.Length;
        int[] counts = new int[count];
        ulong[] keys = new ulong[count];
        ushort[] candidates = new ushort[count];
        ushort[] order = new ushort[field.Copies];
        for (int p = 0; p < PartitionId.Count; p++)
        {
            field.Keys(new PartitionId((ushort)p), weights, keys);
            field.Order(keys, order, candidates);
            foreach (ushort node in order)
            {
                counts[node]++;
            }
        }

        return counts;
    }

    /// <summary>The data at which the first node overflows, against the honest capacity.</summary>
    /// <remarks>
    /// A node that holds its share rounded up to whole partitions counts as exact: no weight can do better, and the
    /// spill order takes what is over.
    /// </remarks>
    internal static int FillPermille(PlacementField field, int[] counts)
    {
        int worst = 1000;
        for (int i = 0; i < counts.Length; i++)
        {
            UInt128 wanted = (UInt128)field.Shares[i] * PartitionId.Count;
            UInt128 wholeUp = (wanted + uint.MaxValue) >> 32;
            if ((UInt128)counts[i] > wholeUp)
            {
                worst = Math.Min(worst, (int)((wanted * 1000 / (UInt128)counts[i]) >> 32));
            }
        }

        return worst;
    }
}
