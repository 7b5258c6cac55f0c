using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Text;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Past;
using Cairn.Node.Engine.Upkeep;
using Cairn.Node.Garbage;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine.Past;

/// <summary>The past of a volume, for doors: versions, trash, conflicts.</summary>
/// <param name="state">The volume.</param>
/// <param name="conflicts">Who merges.</param>
/// <param name="publish">Makes versions of all writes now; false if that failed.</param>
internal sealed class HistoryOperations(
    VolumeState state, ConflictKeeper conflicts, Func<CancellationToken, Task<bool>> publish) : IVolumeHistory
{
    private const int StepsPerTurn = 64;

    private readonly FileHistory _history = new(state.Queries);
    private readonly TrashQueries _trash = new(state.Queries);
    private readonly HistoryEdits _edits = new(state.Queries, state.Fresh);

    /// <inheritdoc/>
    public Result<IReadOnlyList<FileVersion>, VolumeError> Versions(InodeNumber file)
    {
        lock (state.Gate)
        {
            if (!File(file).TryGet(out ObjectView? view, out VolumeError error))
            {
                return error;
            }

            return _history.Of(view.Id).Select(Describe).ToList();
        }
    }

    /// <inheritdoc/>
    public Result<OpenedFile, VolumeError> OpenVersion(InodeNumber file, VersionId version)
    {
        lock (state.Gate)
        {
            if (!File(file).TryGet(out ObjectView? view, out VolumeError error))
            {
                return error;
            }

            if (Find(view, version) is not { } past)
            {
                return VolumeError.NotFound;
            }

            OpenObject target = state.OpenPast(file, past.Version);
            Result<OpenHandle, VolumeError> handle = state.AddHandle(target, OpenIntent.Read);
            state.CloseIfIdle(target);
            return handle.IsOk
                ? new OpenedFile(handle.Value, Attributes(view, file, past.Version), past.Version.Version)
                : handle.Error;
        }
    }

    /// <inheritdoc/>
    public Result<Unit, VolumeError> Restore(InodeNumber file, VersionId version)
    {
        lock (state.Gate)
        {
            if (!File(file).TryGet(out ObjectView? view, out VolumeError error))
            {
                return error;
            }

            // A removed file comes back with the version.
            bool isGone = view.IsDetached && Find(view, version) is not null;
            if (isGone && !Undelete(file, default).TryGet(out _, out error))
            {
                return error;
            }

            if (state.Commit(_edits.Restore(view.Id, version, state.Now)) is { } failed)
            {
                return failed;
            }

            state.TellObject(file, contentChanged: true);
            return Unit.Value;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<TrashEntry> Trash()
    {
        lock (state.Gate)
        {
            FolderPaths paths = new(state.Queries);
            return [.. Trashed().OrderByDescending(gone => gone.RemovedAt).Select(gone => new TrashEntry(
                state.Inodes.NumberOf(gone.Object.Id),
                paths.Of(gone.Parent, gone.Name),
                (ObjectKind)gone.Object.Kind,
                gone.Object.SizeBytes,
                gone.RemovedAt,
                gone.By.Log.Author,
                state.Queries.ShownAuthor(gone.By.Log.Author)))];
        }
    }

    /// <inheritdoc/>
    public Result<Unit, VolumeError> Undelete(InodeNumber removed, ReadOnlyMemory<byte> newName)
    {
        IReadOnlyList<TrashedObject> inside;
        lock (state.Gate)
        {
            if (state.Inodes.ObjectOf(removed) is not { } id
                || _trash.All().FirstOrDefault(gone => gone.Object.Id == id) is not { } found)
            {
                return VolumeError.NotFound;
            }

            inside = found.Object.Kind == TreeKind.Directory ? _trash.RemovedWith(id) : [];
            ReadOnlyMemory<byte> name = newName.IsEmpty ? found.Name : newName.ToArray();
            if (state.Commit(_edits.Undelete(id, found.Parent, name)) is { } failed)
            {
                return failed;
            }

            // A removed directory above came back too: its name is told up to the first that was there all along.
            for (ObjectId up = id; state.Queries.Parents(up) is [var place, ..];)
            {
                state.TellEntry(state.Inodes.NumberOf(place.Parent), place.Name);
                up = place.Parent;
            }
        }

        // The first is the directory itself.
        return Refill([.. inside.Skip(1)]);
    }

    /// <summary>Puts what was in a directory back into it, a few at a time: others go ahead in between.</summary>
    private Result<Unit, VolumeError> Refill(TrashedObject[] inside)
    {
        foreach (TrashedObject[] step in inside.Chunk(StepsPerTurn))
        {
            lock (state.Gate)
            {
                foreach (TrashedObject gone in step)
                {
                    Result<ImmutableArray<Primitive>, TreeError> back =
                        _edits.Undelete(gone.Object.Id, gone.Parent, gone.Name);
                    if (!back.IsOk)
                    {
                        // Somebody was faster, or has taken its name since: it stays in the trash.
                        continue;
                    }

                    if (state.Commit(back) is { } failed)
                    {
                        return failed;
                    }

                    state.TellEntry(state.Inodes.NumberOf(gone.Parent), gone.Name);
                }
            }
        }

        return Unit.Value;
    }

    /// <inheritdoc/>
    public Result<Unit, VolumeError> EmptyTrash()
    {
        lock (state.Gate)
        {
            ImmutableArray<Primitive> mark = [TrashMark.ToPrimitive(state.Parts.Log.Fold.Positions)];
            return state.Commit(mark) is { } failed ? failed : Unit.Value;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<NameConflict> Conflicts()
    {
        lock (state.Gate)
        {
            var conflicts = new List<NameConflict>();
            foreach ((ObjectId parent, ReadOnlyMemory<byte> name) in state.Queries.ConflictedNames().ToList())
            {
                ConflictSide[] sides = [.. state.Queries.Sides(parent, name).Select(Side)];
                if (sides.Length > 1)
                {
                    conflicts.Add(new NameConflict(NameText.Join([.. state.Queries.PathOf(parent), name]), sides));
                }
            }

            return conflicts;
        }
    }

    /// <inheritdoc/>
    public Result<Unit, VolumeError> Resolve(InodeNumber parent, ReadOnlyMemory<byte> name, InodeNumber? kept)
    {
        lock (state.Gate)
        {
            if (!state.Directory(parent).TryGet(out ObjectId directory, out VolumeError error))
            {
                return error;
            }

            ObjectId side = kept is { } number && state.Inodes.ObjectOf(number) is { } id ? id : default;
            ConflictChoice choice = kept is null ? ConflictChoice.Both : ConflictChoice.One;
            return state.EndConflict(
                directory, name, _edits.Resolve(directory, name.ToArray(), choice, side, state.Now)) is { } failed
                ? failed
                : Unit.Value;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<Result<MergeReport, VolumeError>> Merge(InodeNumber parent, ReadOnlyMemory<byte> name)
    {
        ObjectId directory;
        lock (state.Gate)
        {
            if (!state.Directory(parent).TryGet(out directory, out VolumeError error))
            {
                return error;
            }
        }

        // Two sides at a time, and what came of them with the next: that is a side only once it is published.
        byte[] copy = name.ToArray();
        Result<MergeReport, VolumeError> merged = await conflicts.Merge(directory, copy);
        Result<MergeReport, VolumeError> next = merged;
        while (next is { IsOk: true, Value.Outcome: MergeOutcome.Merged } && await publish(CancellationToken.None))
        {
            next = await conflicts.Merge(directory, copy);
        }

        return next is { IsOk: true, Value.Outcome: MergeOutcome.NoConflict } ? merged : next;
    }

    /// <summary>
    /// What was removed and not let go of since; what is held for review stays in sight all the same. What never was a
    /// whole file is nobody's loss.
    /// </summary>
    private IEnumerable<TrashedObject> Trashed()
    {
        LogPositions emptied = TrashMark.Of(state.Queries);
        bool IsHeld(TransactionId by) => BrakeMark.Of(state.Queries, by.Log).Holds(by.Seq);
        return _trash.All().Where(gone =>
            (!emptied.Contains(gone.By) || _trash.IsHeld(gone.Object.Id, gone.By, IsHeld))
            && !WholeFiles.IsUnfinished(NameText.Of(gone.Name.Span)));
    }

    private ConflictSide Side(EntryView entry)
    {
        ObjectView view = state.Queries.Get(entry.Object)!;
        NodeId author = view.Head?.Author ?? view.Creator;
        return new ConflictSide(
            state.Inodes.NumberOf(view.Id),
            NameText.Of(entry.Name.Span),
            (ObjectKind)view.Kind,
            view.SizeBytes,
            view.Modified,
            author,
            state.Queries.ShownAuthor(author));
    }

    /// <summary>A file, removed or not.</summary>
    private Result<ObjectView, VolumeError> File(InodeNumber inode)
    {
        if (state.Inodes.ObjectOf(inode) is not { } id || state.Queries.Get(id) is not { } view)
        {
            return VolumeError.NotFound;
        }

        return view.Kind == TreeKind.File ? view
            : view.Kind == TreeKind.Directory ? VolumeError.IsADirectory
            : VolumeError.InvalidArgument;
    }

    private HistoricVersion? Find(ObjectView view, VersionId version) =>
        _history.Of(view.Id).FirstOrDefault(past => past.Version.Is(version));

    private FileVersion Describe(HistoricVersion past) => new(
        past.Version.Version,
        past.Version.SizeBytes,
        past.Version.Modified,
        past.Version.Written,
        past.Version.Author,
        state.Queries.ShownAuthor(past.Version.Author),
        past.Origin,
        past.IsShown,
        past.ReplacedAt);

    private static ObjectAttributes Attributes(ObjectView view, InodeNumber inode, HeadView version) => new()
    {
        Inode = inode,
        Kind = ObjectKind.File,
        Mode = view.Mode,
        UserId = view.UserId,
        GroupId = view.GroupId,
        LinkCount = view.LinkCount,
        SizeBytes = version.SizeBytes,
        DataBytes = version.DataBytes,
        Accessed = version.Modified,
        Modified = version.Modified,
        Changed = version.Written,
    };
}
