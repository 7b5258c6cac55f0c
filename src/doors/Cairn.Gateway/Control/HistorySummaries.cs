using Cairn.Core.Primitives;
using Cairn.Node.Volumes;

namespace Cairn.Gateway.Control;

/// <summary>A version of a file (<c>cairn log</c>).</summary>
/// <param name="Version">Which: <c>PATH@VERSION</c> takes it or the start of it.</param>
/// <param name="SizeBytes">Length of the file.</param>
/// <param name="Modified">Claimed time of the last write.</param>
/// <param name="Published">Claimed time of publishing.</param>
/// <param name="Author">The node that wrote it.</param>
/// <param name="AuthorName">What that node calls itself.</param>
/// <param name="IsShown">Whether it is what the file (or a conflict of it) shows now.</param>
/// <param name="ReplacedAt">The claim of when it stopped being shown; null while it is.</param>
public sealed record VersionSummary(
    VersionId Version,
    long SizeBytes,
    WallTime Modified,
    WallTime Published,
    NodeId Author,
    string AuthorName,
    bool IsShown,
    WallTime? ReplacedAt)
{
    /// <summary>From what the volume says.</summary>
    public static VersionSummary From(FileVersion version) => new(
        version.Version,
        version.SizeBytes,
        version.Modified,
        version.Published,
        version.Author,
        version.AuthorName,
        version.IsShown,
        version.ReplacedAt);
}

/// <summary>Something removed (<c>cairn trash ls</c>).</summary>
/// <param name="Path">Where it was last, below the volume.</param>
/// <param name="Kind">What it is.</param>
/// <param name="SizeBytes">Length.</param>
/// <param name="Inode">Its number.</param>
/// <param name="RemovedAt">The claim of when.</param>
/// <param name="RemovedBy">The node on which it was removed.</param>
/// <param name="RemovedByName">What that node calls itself.</param>
public sealed record TrashSummary(
    string Path,
    ObjectKind Kind,
    long SizeBytes,
    ulong Inode,
    WallTime RemovedAt,
    NodeId RemovedBy,
    string RemovedByName)
{
    /// <summary>From what the volume says.</summary>
    public static TrashSummary From(TrashEntry entry) => new(
        entry.Path,
        entry.Kind,
        entry.SizeBytes,
        entry.Inode.Value,
        entry.RemovedAt,
        entry.RemovedBy,
        entry.RemovedByName);
}

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
public sealed record ConflictSideSummary(
    string ShownName,
    ObjectKind Kind,
    long SizeBytes,
    ulong Inode,
    WallTime Modified,
    NodeId Author,
    string AuthorName)
{
    /// <summary>From what the volume says.</summary>
    public static ConflictSideSummary From(ConflictSide side) => new(
        side.ShownName, side.Kind, side.SizeBytes, side.Inode.Value, side.Modified, side.Author, side.AuthorName);
}
