using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Node.Control;
using Cairn.Node.Volumes;

namespace Cairn.Gateway.Control;

/// <summary>A version of a file (<c>cairn log</c>).</summary>
/// <param name="Version">Which: <c>PATH@VERSION</c> takes it or the start of it.</param>
/// <param name="SizeBytes">Length of the file.</param>
/// <param name="Modified">Claimed time of the last write.</param>
/// <param name="Published">Claimed time of publishing.</param>
/// <param name="Author">The node that wrote it.</param>
/// <param name="AuthorName">What that node calls itself.</param>
/// <param name="AuthorUser">The person who uses that node's machine; empty: nobody in particular.</param>
/// <param name="Origin">How it came to be.</param>
/// <param name="IsShown">Whether it is what the file (or a conflict of it) shows now.</param>
/// <param name="ReplacedAt">The claim of when it stopped being shown; null while it is.</param>
public sealed record VersionSummary(
    VersionId Version,
    long SizeBytes,
    WallTime Modified,
    WallTime Published,
    NodeId Author,
    string AuthorName,
    string AuthorUser,
    VersionOrigin Origin,
    bool IsShown,
    WallTime? ReplacedAt)
{
    /// <summary>From what the volume says.</summary>
    public static VersionSummary From(FileVersion version, INodeControl node) => new(
        version.Version,
        version.SizeBytes,
        version.Modified,
        version.Published,
        version.Author,
        version.AuthorName,
        node.UserOf(version.Author),
        version.Origin,
        version.IsShown,
        version.ReplacedAt);
}
