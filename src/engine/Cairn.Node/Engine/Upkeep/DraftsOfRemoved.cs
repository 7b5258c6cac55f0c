using Cairn.Core.Primitives;
using Cairn.Node.Drafts;

namespace Cairn.Node.Engine.Upkeep;

/// <summary>Files that others removed while this node has a draft of them: its version will bring them back.</summary>
/// <remarks>
/// Until that version is named the others must not forget the file, so this node does not say that it has seen the removal
/// (docs/decisions/garbage.md). Thread: under the volume's gate.
/// </remarks>
internal sealed class DraftsOfRemoved(VolumeState state)
{
    private readonly HashSet<ObjectId> _files = [];

    /// <summary>Whether there is one.</summary>
    public bool IsAny
    {
        get
        {
            _files.RemoveWhere(id => state.FindOpen(id) is not { } open || !BringsBack(open));
            return _files.Count > 0;
        }
    }

    /// <summary>Something was removed by others: looks which drafts are of it.</summary>
    public void Look()
    {
        foreach (OpenObject open in state.OpenObjects)
        {
            if (BringsBack(open))
            {
                _files.Add(open.Id);
            }
        }
    }

    private bool BringsBack(OpenObject open) => IsWanted(open.Id, open.Frozen) || IsWanted(open.Id, open.Active);

    private bool IsWanted(ObjectId file, Draft? draft) => draft is not null
        && state.Queries.Get(file) is { IsDetached: true } && !state.IsUnwanted(file, draft);
}
