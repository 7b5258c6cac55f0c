using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Rights;

/// <summary>What an admin said about who edits one volume.</summary>
/// <param name="Writers">Who may edit it, from what the admin had not seen on; null: every member.</param>
/// <param name="Seen">What the admin had of the volume's logs: judged as it was before.</param>
public sealed record WritersLimit(ImmutableArray<NodeId>? Writers, LogPositions Seen)
{
    /// <summary>What that is for one member.</summary>
    public MemberLimit For(NodeId member) => new(Writers is not { } writers || writers.Contains(member), Seen);
}
