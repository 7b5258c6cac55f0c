using Cairn.Core.Primitives;
using Cairn.Core.Tree.Past;

namespace Cairn.Core.Tree.Applying;

/// <summary>The kept versions of one object and what each was made from.</summary>
internal sealed class VersionGraph
{
    private readonly List<HistoricVersion> _all = [];
    private readonly Dictionary<VersionId, int> _byId = [];

    internal void Add(HistoricVersion version)
    {
        _byId[version.Version.Version] = _all.Count;
        foreach (VersionId twin in version.Version.Twins)
        {
            _byId.TryAdd(twin, _all.Count);
        }

        _all.Add(version);
    }

    /// <summary>Children before parents; among those that are free to go, the latest claim first.</summary>
    /// <param name="from">Only this version and what it was made from; null for all.</param>
    internal List<HistoricVersion> NewestFirst(VersionId? from)
    {
        int[] children = new int[_all.Count];
        for (int i = 0; i < _all.Count; i++)
        {
            foreach (int parent in Parents(i))
            {
                children[parent]++;
            }
        }

        var free = new PriorityQueue<int, (long Claim, VersionId Version)>();
        void Free(int i) =>
            free.Enqueue(i, (-_all[i].Version.Written.UnixNanoseconds, _all[i].Version.Version));

        for (int i = 0; i < _all.Count; i++)
        {
            if (children[i] == 0)
            {
                Free(i);
            }
        }

        var order = new List<int>(_all.Count);
        while (free.TryDequeue(out int next, out _))
        {
            order.Add(next);
            foreach (int parent in Parents(next))
            {
                if (--children[parent] == 0)
                {
                    Free(parent);
                }
            }
        }

        // Parents named in a ring would be a lie of their author: such versions come last, but they come.
        order.AddRange(Enumerable.Range(0, _all.Count).Where(i => children[i] > 0));
        HashSet<int>? wanted = from is { } version ? Ancestry(version) : null;
        return [.. order.Where(i => wanted?.Contains(i) ?? true).Select(i => _all[i])];
    }

    private HashSet<int> Ancestry(VersionId from)
    {
        var reached = new HashSet<int>();
        var waiting = new Stack<int>(_byId.TryGetValue(from, out int first) ? [first] : []);
        while (waiting.TryPop(out int next))
        {
            if (reached.Add(next))
            {
                Parents(next).ForEach(waiting.Push);
            }
        }

        return reached;
    }

    private List<int> Parents(int child)
    {
        var parents = new List<int>(1);
        foreach (VersionId id in _all[child].Version.Parents)
        {
            if (_byId.TryGetValue(id, out int parent) && parent != child)
            {
                parents.Add(parent);
            }
        }

        return parents;
    }
}
