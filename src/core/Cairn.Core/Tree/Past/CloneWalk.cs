using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tree.Past;

/// <summary>Puts into an empty volume what a snapshot of another shows, entry by entry.</summary>
/// <remarks>
/// Objects keep their ids, and versions their manifests: no data is written. What is shown as a conflict becomes a file
/// of its own under the name that it is shown under. Interrupted, it can be begun again: what is there already takes no step.
/// </remarks>
/// <param name="from">The snapshot.</param>
/// <param name="top">The folder that becomes the root.</param>
/// <param name="into">The volume; read anew at each step.</param>
/// <param name="fresh">Random ids.</param>
public sealed class CloneWalk(TreeQueries from, ObjectId top, TreeQueries into, Func<Bytes16> fresh)
{
    private const int EntriesPerPage = 512;

    /// <summary>One transaction each, to be written before the next is asked for.</summary>
    public IEnumerable<ImmutableArray<Primitive>> Steps()
    {
        var folders = new Queue<(ObjectId From, ObjectId Into)>([(top, TreeQueries.Root)]);
        while (folders.TryDequeue(out (ObjectId From, ObjectId Into) folder))
        {
            for (ReadOnlyMemory<byte> after = default; ;)
            {
                IReadOnlyList<EntryView> page = from.List(folder.From, after, EntriesPerPage);
                foreach (EntryView entry in page)
                {
                    if (into.Lookup(folder.Into, entry.Name) is null)
                    {
                        yield return Make(folder.Into, entry);
                    }

                    if (entry.Kind == TreeKind.Directory)
                    {
                        folders.Enqueue((entry.Object, entry.Object));
                    }
                }

                if (page.Count < EntriesPerPage)
                {
                    break;
                }

                after = page[^1].Name;
            }

            // Every entry changed the folder's time, and the root was there before.
            ImmutableArray<Primitive> end = Finish(folder.From, folder.Into);
            if (!end.IsEmpty)
            {
                yield return end;
            }
        }
    }

    private ImmutableArray<Primitive> Finish(ObjectId was, ObjectId id)
    {
        var primitives = ImmutableArray.CreateBuilder<Primitive>();
        ObjectView then = from.Get(was)!;
        ObjectView now = into.Get(id)!;
        if ((then.Mode, then.UserId, then.GroupId, then.Modified) != (now.Mode, now.UserId, now.GroupId, now.Modified))
        {
            primitives.Add(new SetAttributes(id, default, then.Mode, then.UserId, then.GroupId, then.Modified));
        }

        AddWhatIsSaidOf(then.Owner, id, primitives);
        return primitives.DrainToImmutable();
    }

    private ImmutableArray<Primitive> Make(ObjectId parent, EntryView entry)
    {
        var primitives = ImmutableArray.CreateBuilder<Primitive>();
        if (into.Get(entry.Object) is null)
        {
            ObjectView view = from.Get(entry.Object)!;
            primitives.Add(view.ToCreateObject(entry.Object));
            if (view.Head is { } head)
            {
                primitives.Add(new WriteVersion(
                    entry.Object, new VersionId(fresh()), [], head.SizeBytes, head.DataBytes, head.Modified,
                    head.Manifest));
            }

            AddWhatIsSaidOf(view.Owner, entry.Object, primitives);
        }

        primitives.Add(new Place(parent, entry.Name, entry.Object, null));
        return primitives.DrainToImmutable();
    }

    /// <summary>Extended attributes and the rule, as far as they are not there.</summary>
    private void AddWhatIsSaidOf(ObjectId was, ObjectId id, ImmutableArray<Primitive>.Builder primitives)
    {
        foreach (ReadOnlyMemory<byte> name in from.ExtendedAttributes(was))
        {
            ReadOnlyMemory<byte> value = from.ExtendedAttribute(was, name.Span)!.Value;
            if (!IsSame(into.ExtendedAttribute(id, name.Span), value))
            {
                primitives.Add(new SetExtendedAttribute(id, name, value));
            }
        }

        if (from.Rule(was) is { } rule && !IsSame(into.Rule(id), rule))
        {
            primitives.Add(new SetRule(id, rule));
        }
    }

    private static bool IsSame(ReadOnlyMemory<byte>? there, ReadOnlyMemory<byte> wanted) =>
        there is { } value && value.Span.SequenceEqual(wanted.Span);
}
