using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Volumes;

namespace Cairn.Gateway.Control;

/// <summary>Something removed (<c>cairn trash ls</c>).</summary>
/// <param name="Path">Where it was last, below the volume.</param>
/// <param name="Kind">What it is.</param>
/// <param name="SizeBytes">Length.</param>
/// <param name="Inode">Its number.</param>
/// <param name="RemovedAt">The claim of when.</param>
/// <param name="RemovedBy">The node on which it was removed.</param>
/// <param name="RemovedByName">What that node calls itself.</param>
/// <param name="RemovedByUser">The person who uses that node's machine; empty: nobody in particular.</param>
public sealed record TrashSummary(
    string Path,
    ObjectKind Kind,
    long SizeBytes,
    ulong Inode,
    WallTime RemovedAt,
    NodeId RemovedBy,
    string RemovedByName,
    string RemovedByUser)
{
    /// <summary>From what the volume says.</summary>
    public static TrashSummary From(TrashEntry entry, INodeControl node) => new(
        entry.Path,
        entry.Kind,
        entry.SizeBytes,
        entry.Inode.Value,
        entry.RemovedAt,
        entry.RemovedBy,
        entry.RemovedByName,
        node.UserOf(entry.RemovedBy));
}
