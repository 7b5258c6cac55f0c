using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Volumes;

namespace Cairn.Gateway.Control;

/// <summary>A step through the changes of a volume.</summary>
/// <param name="Changes">What happened, in order.</param>
/// <param name="Position">Where to go on.</param>
/// <param name="IsCaughtUp">Whether there was nothing more.</param>
public sealed record ChangePage(IReadOnlyList<ChangeSummary> Changes, string Position, bool IsCaughtUp);

/// <summary>One change (<c>cairn watch</c>).</summary>
/// <param name="Position">Go on from here to see everything behind this change, and perhaps this one again.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Path">Where, below the volume, as it is called now or was last.</param>
/// <param name="FromPath">For a move, where it was; null else.</param>
/// <param name="Time">The author's claim of when.</param>
/// <param name="Author">The node that did it.</param>
/// <param name="AuthorName">What that node calls itself.</param>
/// <param name="AuthorUser">The person who uses that node's machine; empty: nobody in particular.</param>
public sealed record ChangeSummary(
    string Position,
    ChangeKind Kind,
    string Path,
    string? FromPath,
    WallTime Time,
    NodeId Author,
    string AuthorName,
    string AuthorUser)
{
    /// <summary>From what the volume says.</summary>
    public static ChangeSummary From(VolumeChange change, string position, INodeControl node) => new(
        position, change.Kind, change.Path, change.FromPath, change.Time, change.Author, change.AuthorName,
        node.UserOf(change.Author));
}
