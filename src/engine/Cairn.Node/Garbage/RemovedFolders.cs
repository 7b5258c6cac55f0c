using Cairn.Core.Primitives;
using Cairn.Core.Tree;

namespace Cairn.Node.Garbage;

/// <summary>Which removed folders may be forgotten: those of which nothing removed stays.</summary>
/// <remarks>
/// What a rule says of a removed file it says through the folder the file was in last. Were that forgotten first, the file would be
/// kept by the rule of the volume: a month, where the folder says nothing is kept. Made for one look; called under the log's gate.
/// </remarks>
internal sealed class RemovedFolders(TreeQueries queries)
{
    private readonly List<ObjectId> _mayGo = [];
    private readonly HashSet<ObjectId> _needed = [];
    private readonly Dictionary<ObjectId, int> _depths = [];

    /// <summary>By the rules this removed folder may go.</summary>
    public void NoteMayGo(ObjectId folder) => _mayGo.Add(folder);

    /// <summary>This removed object stays, so the folders it was in stay.</summary>
    public void NoteStays(ObjectId removed)
    {
        for (ObjectId? parent = ParentOf(removed); parent is { } folder && _needed.Add(folder);)
        {
            parent = ParentOf(folder);
        }
    }

    /// <summary>The folders that may go, each before the one it was in: if only some do, none is left without its rule.</summary>
    public IEnumerable<ObjectId> Free() =>
        _mayGo.Where(folder => !_needed.Contains(folder)).OrderByDescending(DepthOf);

    /// <summary>Each folder is walked once: of a tree that is thousands deep it would be the square of that, under the gate.</summary>
    private int DepthOf(ObjectId folder)
    {
        Stack<ObjectId> walked = [];
        ObjectId? at = folder;
        while (at is { } next && _depths.TryAdd(next, 0))
        {
            walked.Push(next);
            at = ParentOf(next);
        }

        int depth = at is { } known ? _depths[known] + 1 : 0;
        while (walked.TryPop(out ObjectId below))
        {
            _depths[below] = depth++;
        }

        return _depths[folder];
    }

    /// <summary>The folder a removed object was in last, if that is removed, too.</summary>
    private ObjectId? ParentOf(ObjectId removed) =>
        queries.ParentOf(removed) is { } parent && queries.RemovedBy(parent) is not null ? parent : null;
}
