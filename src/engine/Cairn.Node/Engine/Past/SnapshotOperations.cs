using System.Collections.Immutable;
using System.Globalization;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Core.Text;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Past;
using Cairn.Core.Tree.Records;
using Cairn.Node.Snapshots;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine.Past;

/// <summary>Makes, lists and removes snapshots, compares with them, and goes back to them, for doors.</summary>
/// <param name="state">The volume.</param>
/// <param name="views">Finds past states.</param>
/// <param name="publish">Publishes what is written, so that it is in the snapshot.</param>
internal sealed class SnapshotOperations(
    VolumeState state, PastViews views, Func<CancellationToken, Task<bool>> publish) : IVolumeSnapshots
{
    private const int StepsPerTurn = 64;

    /// <inheritdoc/>
    public SnapshotSchedule Schedule
    {
        get
        {
            lock (state.Gate)
            {
                return ScheduleMark.Of(state.Queries);
            }
        }
    }

    /// <inheritdoc/>
    public Result<Unit, VolumeError> SetSchedule(SnapshotSchedule schedule)
    {
        lock (state.Gate)
        {
            return Write(ScheduleMark.ToPrimitive(schedule));
        }
    }

    /// <inheritdoc/>
    public async ValueTask<Result<VolumeSnapshot, VolumeError>> Create(
        InodeNumber folder, ReadOnlyMemory<byte> name, CancellationToken cancellation)
    {
        if (!GivenName.IsValid(NameText.Of(name.Span)))
        {
            return VolumeError.InvalidName;
        }

        await publish(cancellation);
        return Make(folder, name);
    }

    /// <inheritdoc/>
    public IReadOnlyList<VolumeSnapshot> List()
    {
        lock (state.Gate)
        {
            return [.. views.Named().Select(one => Describe(one.Name, one.Snapshot))];
        }
    }

    /// <inheritdoc/>
    public Result<Unit, VolumeError> Remove(string name)
    {
        lock (state.Gate)
        {
            if (views.Snapshot(name) is not { } snapshot)
            {
                return VolumeError.NotFound;
            }

            return state.Parts.Log.Rights.Holds.IsHeld(snapshot.Id)
                ? VolumeError.InUse
                : Write(new Snapshot(snapshot.Id, snapshot.Folder, ReadOnlyMemory<byte>.Empty));
        }
    }

    /// <inheritdoc/>
    public async ValueTask<Result<IReadOnlyList<PastDifference>, VolumeError>> Compare(
        PastState past, string path, CancellationToken cancellation)
    {
        if (!(await Find(past, cancellation)).TryGet(out PastView? view, out VolumeError error))
        {
            return error;
        }

        List<ReadOnlyMemory<byte>> names = PlaceOf(view, path);
        var differences = new List<EntryDifference>();
        var below = new List<(IReadOnlyList<ReadOnlyMemory<byte>> Path, ObjectId? Was, ObjectId? IsNow)>();
        lock (state.Gate)
        {
            ObjectView? was = At(view.Queries, names);
            ObjectView? isNow = At(state.Queries, names);
            if (was is null && isNow is null)
            {
                return VolumeError.NotFound;
            }

            if (new[] { was, isNow }.Any(top => top is not null && top.Kind != TreeKind.Directory))
            {
                return VolumeError.NotADirectory;
            }

            below.Add((names, was?.Id, isNow?.Id));
        }

        TreeDifferences compare = new(view.Queries, state.Queries);
        for (int i = 0; i < below.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            lock (state.Gate)
            {
                compare.Compare(below[i].Path, below[i].Was, below[i].IsNow, differences, below);
            }
        }

        return Result<IReadOnlyList<PastDifference>, VolumeError>.Ok([.. differences.Select(Describe)
            .OrderBy(difference => difference.Path, StringComparer.Ordinal)]);
    }

    /// <inheritdoc/>
    public async ValueTask<Result<RestoreOutcome, VolumeError>> Restore(
        PastState past, string path, CancellationToken cancellation)
    {
        if (past.Name == PastState.Refused)
        {
            return VolumeError.NotSupported;
        }

        if (!(await Find(past, cancellation)).TryGet(out PastView? view, out VolumeError error))
        {
            return error;
        }

        List<ReadOnlyMemory<byte>> names = PlaceOf(view, path);
        lock (state.Gate)
        {
            if (At(view.Queries, names) is null)
            {
                return VolumeError.NotFound;
            }
        }

        RestoreWalk walk = new(
            view.Queries, state.Queries, state.Fresh, view.KeepsData ? static (_, _) => true : IsKept);
        using IEnumerator<RestoreStep> steps = walk.Steps(names).GetEnumerator();
        return Run(steps, cancellation);
    }

    /// <summary>Where a path leads; of the volume itself, to the folder that the snapshot covers.</summary>
    private List<ReadOnlyMemory<byte>> PlaceOf(PastView view, string path)
    {
        List<ReadOnlyMemory<byte>> names = NameText.Split(path);
        lock (state.Gate)
        {
            return names.Count == 0 ? [.. view.Queries.PathOf(view.Top)] : names;
        }
    }

    /// <summary>A past state, to be held against a present in which everything written is published.</summary>
    private async ValueTask<Result<PastView, VolumeError>> Find(PastState past, CancellationToken cancellation)
    {
        await publish(cancellation);
        return past.Name == PastState.Refused
            ? await views.RefusedNow(cancellation)
            : await views.Find(past, cancellation);
    }

    private Result<VolumeSnapshot, VolumeError> Make(InodeNumber folder, ReadOnlyMemory<byte> name)
    {
        lock (state.Gate)
        {
            string text = NameText.Of(name.Span);
            if (!state.Directory(folder).TryGet(out ObjectId id, out VolumeError error))
            {
                return error;
            }

            if (views.Snapshot(text) is not null)
            {
                return VolumeError.AlreadyExists;
            }

            return Write(new Snapshot(state.Fresh(), id, name.ToArray())).TryGet(out _, out error)
                ? Describe(text, views.Snapshot(text)!)
                : error;
        }
    }

    /// <summary>A name that says what the snapshot is for, and is free.</summary>
    private byte[] UndoName()
    {
        lock (state.Gate)
        {
            DateTimeOffset now = state.Parts.Time.GetUtcNow();
            string name = "before-" + now.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
            string free = name;
            for (int number = 2; views.Snapshot(free) is not null; number++)
            {
                free = $"{name}-{number}";
            }

            return NameText.ToBytes(free);
        }
    }

    /// <summary>Makes a snapshot before the first change: what changes nothing leaves nothing to go back to.</summary>
    private Result<RestoreOutcome, VolumeError> Run(IEnumerator<RestoreStep> steps, CancellationToken cancellation)
    {
        string undo = string.Empty;
        long changed = 0;
        var lost = new List<string>();
        for (bool hasMore = true; hasMore;)
        {
            cancellation.ThrowIfCancellationRequested();
            lock (state.Gate)
            {
                for (int i = 0; i < StepsPerTurn && (hasMore = steps.MoveNext()); i++)
                {
                    RestoreStep step = steps.Current;
                    if (step.IsLost)
                    {
                        lost.Add(NameText.Join(step.Path));
                    }
                    else if (!step.Primitives.IsEmpty)
                    {
                        if (undo.Length == 0)
                        {
                            if (!Make(InodeNumber.Root, UndoName()).TryGet(
                                out VolumeSnapshot? before, out VolumeError error))
                            {
                                return error;
                            }

                            undo = before.Name;
                        }

                        if (state.Commit(step.Primitives) is { } failed)
                        {
                            return failed;
                        }

                        state.TellChanged(step.Primitives);
                        changed++;
                    }
                }
            }
        }

        return new RestoreOutcome(undo, changed, lost);
    }

    /// <summary>Whether the tree still has a version: then its chunks are kept.</summary>
    private bool IsKept(ObjectId id, HeadView version) =>
        state.Queries.Get(id) is { } view && (view.Heads.Any(head => head.Is(version.Version))
            || state.Queries.Superseded(new VersionRef(view.Owner, version.Version)) is not null);

    private Result<Unit, VolumeError> Write(Primitive primitive) =>
        state.Commit((ImmutableArray<Primitive>)[primitive]) is { } error ? error : Unit.Value;

    private VolumeSnapshot Describe(string name, SnapshotRecord snapshot) => new(
        name,
        NameText.Join(views.Of(snapshot).Queries.PathOf(snapshot.Folder)),
        snapshot.At,
        snapshot.By.Log.Author,
        state.Queries.ShownAuthor(snapshot.By.Log.Author));

    private static PastDifference Describe(EntryDifference difference) => new(
        NameText.Join(difference.Path),
        difference.Change,
        (ObjectKind)(difference.After ?? difference.Before!).Kind,
        difference.Before?.SizeBytes,
        difference.After?.SizeBytes);

    private static ObjectView? At(TreeQueries queries, List<ReadOnlyMemory<byte>> names)
    {
        ObjectView? at = queries.Get(TreeQueries.Root);
        foreach (ReadOnlyMemory<byte> name in names)
        {
            at = at is not null && queries.Lookup(at.Id, name) is { } entry ? queries.Get(entry.Object) : null;
        }

        return at;
    }
}
