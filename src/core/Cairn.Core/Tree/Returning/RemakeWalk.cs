using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Tree.Returning;

/// <summary>Makes objects that the tree has forgotten anew, as if it had not forgotten them.</summary>
/// <remarks>
/// Under their old ids and in their old places, with the folders above them; who holds a name meanwhile keeps it, and
/// the two are a conflict. Interrupted, it can be begun again: what is there already takes no step. Versions keep their ids, too:
/// where two members make the same again, apart from each other, it is the same, and no conflict with itself.
/// </remarks>
/// <param name="then">The tree of the same history without anything forgotten.</param>
/// <param name="now">The tree; read anew at each step.</param>
/// <param name="isWanted">
/// Which versions are written where their file is there, too: another member may have made it again that had seen less. Null: none.
/// </param>
public sealed class RemakeWalk(TreeQueries then, TreeQueries now, Func<VersionId, bool>? isWanted = null)
{
    /// <summary>One transaction each, to be written before the next is asked for.</summary>
    /// <param name="objects">What is wanted; nothing is done for one that has no entry in either tree.</param>
    public IEnumerable<ImmutableArray<Primitive>> Steps(IEnumerable<ObjectId> objects)
    {
        foreach (ObjectId id in objects)
        {
            if (then.Get(id) is not { IsDetached: false } view)
            {
                continue;
            }

            if (IsThere(view))
            {
                ImmutableArray<Primitive> lacking = [.. Lacking(view)];
                if (!lacking.IsEmpty)
                {
                    yield return lacking;
                }

                continue;
            }

            foreach (ObjectView folder in FoldersAbove(view))
            {
                yield return Make(folder);
            }

            yield return Make(view);
        }
    }

    private bool IsThere(ObjectView view) => now.Get(view.Owner) is { IsDetached: false, Record.Places.Count: > 0 };

    /// <summary>
    /// Whether nothing can be put into a folder: it is forgotten, or was made in one that is. One that was removed comes back.
    /// </summary>
    private bool IsNowhere(ObjectId folder) => folder != TreeQueries.Root
        && now.Get(folder) is null or { IsDetached: false, Record.Places.Count: 0 };

    /// <summary>The forgotten folders on all ways to an object, outer ones first.</summary>
    private List<ObjectView> FoldersAbove(ObjectView view)
    {
        var folders = new List<ObjectView>();
        var waiting = new Stack<ObjectView>([view]);
        while (waiting.TryPop(out ObjectView? inner))
        {
            foreach (PlaceRecord place in inner.Record.Places)
            {
                if (IsNowhere(place.Parent) && then.Get(place.Parent) is { } folder)
                {
                    folders.RemoveAll(known => known.Owner == folder.Owner);
                    folders.Insert(0, folder);
                    waiting.Push(folder);
                }
            }
        }

        return folders;
    }

    /// <summary>The wanted versions that its file does not have, and never had.</summary>
    private IEnumerable<Primitive> Lacking(ObjectView view) => now.Get(view.Owner) is not { } there ? [] : view.Heads
        .Where(head => isWanted?.Invoke(head.Version) == true
            && now.Superseded(new VersionRef(view.Owner, head.Version)) is null
            && !there.Heads.Any(known => known.Version == head.Version || known.Twins.Contains(head.Version)))
        .Select(head => Write(view, head));

    private static WriteVersion Write(ObjectView view, HeadView head) => new(
        view.Owner, head.Version, head.Parents, head.SizeBytes, head.DataBytes, head.Modified, head.Manifest);

    private ImmutableArray<Primitive> Make(ObjectView view)
    {
        var primitives = ImmutableArray.CreateBuilder<Primitive>();
        if (now.Get(view.Owner) is null)
        {
            primitives.Add(view.ToCreateObject(view.Owner));
            foreach (HeadView head in view.Heads)
            {
                primitives.Add(Write(view, head));
            }

            foreach (ReadOnlyMemory<byte> name in then.ExtendedAttributes(view.Owner))
            {
                primitives.Add(new SetExtendedAttribute(
                    view.Owner, name, then.ExtendedAttribute(view.Owner, name.Span)));
            }
        }
        else
        {
            primitives.AddRange(Lacking(view));
        }

        foreach (PlaceRecord place in view.Record.Places)
        {
            primitives.Add(new Place(place.Parent, place.Name, view.Owner, null));
        }

        return primitives.DrainToImmutable();
    }
}
