using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tree.Past;

/// <summary>A step of a restoration.</summary>
/// <param name="Path">The entry, from the root.</param>
/// <param name="Primitives">One transaction to be written before the next step is asked for; empty for none.</param>
/// <param name="IsLost">Whether the entry cannot be brought back, because its data is gone.</param>
public readonly record struct RestoreStep(
    IReadOnlyList<ReadOnlyMemory<byte>> Path, ImmutableArray<Primitive> Primitives, bool IsLost);

/// <summary>Makes a folder, or a file, what it was, step by step.</summary>
/// <remarks>
/// (1) The folders above it are brought back, (2) everything that was in it is put into its place, from the top down,
/// (3) what was not there is taken away, from the bottom up. Interrupted, it can be begun again: what is done already
/// takes no step.
/// </remarks>
public sealed class RestoreWalk
{
    private const int EntriesPerPage = 512;

    private readonly TreeQueries _then;
    private readonly TreeQueries _now;
    private readonly TreeRestore _restore;

    /// <summary>A walk from the present to a past.</summary>
    /// <param name="then">What it is to be.</param>
    /// <param name="now">What it is; read anew at each step.</param>
    /// <param name="fresh">Random ids.</param>
    /// <param name="isKept">Whether a version's data is still there.</param>
    public RestoreWalk(
        TreeQueries then, TreeQueries now, Func<Bytes16> fresh, Func<ObjectId, HeadView, bool> isKept)
    {
        (_then, _now) = (then, now);
        _restore = new TreeRestore(then, now, fresh, isKept);
    }

    /// <summary>
    /// The steps. The state may change between them, by the step itself and by others. A step without primitives is a
    /// place to let others go ahead.
    /// </summary>
    /// <param name="path">The names of the folder or file in the past, from the root; none for the root.</param>
    public IEnumerable<RestoreStep> Steps(IReadOnlyList<ReadOnlyMemory<byte>> path)
    {
        ObjectId at = TreeQueries.Root;
        TreeKind kind = TreeKind.Directory;
        for (int i = 0; i < path.Count; i++)
        {
            if (_then.Lookup(at, path[i]) is not { } entry)
            {
                yield break;
            }

            yield return Bring(at, entry, [.. path.Take(i + 1)]);
            (at, kind) = (entry.Object, entry.Kind);
        }

        if (kind != TreeKind.Directory)
        {
            yield break;
        }

        var folders = new List<(ObjectId Id, IReadOnlyList<ReadOnlyMemory<byte>> Path)> { (at, path) };
        for (int next = 0; next < folders.Count; next++)
        {
            foreach (RestoreStep step in BringAll(folders[next].Id, folders[next].Path, folders))
            {
                yield return step;
            }
        }

        for (int last = folders.Count - 1; last >= 0; last--)
        {
            foreach (RestoreStep step in TakeAwayExtra(folders[last].Id, folders[last].Path))
            {
                yield return step;
            }
        }
    }

    private IEnumerable<RestoreStep> BringAll(
        ObjectId folder, IReadOnlyList<ReadOnlyMemory<byte>> path,
        List<(ObjectId Id, IReadOnlyList<ReadOnlyMemory<byte>> Path)> folders)
    {
        for (ReadOnlyMemory<byte> after = default; ;)
        {
            IReadOnlyList<EntryView> page = _then.List(folder, after, EntriesPerPage);
            foreach (EntryView entry in page)
            {
                IReadOnlyList<ReadOnlyMemory<byte>> inner = [.. path, entry.Name];
                RestoreStep step = Bring(folder, entry, inner);
                if (step.IsLost || !step.Primitives.IsEmpty)
                {
                    yield return step;
                }

                if (entry.Kind == TreeKind.Directory && !entry.IsConflict)
                {
                    folders.Add((entry.Object, inner));
                }
            }

            if (page.Count < EntriesPerPage)
            {
                break;
            }

            after = page[^1].Name;
            yield return new RestoreStep(path, [], false);
        }
    }

    private IEnumerable<RestoreStep> TakeAwayExtra(ObjectId folder, IReadOnlyList<ReadOnlyMemory<byte>> path)
    {
        for (ReadOnlyMemory<byte> after = default; ;)
        {
            ObjectId here = _restore.Here(folder);
            IReadOnlyList<EntryView> page = _now.List(here, after, EntriesPerPage);
            foreach (EntryView entry in page.Where(
                entry => !_restore.WasThere(folder, entry) && !_restore.StandsBeside(folder, entry)))
            {
                foreach (RestoreStep step in TakeAway(here, entry, [.. path, entry.Name]))
                {
                    yield return step;
                }
            }

            if (page.Count < EntriesPerPage)
            {
                break;
            }

            after = page[^1].Name;
            yield return new RestoreStep(path, [], false);
        }
    }

    /// <summary>Takes an entry away, and before it everything in it.</summary>
    private IEnumerable<RestoreStep> TakeAway(
        ObjectId folder, EntryView extra, IReadOnlyList<ReadOnlyMemory<byte>> path)
    {
        var open = new Stack<(ObjectId Folder, EntryView Entry, IReadOnlyList<ReadOnlyMemory<byte>> Path)>();
        open.Push((folder, extra, path));
        while (open.TryPeek(out (ObjectId Folder, EntryView Entry, IReadOnlyList<ReadOnlyMemory<byte>> Path) top))
        {
            IReadOnlyList<EntryView> inner = top.Entry.Kind == TreeKind.Directory
                ? _now.List(top.Entry.Object, default, EntriesPerPage)
                : [];
            if (inner.Count > 0)
            {
                foreach (EntryView entry in inner)
                {
                    open.Push((top.Entry.Object, entry, [.. top.Path, entry.Name]));
                }

                continue;
            }

            open.Pop();
            if (_restore.TakeAway(top.Folder, top.Entry).TryGet(out ImmutableArray<Primitive> primitives, out _)
                && !primitives.IsEmpty)
            {
                yield return new RestoreStep(top.Path, primitives, false);
            }
        }
    }

    private RestoreStep Bring(ObjectId folder, EntryView entry, IReadOnlyList<ReadOnlyMemory<byte>> path) =>
        _restore.Bring(folder, entry).TryGet(out ImmutableArray<Primitive> primitives, out _)
            ? new RestoreStep(path, primitives, false)
            : new RestoreStep(path, [], true);
}
