using System.Collections.Immutable;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;

namespace Cairn.Core.Placement;

/// <summary>What placement needs to know of a node.</summary>
/// <param name="Node">Which node.</param>
/// <param name="CapacityBytes">Bytes it gives to the pool; a node with none is given no copies.</param>
public sealed record PlacementNode(NodeId Node, long CapacityBytes)
{
    /// <summary>Its failure domain; empty when its owner named none, and then it is a domain of its own.</summary>
    public string Zone { get; init; } = string.Empty;

    /// <summary>Its labels.</summary>
    public ImmutableArray<string> Tags { get; init; } = [];

    /// <summary>Whether it takes no new copies for now.</summary>
    public bool IsFull { get; init; }

    /// <summary>By value: two nodes that are equal take the same place in every table.</summary>
    public bool Equals(PlacementNode? other) => other is not null
        && Node == other.Node && CapacityBytes == other.CapacityBytes && Zone == other.Zone && IsFull == other.IsFull
        && Tags.SequenceEqual(other.Tags);

    /// <inheritdoc/>
    public override int GetHashCode() => Node.GetHashCode();

    /// <summary>From a node's own record.</summary>
    public static PlacementNode From(NodeRecord record) => new(record.Node, record.CapacityBytes)
    {
        Zone = record.Zone,
        Tags = record.Tags,
        IsFull = record.IsFull,
    };
}
