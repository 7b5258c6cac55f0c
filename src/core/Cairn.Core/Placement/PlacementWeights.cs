using System.Collections.Immutable;
using Cairn.Core.Primitives;

namespace Cairn.Core.Placement;

/// <summary>The solved weight of one node.</summary>
/// <param name="Node">Whose.</param>
/// <param name="CapacityBytes">The capacity it was solved for; a node whose capacity changed since is solved
/// anew.</param>
/// <param name="Weight">1 to <see cref="PlacementWeights.WeightMax"/>, or <see
/// cref="PlacementWeights.Pinned"/>.</param>
public readonly record struct NodeWeight(NodeId Node, long CapacityBytes, uint Weight);

/// <summary>The weights a pool has agreed on: the content of a publish-weights operation.</summary>
/// <remarks>
/// Format: docs/formats/weights.md. The operation that is last in the pool log's order holds; every node then computes
/// the same table from the same map. Sorted by node id, each node once.
/// </remarks>
public sealed class PlacementWeights : IEquatable<PlacementWeights>
{
    /// <summary>
    /// The weight of a node that holds every partition: it is smaller than the data the pool can hold.
    /// </summary>
    public const uint Pinned = uint.MaxValue;

    /// <summary>The largest weight of a node that is not pinned.</summary>
    public const uint WeightMax = 1u << 28;

    /// <summary>Sorts and checks.</summary>
    public PlacementWeights(IEnumerable<NodeWeight> weights)
    {
        Nodes = [.. weights.OrderBy(weight => weight.Node)];
        for (int i = 0; i < Nodes.Length; i++)
        {
            Invariant.That(IsWeight(Nodes[i].Weight) && Nodes[i].CapacityBytes >= 0, $"weight {Nodes[i]}");
            Invariant.That(i == 0 || Nodes[i - 1].Node < Nodes[i].Node, $"node {Nodes[i].Node.Short} twice");
        }
    }

    /// <summary>No weights published yet: every node's is derived from its capacity.</summary>
    public static PlacementWeights None { get; } = new([]);

    /// <summary>The weights, in the order of node ids.</summary>
    public ImmutableArray<NodeWeight> Nodes { get; }

    /// <summary>Whether a number may stand as a weight.</summary>
    public static bool IsWeight(uint weight) => weight is (> 0 and <= WeightMax) or Pinned;

    /// <summary>The entry of a node.</summary>
    public bool TryGet(NodeId node, out NodeWeight weight)
    {
        int low = 0;
        int high = Nodes.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = Nodes[middle].Node < node ? (middle + 1, high) : (low, middle);
        }

        bool found = low < Nodes.Length && Nodes[low].Node == node;
        weight = found ? Nodes[low] : default;
        return found;
    }

    /// <inheritdoc/>
    public bool Equals(PlacementWeights? other) =>
        other is not null && Nodes.AsSpan().SequenceEqual(other.Nodes.AsSpan());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as PlacementWeights);

    /// <inheritdoc/>
    public override int GetHashCode() => Nodes.IsEmpty ? 0 : (int)Nodes[0].Weight ^ Nodes.Length;
}
