using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Volumes;

namespace Cairn.Gateway.Control;

/// <summary>A name in conflict (<c>cairn conflicts</c>).</summary>
/// <param name="Path">The name's path below the volume.</param>
/// <param name="Sides">What claims the name; the first holds it.</param>
public sealed record ConflictSummary(string Path, IReadOnlyList<ConflictSideSummary> Sides);

/// <summary>One side of a conflict.</summary>
/// <param name="ShownName">The name it is shown under.</param>
/// <param name="Kind">What it is.</param>
/// <param name="SizeBytes">Length.</param>
/// <param name="Inode">Its number.</param>
/// <param name="Modified">Claimed time of the last write.</param>
/// <param name="Author">The node that wrote it.</param>
/// <param name="AuthorName">What that node calls itself.</param>
/// <param name="AuthorUser">The person who uses that node's machine; empty: nobody in particular.</param>
public sealed record ConflictSideSummary(
    string ShownName,
    ObjectKind Kind,
    long SizeBytes,
    ulong Inode,
    WallTime Modified,
    NodeId Author,
    string AuthorName,
    string AuthorUser)
{
    /// <summary>From what the volume says.</summary>
    public static ConflictSideSummary From(ConflictSide side, INodeControl node) => new(
        side.ShownName, side.Kind, side.SizeBytes, side.Inode.Value, side.Modified, side.Author, side.AuthorName,
        node.UserOf(side.Author));
}
