using Cairn.Core.Primitives;
using Cairn.Core.Tree.Past;

namespace Cairn.Core.Tree;

/// <summary>The version that two sides of a conflict were both made from, across saves by rename.</summary>
public sealed class CommonAncestor(TreeQueries queries)
{
    private readonly FileHistory _history = new(queries);

    /// <summary>The nearest version that both descend from; null if none is kept.</summary>
    /// <param name="one">A shown file, or a conflict's branch.</param>
    /// <param name="other">The other side.</param>
    public HistoricVersion? Of(ObjectView one, ObjectView other)
    {
        if (one.Head is not { } first || other.Head is not { } second)
        {
            return null;
        }

        IReadOnlyList<HistoricVersion> mine = _history.Of(one.Owner);
        HashSet<VersionId> below = Reach(mine, first.Version);
        below.IntersectWith(Reach(_history.Of(other.Owner), second.Version));
        return mine.FirstOrDefault(version => below.Contains(version.Version.Version));
    }

    private HashSet<VersionId> Reach(IReadOnlyList<HistoricVersion> history, VersionId from)
    {
        Dictionary<VersionId, HistoricVersion> known = [];
        foreach (HistoricVersion version in history)
        {
            known[version.Version.Version] = version;
            foreach (VersionId twin in version.Version.Twins)
            {
                known.TryAdd(twin, version);
            }
        }

        HashSet<VersionId> reached = [];
        Stack<VersionId> waiting = new([from]);
        while (waiting.TryPop(out VersionId next))
        {
            if (!known.TryGetValue(next, out HistoricVersion? version) || !reached.Add(version.Version.Version))
            {
                continue;
            }

            foreach (VersionId parent in version.Version.Parents)
            {
                waiting.Push(parent);
            }

            // The first version of a file that took a name was made from what held it before.
            if (version.Version.Parents.IsEmpty && queries.Get(version.Object) is { } owner)
            {
                waiting.Push(owner.PredecessorVersion);
            }
        }

        return reached;
    }
}
