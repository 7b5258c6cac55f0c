using System.Collections.Immutable;

namespace Cairn.Core.Placement;

/// <summary>The part of a rule that decides which nodes may and should hold a chunk.</summary>
public sealed record PlacementPolicy
{
    /// <summary>Copies asked for when no rule says otherwise.</summary>
    public const int CopiesDefault = 4;

    /// <summary>Most copies a rule may ask for.</summary>
    public const int CopiesMax = 32;

    /// <summary>Four copies anywhere, over as many zones as there are.</summary>
    public static PlacementPolicy Default { get; } = new();

    /// <summary>
    /// Copies asked for; fewer are placed when fewer nodes are eligible. Unit: whole replicas. Default 4.
    /// </summary>
    public int Copies { get; init; } = CopiesDefault;

    /// <summary>A node must carry all of these. Default none.</summary>
    public ImmutableArray<string> RequiredTags { get; init; } = [];

    /// <summary>A node must carry none of these. Default none.</summary>
    public ImmutableArray<string> ForbiddenTags { get; init; } = [];

    /// <summary>A node must be in one of these zones. Default empty: any.</summary>
    public ImmutableArray<string> Zones { get; init; } = [];

    /// <summary>Whether copies are spread over zones before two share one. Default true.</summary>
    public bool SpreadOverZones { get; init; } = true;

    /// <summary>Whether a node may hold copies under this policy.</summary>
    public bool Admits(PlacementNode node) =>
        node.CapacityBytes > 0
        && RequiredTags.All(tag => node.Tags.Contains(tag))
        && !ForbiddenTags.Any(tag => node.Tags.Contains(tag))
        && (Zones.IsEmpty || Zones.Contains(node.Zone));

    /// <summary>Same conditions, compared by content.</summary>
    public bool Equals(PlacementPolicy? other) =>
        other is not null
        && Copies == other.Copies
        && SpreadOverZones == other.SpreadOverZones
        && RequiredTags.SequenceEqual(other.RequiredTags)
        && ForbiddenTags.SequenceEqual(other.ForbiddenTags)
        && Zones.SequenceEqual(other.Zones);

    /// <inheritdoc/>
    public override int GetHashCode() =>
        Copies + (RequiredTags.Length << 8) + (ForbiddenTags.Length << 16) + (Zones.Length << 24);
}
