using Cairn.Core.Primitives;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Tree.Past;

/// <summary>A removed object that can still be brought back.</summary>
/// <param name="Object">Which.</param>
/// <param name="Parent">The directory it was in last.</param>
/// <param name="Name">The name it had last.</param>
/// <param name="By">The transaction that removed it.</param>
/// <param name="RemovedAt">That transaction's claim.</param>
public sealed record TrashedObject(
    ObjectView Object, ObjectId Parent, ReadOnlyMemory<byte> Name, TransactionId By, WallTime RemovedAt);

/// <summary>What was removed and not collected yet.</summary>
/// <remarks>
/// A file that was replaced under its name is not trash: it is in the history of what took its place, also when that was
/// removed since.
/// </remarks>
public sealed class TrashQueries(TreeQueries queries)
{
    private const int DepthMax = 4096;

    /// <summary>Longer than a program takes from one removal to the next, shorter than it takes a person to remove two things.</summary>
    private const long PauseMaxNanoseconds = 2_000_000_000;

    /// <summary>Everything removed, in the order of the objects' ids.</summary>
    public IEnumerable<TrashedObject> All()
    {
        HashSet<ObjectId> replaced =
        [
            .. queries.DetachedObjects()
                .Select(detached => queries.Get(detached.Object)?.PredecessorObject ?? default)
                .Where(predecessor => predecessor != default),
        ];
        foreach (DetachedObject detached in queries.DetachedObjects())
        {
            if (!replaced.Contains(detached.Object) && Find(detached) is { } trashed)
            {
                yield return trashed;
            }
        }
    }

    /// <summary>What was removed together with a directory, each behind the directory it was in; the directory first.</summary>
    /// <remarks>
    /// Nothing marks a recursive removal: a program empties a directory and removes it then. So what counts is what the same log
    /// removed from it, backwards from the directory itself to the first pause. What was removed from it before that was gone
    /// already for whoever removed the directory, and stays in the trash. Of several of one name the last is meant.
    /// </remarks>
    /// <param name="directory">The removed directory.</param>
    public IReadOnlyList<TrashedObject> RemovedWith(ObjectId directory)
    {
        ILookup<ObjectId, TrashedObject> removed = All().ToLookup(
            gone => queries.CanonicalDirectory(gone.Parent) ?? gone.Parent);
        TrashedObject? top = removed.SelectMany(gone => gone).FirstOrDefault(gone => gone.Object.Id == directory);
        if (top is null)
        {
            return [];
        }

        List<TrashedObject> below = [top];
        for (int next = 0; next < below.Count; next++)
        {
            below.AddRange(removed[below[next].Object.Id].Where(gone => gone.By.Log == top.By.Log));
        }

        HashSet<ObjectId> together = [];
        HashSet<(ObjectId, string)> names = [];
        WallTime last = top.RemovedAt;
        foreach (TrashedObject gone in below.OrderByDescending(gone => gone.By.Seq))
        {
            if (last.UnixNanoseconds - gone.RemovedAt.UnixNanoseconds > PauseMaxNanoseconds)
            {
                break;
            }

            last = gone.RemovedAt;
            if (names.Add((gone.Parent, Convert.ToHexString(gone.Name.Span))))
            {
                together.Add(gone.Object.Id);
            }
        }

        return [.. below.Where(gone => together.Contains(gone.Object.Id))];
    }

    /// <summary>
    /// Whether a removal is held for review, or that of a version of what was removed: the ruin of a file is often
    /// removed by its owner.
    /// </summary>
    /// <param name="removed">What was removed.</param>
    /// <param name="by">The transaction that removed it.</param>
    /// <param name="isHeld">Whether what a transaction took away is held.</param>
    public bool IsHeld(ObjectId removed, TransactionId by, Func<TransactionId, bool> isHeld) =>
        isHeld(by) || queries.SupersededVersions(removed).Any(past => isHeld(past.By));

    private TrashedObject? Find(DetachedObject detached)
    {
        if (queries.Get(detached.Object) is not { } view || view.Record.Places is not [PlaceRecord last, ..]
            || Successor(view) is not null)
        {
            return null;
        }

        return new TrashedObject(view, last.Parent, last.Name, detached.By, view.Changed);
    }

    /// <summary>
    /// The object in whose history a removed one is: what holds its last name now, if that goes back to it.
    /// </summary>
    internal ObjectView? Successor(ObjectView removed)
    {
        if (removed.Record.Places is not [PlaceRecord last, ..]
            || queries.GetSlot(last.Parent, last.Name.Span) is not { } slot)
        {
            return null;
        }

        ObjectView? holder = queries.Get(Slot.ObjectAt(slot, 0));
        ObjectView? earlier = holder;
        for (int depth = 0; earlier is not null && depth < DepthMax; depth++)
        {
            if (earlier.PredecessorObject == removed.Id)
            {
                return holder;
            }

            earlier = earlier.PredecessorObject == default ? null : queries.Get(earlier.PredecessorObject);
        }

        return null;
    }
}
