using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;

namespace Cairn.Core.Tree.Past;

/// <summary>What decides whether the past may go.</summary>
/// <param name="Now">The present, as claimed here.</param>
/// <param name="IsSettled">
/// Whether every member has seen a transaction: what not all have seen removed is not past yet.
/// </param>
/// <param name="EmptiedTo">Removals that somebody emptied the trash of.</param>
/// <param name="KeepsNothing">Whether space is so short that no rule keeps the past.</param>
public sealed record PastLimits(
    WallTime Now, Func<TransactionId, bool> IsSettled, LogPositions EmptiedTo, bool KeepsNothing)
{
    /// <summary>Whether what a transaction took away is held for review: then it stays. Null when nothing is held.</summary>
    public Func<TransactionId, bool>? IsHeld { get; init; }
}

/// <summary>Finds the removed objects and superseded versions that no rule keeps any longer.</summary>
/// <remarks>
/// A file that was replaced under its name counts as versions of what replaced it, so that "last 10" means the same for
/// an editor that saves by rename as for one that does not. A removed file has no last versions: days alone keep it.
/// </remarks>
public sealed class PastSweep(TreeQueries queries, TreeRules rules, PastLimits limits)
{
    private readonly TrashQueries _trash = new(queries);
    private readonly FileHistory _history = new(queries);
    private readonly Dictionary<ObjectId, HashSet<VersionRef>> _expired = [];

    /// <summary>Whether something asked about was not seen removed by all members: asking again soon helps.</summary>
    public bool HasUnsettled { get; private set; }

    /// <summary>Whether a removed object may be forgotten with all its versions.</summary>
    public bool MayForget(DetachedObject removed)
    {
        bool isHeld = limits.IsHeld is { } held && _trash.IsHeld(removed.Object, removed.By, held);
        if (isHeld || !IsSettled(removed.By))
        {
            return false;
        }

        if (limits.KeepsNothing || queries.Get(removed.Object) is not { } view)
        {
            return true;
        }

        if (_trash.Successor(view) is { } holder)
        {
            // It links its holder with what came before it, and goes last.
            HashSet<VersionRef> expired = ExpiredOf(holder);
            return queries.Get(view.PredecessorObject) is not { Kind: TreeKind.File }
                && view.Heads.All(head => expired.Contains(new VersionRef(view.Id, head.Version)))
                && queries.SupersededVersions(view.Id)
                    .All(past => expired.Contains(new VersionRef(view.Id, past.Version.Version)));
        }

        bool isEmptied = limits.EmptiedTo.Contains(removed.By);
        return isEmptied || IsExpired(rules.For(view.Id).Keep!.Value with { Last = 0 }, view.Changed);
    }

    /// <summary>Whether a superseded version may be forgotten.</summary>
    public bool MayForget(SupersededVersion past)
    {
        if (limits.IsHeld?.Invoke(past.By) == true || !IsSettled(past.By))
        {
            return false;
        }

        if (limits.KeepsNothing || queries.Get(past.Object) is not { } view)
        {
            return true;
        }

        if (!view.IsDetached)
        {
            return ExpiredOf(view).Contains(new VersionRef(past.Object, past.Version.Version));
        }

        return _trash.Successor(view) is { } holder
            ? ExpiredOf(holder).Contains(new VersionRef(past.Object, past.Version.Version))
            : IsExpired(rules.For(view.Id).Keep!.Value with { Last = 0 }, past.At);
    }

    private bool IsSettled(TransactionId by)
    {
        bool isSettled = limits.IsSettled(by);
        HasUnsettled |= !isSettled;
        return isSettled;
    }

    private bool IsExpired(Retention keep, WallTime at)
    {
        var expired = new List<WallTime>(1);
        keep.FindExpired([at], static time => time, limits.Now, expired);
        return expired.Count > 0;
    }

    /// <summary>The past versions of a file, across saves by rename, that its rule lets go.</summary>
    private HashSet<VersionRef> ExpiredOf(ObjectView holder)
    {
        if (_expired.TryGetValue(holder.Owner, out HashSet<VersionRef>? known))
        {
            return known;
        }

        List<HistoricVersion> past = [.. _history.Of(holder.Owner).Where(version => !version.IsShown)];
        var expired = new List<HistoricVersion>();
        rules.For(holder.Owner).Keep!.Value
            .FindExpired(past, version => version.ReplacedAt ?? limits.Now, limits.Now, expired);
        known = [.. expired.Select(version => new VersionRef(version.Object, version.Version.Version))];
        _expired.Add(holder.Owner, known);
        return known;
    }
}
