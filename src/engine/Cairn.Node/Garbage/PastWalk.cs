using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Node.Logs;

namespace Cairn.Node.Garbage;

/// <summary>Walks over what the tree still knows of the past, in short steps under the log's gate.</summary>
internal sealed class PastWalk(ReplicatedLog log, TreeQueries queries)
{
    private const int ItemsPerStep = 256;

    /// <summary>Removed objects, in the order of their ids.</summary>
    /// <param name="take">Takes a step, under the gate; false ends the walk.</param>
    public void Removed(Func<IReadOnlyList<DetachedObject>, bool> take) => Walk(
        take, after => queries.DetachedObjects(after), static removed => (ObjectId?)removed.Object);

    /// <summary>Superseded versions, in the order of object and version.</summary>
    /// <param name="take">Takes a step, under the gate; false ends the walk.</param>
    public void Superseded(Func<IReadOnlyList<SupersededVersion>, bool> take) => Walk(
        take, after => queries.SupersededVersions(after),
        static past => (VersionRef?)new VersionRef(past.Object, past.Version.Version));

    /// <summary>All objects, in the order of their ids.</summary>
    /// <param name="take">Takes a step, under the gate; false ends the walk.</param>
    public void Objects(Func<IReadOnlyList<ObjectId>, bool> take) =>
        Walk(take, after => queries.Objects(after), static id => (ObjectId?)id);

    private void Walk<TItem, TKey>(
        Func<IReadOnlyList<TItem>, bool> take, Func<TKey?, IEnumerable<TItem>> behind, Func<TItem, TKey?> keyOf)
        where TKey : struct
    {
        TKey? after = null;
        while (true)
        {
            lock (log.Gate)
            {
                List<TItem> some = [.. behind(after).Take(ItemsPerStep)];
                if (!take(some) || some.Count < ItemsPerStep)
                {
                    return;
                }

                after = keyOf(some[^1]);
            }
        }
    }
}
