using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Tree.Applying;

/// <summary>
/// Makes shown conflicts real entries, so that a change of one shown name leaves every other as it was.
/// </summary>
internal sealed class Solidifier(TreeQueries queries, Func<Bytes16> fresh)
{
    /// <summary>Shown conflicts this edit has dealt with: what each is now, zeros when it is gone.</summary>
    private readonly Dictionary<ObjectId, ObjectId> _done = [];

    /// <summary>Starts an edit.</summary>
    internal void Begin() => _done.Clear();

    /// <summary>Removes what is shown at a name, and nothing else that is shown.</summary>
    internal void Remove(ObjectId parent, EntryView entry, ImmutableArray<Primitive>.Builder primitives)
    {
        ObjectView view = queries.Get(entry.Object)!;
        _done[entry.Object] = default;
        if (entry.IsBranch)
        {
            primitives.Add(new DiscardHeads(entry.Owner, [view.Head!.Version]));
            return;
        }

        KeepOthers(parent, entry, view, primitives, mates: true);
        primitives.Add(new Unplace(parent, entry.StoredName, view.Id, HeadsOf(view)));
    }

    /// <summary>
    /// Prepares a name to be taken over; returns what is replaced, or null if the name is made free first.
    /// </summary>
    internal Predecessor? Replace(ObjectId parent, EntryView entry, ImmutableArray<Primitive>.Builder primitives)
    {
        if (entry.IsConflict)
        {
            Remove(parent, entry, primitives);
            return null;
        }

        ObjectView view = queries.Get(entry.Object)!;
        KeepOthers(parent, entry, view, primitives, mates: false);
        return new Predecessor(view.Id, HeadsOf(view));
    }

    /// <summary>Makes an entry one that stands alone under its shown name; returns what it points at then.</summary>
    internal (ObjectId Id, ReadOnlyMemory<byte> Name) MakeReal(
        ObjectId parent, EntryView entry, ImmutableArray<Primitive>.Builder primitives)
    {
        ObjectView view = queries.Get(entry.Object)!;
        if (entry.IsBranch)
        {
            return (MakeFile(parent, entry, view, view.Head!, primitives), entry.Name);
        }

        KeepOthers(parent, entry, view, primitives, mates: !entry.IsConflict);
        if (entry.IsConflict)
        {
            MoveAside(parent, entry, primitives);
        }

        return (view.Id, entry.Name);
    }

    /// <summary>The head that holds the name: what the author of a removal or replacement saw there.</summary>
    private static ImmutableArray<VersionId> HeadsOf(ObjectView view) => view.Head is { } head ? [head.Version] : [];

    /// <summary>
    /// Gives every conflict of a name an entry of its own: other heads of the object, and other objects if asked.
    /// </summary>
    private void KeepOthers(
        ObjectId parent, EntryView entry, ObjectView view, ImmutableArray<Primitive>.Builder primitives, bool mates)
    {
        byte[] slot = queries.GetSlot(queries.CanonicalDirectory(parent)!.Value, entry.StoredName.Span)!;
        if (Slot.Count(slot) == 1 && view.Record.Heads.Count < 2)
        {
            return;
        }

        if (!entry.IsConflict)
        {
            foreach (ObjectRecord hidden in queries.HiddenEquals(slot))
            {
                ImmutableArray<VersionId> heads = [.. hidden.Heads.Select(head => head.Version)];
                primitives.Add(new Unplace(parent, entry.StoredName, hidden.Id, heads));
            }
        }

        foreach (EntryView other in queries.Conflicts(parent))
        {
            if (!other.StoredName.Span.SequenceEqual(entry.StoredName.Span) || other.Object == entry.Object
                || _done.ContainsKey(other.Object))
            {
                continue;
            }

            if (other.IsBranch && other.Owner == view.Id && view.Record.Places.Count == 1)
            {
                ObjectView branch = queries.Get(other.Object)!;
                MakeFile(parent, other, branch, branch.Head!, primitives);
            }
            else if (!other.IsBranch && mates)
            {
                MoveAside(parent, other, primitives);
            }
        }
    }

    /// <summary>Gives a conflicting object the name it is shown under.</summary>
    private void MoveAside(ObjectId parent, EntryView entry, ImmutableArray<Primitive>.Builder primitives)
    {
        if (_done.TryAdd(entry.Object, entry.Object))
        {
            primitives.Add(new Move(entry.Object, parent, entry.StoredName, parent, entry.Name, null));
        }
    }

    /// <summary>A file of its own out of a conflicting head, at the name it is shown under.</summary>
    private ObjectId MakeFile(
        ObjectId parent, EntryView entry, ObjectView view, HeadView head, ImmutableArray<Primitive>.Builder primitives)
    {
        if (_done.TryGetValue(entry.Object, out ObjectId made))
        {
            return made;
        }

        var id = new ObjectId(fresh());
        _done.Add(entry.Object, id);
        primitives.Add(new CreateObject(
            id, TreeKind.File, view.Mode, view.UserId, view.GroupId, 0, head.Modified, default));
        primitives.Add(new WriteVersion(
            id, new VersionId(fresh()), [], head.SizeBytes, head.DataBytes, head.Modified, head.Manifest));
        foreach (ReadOnlyMemory<byte> name in queries.ExtendedAttributes(view.Owner))
        {
            primitives.Add(new SetExtendedAttribute(id, name, queries.ExtendedAttribute(view.Owner, name.Span)));
        }

        primitives.Add(new Place(parent, entry.Name, id, null));
        primitives.Add(new DiscardHeads(view.Owner, [head.Version]));
        return id;
    }
}
