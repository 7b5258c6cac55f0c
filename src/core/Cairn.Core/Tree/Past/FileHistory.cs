using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Applying;

namespace Cairn.Core.Tree.Past;

/// <summary>A version in the history of a file.</summary>
/// <param name="Object">
/// The object it belongs to: another than the file's own when it is from before a save by rename.
/// </param>
/// <param name="Version">What it was, with its manifest.</param>
/// <param name="IsShown">Whether it is the content of a name now: the file's own, or a conflict's.</param>
/// <param name="ReplacedBy">The transaction that superseded it; null for a head.</param>
/// <param name="ReplacedAt">The claim of when it stopped being shown; null while it is.</param>
public sealed record HistoricVersion(
    ObjectId Object, HeadView Version, bool IsShown, TransactionId? ReplacedBy, WallTime? ReplacedAt)
{
    /// <summary>How it came to be, as far as what is still kept tells.</summary>
    public VersionOrigin Origin { get; init; }
}

/// <summary>The versions of a file, across saves by rename: the history follows the name.</summary>
public sealed class FileHistory(TreeQueries queries)
{
    /// <summary>Every version that is still kept, the newest first: one comes before those it was made from.</summary>
    public IReadOnlyList<HistoricVersion> Of(ObjectId id)
    {
        var history = new List<HistoricVersion>();
        var seen = new HashSet<ObjectId>();
        ObjectView? view = queries.Get(id);
        VersionId? from = null;
        while (view is { Kind: TreeKind.File } && seen.Add(view.Owner))
        {
            history.AddRange(Graph(view).NewestFirst(from));
            from = view.PredecessorVersion;
            view = view.PredecessorObject == default ? null : queries.Get(view.PredecessorObject);
        }

        return WithOrigins(history);
    }

    /// <summary>Each of what is listed the newest first, with how it came to be.</summary>
    private static List<HistoricVersion> WithOrigins(List<HistoricVersion> history)
    {
        var older = new HashSet<byte[]>(ByteKeyComparer.Instance);
        ObjectId? first = history.Count == 0 ? null : history[^1].Object;
        for (int i = history.Count - 1; i >= 0; i--)
        {
            HeadView version = history[i].Version;
            bool isKnown = !older.Add(version.Manifest.ToArray());
            history[i] = history[i] with
            {
                Origin = version.Parents.Length > 1 ? VersionOrigin.Merged
                    : isKnown ? VersionOrigin.Restored
                    : version.Parents.Length == 1 ? VersionOrigin.Edited
                    : history[i].Object == first ? VersionOrigin.Created
                    : VersionOrigin.SavedByRename,
            };
        }

        return history;
    }

    private VersionGraph Graph(ObjectView view)
    {
        var graph = new VersionGraph();
        WallTime? gone = view.IsDetached ? view.Changed : null;
        foreach (HeadView head in view.Heads)
        {
            graph.Add(new HistoricVersion(view.Owner, head, !view.IsDetached, null, gone));
        }

        foreach (SupersededVersion past in queries.SupersededVersions(view.Owner))
        {
            graph.Add(new HistoricVersion(view.Owner, past.Version, false, past.By, past.At));
        }

        return graph;
    }
}
