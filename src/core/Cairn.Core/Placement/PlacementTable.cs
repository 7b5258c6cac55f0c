using Cairn.Core.Primitives;

namespace Cairn.Core.Placement;

/// <summary>
/// Which nodes should hold which partition, worked out once for a pool map, a policy and agreed weights.
/// </summary>
/// <remarks>
/// Invariants: no node appears twice for a partition; every partition has exactly <see cref="Copies"/> holders; the
/// same input gives the same table on every machine. Immutable, so any thread may read it. A lookup allocates nothing.
/// </remarks>
public sealed class PlacementTable
{
    /// <summary>How many nodes beyond the holders are kept, in order, for copies that full nodes refuse.</summary>
    public const int SpillMax = 12;

    private readonly NodeId[] _nodes;
    private readonly ushort[] _order;
    private readonly bool[] _isFull;
    private readonly int _width;
    private volatile ulong[]? _answers;

    private PlacementTable(NodeId[] nodes, bool[] isFull, ushort[] order, int copies, int width, long capacityBytes)
    {
        _nodes = nodes;
        _isFull = isFull;
        _order = order;
        _width = width;
        Copies = copies;
        CapacityBytes = capacityBytes;
    }

    /// <summary>A table without nodes: nothing has a holder.</summary>
    public static PlacementTable Empty { get; } = new([], [], [], 0, 0, 0);

    /// <summary>Copies of each chunk: what the policy asks, or as many as there are eligible nodes.</summary>
    public int Copies { get; }

    /// <summary>How many nodes are eligible.</summary>
    public int NodeCount => _nodes.Length;

    /// <summary>
    /// Bytes of data, before copying, that the eligible nodes can hold (<see cref="HonestCapacity"/>).
    /// </summary>
    public long CapacityBytes { get; }

    /// <summary>Works out the table. 4,096 partitions times the number of nodes, some 12 ns each.</summary>
    /// <param name="nodes">Every node whose state takes copies, away included; the policy filters them.</param>
    /// <param name="policy">How many copies, and where.</param>
    /// <param name="weights">The published weights, or <see cref="PlacementWeights.None"/>.</param>
    public static PlacementTable Build(
        IEnumerable<PlacementNode> nodes, PlacementPolicy policy, PlacementWeights weights)
    {
        PlacementField field = new(nodes, policy);
        return field.Nodes.Length == 0 ? Empty : Build(field, WeightSolver.Effective(field, weights));
    }

    internal static PlacementTable Build(PlacementField field, ReadOnlySpan<uint> weights)
    {
        int count = field.Nodes.Length;
        int width = Math.Min(count, field.Copies + SpillMax);
        ushort[] order = new ushort[PartitionId.Count * width];
        ulong[] keys = new ulong[count];
        ushort[] candidates = new ushort[count];
        for (int p = 0; p < PartitionId.Count; p++)
        {
            field.Keys(new PartitionId((ushort)p), weights, keys);
            field.Order(keys, order.AsSpan(p * width, width), candidates);
        }

        NodeId[] ids = [.. field.Nodes.Select(node => node.Node)];
        bool[] isFull = [.. field.Nodes.Select(node => node.IsFull)];
        return new PlacementTable(ids, isFull, order, field.Copies, width, field.CapacityBytes);
    }

    /// <summary>
    /// The nodes that should hold a partition, full ones included; the first online one leads its repair.
    /// </summary>
    public HolderList Holders(PartitionId partition) =>
        _width == 0 ? default : new HolderList(_nodes, _order, partition.Value * _width, Copies);

    /// <summary>The holders, then the nodes that take over from full ones, in order.</summary>
    public HolderList Order(PartitionId partition) =>
        _width == 0 ? default : new HolderList(_nodes, _order, partition.Value * _width, _width);

    /// <summary>Where new copies go: the first <see cref="Copies"/> nodes of the order that are not full.</summary>
    /// <param name="partition">Which partition.</param>
    /// <param name="targets">Filled; at least <see cref="Copies"/> long.</param>
    /// <returns>How many targets there are; fewer than <see cref="Copies"/> when the pool is nearly full.</returns>
    public int WriteTargets(PartitionId partition, Span<NodeId> targets)
    {
        int found = 0;
        int start = partition.Value * _width;
        for (int i = 0; i < _width && found < Copies; i++)
        {
            ushort node = _order[start + i];
            if (!_isFull[node])
            {
                targets[found++] = _nodes[node];
            }
        }

        return found;
    }

    /// <summary>Whether placement gives the partition to the node.</summary>
    public bool IsHolder(PartitionId partition, NodeId node) => Holders(partition).Contains(node);

    /// <summary>Whether new copies of a partition go to a node: it is one of the <see cref="WriteTargets"/>.</summary>
    public bool Takes(PartitionId partition, NodeId node)
    {
        int place = Order(partition).IndexOf(node);
        int start = partition.Value * _width;
        if (place < 0 || _isFull[_order[start + place]])
        {
            return false;
        }

        int withRoom = 0;
        for (int i = 0; i < place; i++)
        {
            withRoom += _isFull[_order[start + i]] ? 0 : 1;
        }

        return withRoom < Copies;
    }

    /// <summary>
    /// Whether a node answers for a partition: as a holder, full or not, or in the place of a full one.
    /// </summary>
    public bool AnswersFor(PartitionId partition, NodeId node) =>
        AnsweredBy(node) is { IsEmpty: false } bits
        && (bits[partition.Value >> 6] & (1UL << (partition.Value & 63))) != 0;

    /// <summary>A bit for each partition that a node answers for, 64 to a word; empty for who is not eligible.</summary>
    public ReadOnlySpan<ulong> AnsweredBy(NodeId node)
    {
        const int Words = PartitionId.Count / 64;
        int at = _width == 0 ? -1 : Array.BinarySearch(_nodes, node);
        return at < 0 ? [] : (_answers ??= FindAnswers(Words)).AsSpan(at * Words, Words);
    }

    /// <summary>Once, when it is asked for; several threads may find the same.</summary>
    private ulong[] FindAnswers(int words)
    {
        ulong[] answers = new ulong[_nodes.Length * words];
        for (int p = 0; p < PartitionId.Count; p++)
        {
            int withRoom = 0;
            for (int i = 0; i < _width && (i < Copies || withRoom < Copies); i++)
            {
                int node = _order[(p * _width) + i];
                if (i < Copies || !_isFull[node])
                {
                    answers[(node * words) + (p >> 6)] |= 1UL << (p & 63);
                }

                withRoom += _isFull[node] ? 0 : 1;
            }
        }

        return answers;
    }

    /// <summary>How many partitions each node holds, in the order of node ids.</summary>
    public IReadOnlyList<(NodeId Node, int Partitions)> Load()
    {
        int[] counts = new int[_nodes.Length];
        for (int p = 0; p < PartitionId.Count && _width > 0; p++)
        {
            foreach (ushort node in _order.AsSpan(p * _width, Copies))
            {
                counts[node]++;
            }
        }

        return [.. _nodes.Zip(counts)];
    }
}
