using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Tree.Past;

/// <summary>Turns the wish that a folder be again what it was into primitives.</summary>
/// <remarks>
/// Called for one entry at a time, from the top down, each with the state that the one before left: a directory is put
/// into its place before what is in it, so no move can put one below itself. Nothing is destroyed and no data moves:
/// versions are named anew, what was not there goes into the trash. A file that was in conflict gets the version that
/// held its name. A folder that limits keep apart from another of its name is no conflict: it stays beside that.
/// </remarks>
/// <param name="then">What the folder is to be.</param>
/// <param name="now">What it is.</param>
/// <param name="fresh">Random ids.</param>
/// <param name="isKept">Whether a version's data is still there.</param>
internal sealed class TreeRestore(
    TreeQueries then, TreeQueries now, Func<Bytes16> fresh, Func<ObjectId, HeadView, bool> isKept)
{
    /// <summary>What makes an entry of then be there now, with its content and attributes; nothing if it is.</summary>
    /// <param name="directory">Where; itself in its place already.</param>
    /// <param name="wanted">An entry of it then; one that shows a conflict has no effect.</param>
    /// <returns>NotFound when the data of the version is gone.</returns>
    internal Result<ImmutableArray<Primitive>, TreeError> Bring(ObjectId directory, EntryView wanted)
    {
        var primitives = ImmutableArray.CreateBuilder<Primitive>();
        if (wanted.IsConflict || then.Get(wanted.Object) is not { } view)
        {
            return ImmutableArray<Primitive>.Empty;
        }

        ObjectId parent = Here(directory);
        ObjectView? here = now.Get(Here(view.Owner));
        bool isSameContent = HasContent(here, view.Head);
        if (!isSameContent && view.Head is { } head && !isKept(view.Owner, head))
        {
            return TreeError.NotFound;
        }

        if (!Stands(parent, wanted.Name, here))
        {
            MakeRoom(parent, wanted.Name, here, primitives);
            PutThere(parent, wanted.Name, view, here, primitives);
        }

        if (!isSameContent)
        {
            primitives.Add(Content(view, here));
        }

        AddAttributes(view, here, primitives);
        AddExtendedAttributes(view, here, primitives);
        return primitives.DrainToImmutable();
    }

    /// <summary>
    /// What stands for an object of then: itself, or, when it was a directory that was merged into another since, one
    /// that is made for it; always the same, so that a restoration can be begun again.
    /// </summary>
    internal ObjectId Here(ObjectId id)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        while (now.Get(id) is { } view && view.Owner != id)
        {
            SHA256.HashData([.. "cairn/restored"u8, .. id.Value.ToArray()], hash);
            id = new ObjectId(hash[..ObjectId.Size]);
        }

        return id;
    }

    /// <summary>What takes away an entry that was not there then; a directory must be empty.</summary>
    /// <param name="directory">Where, in the state of now.</param>
    /// <param name="extra">An entry of it.</param>
    internal Result<ImmutableArray<Primitive>, TreeError> TakeAway(ObjectId directory, EntryView extra)
    {
        if (now.Get(extra.Owner) is not { } view)
        {
            return ImmutableArray<Primitive>.Empty;
        }

        return view.Kind == TreeKind.Directory && !now.IsEmpty(view.Id)
            ? TreeError.NotEmpty
            : (ImmutableArray<Primitive>)[new Unplace(directory, extra.StoredName, view.Owner, HeadsOf(view))];
    }

    /// <summary>Whether an entry of now was there then, with the same object.</summary>
    /// <param name="directory">Where, in the state of then.</param>
    /// <param name="entry">The entry of now.</param>
    internal bool WasThere(ObjectId directory, EntryView entry) =>
        !entry.IsConflict && then.Lookup(directory, entry.Name) is { IsConflict: false } before
        && Here(before.Object) == entry.Owner;

    /// <summary>Whether an entry of now is a folder beside the one that held the name then.</summary>
    /// <param name="directory">Where, in the state of then.</param>
    /// <param name="entry">The entry of now.</param>
    internal bool StandsBeside(ObjectId directory, EntryView entry) =>
        entry.Kind == TreeKind.Directory
        && then.Lookup(directory, entry.StoredName) is { IsConflict: false, Kind: TreeKind.Directory } before
        && Slot.IndexOf(now.GetSlot(Here(directory), entry.StoredName.Span), Here(before.Object)) >= 0;

    /// <summary>Whether the object holds the name now, alone but for folders beside it.</summary>
    private bool Stands(ObjectId parent, ReadOnlyMemory<byte> name, ObjectView? here) =>
        here is { IsDetached: false } && now.GetSlot(parent, name.Span) is { } slot
        && Slot.IndexOf(slot, here.Owner) >= 0
        && Enumerable.Range(0, Slot.Count(slot)).All(
            i => Slot.ObjectAt(slot, i) == here.Owner || IsBeside(slot, i, here));

    private static bool IsBeside(byte[] slot, int other, ObjectView here) =>
        here.Kind == TreeKind.Directory && Slot.KindAt(slot, other) == TreeKind.Directory
        && Slot.IndexOf(slot, here.Owner) >= 0;

    /// <summary>
    /// Removes what else holds the name; a directory with something in it steps aside, to be emptied later.
    /// </summary>
    private void MakeRoom(
        ObjectId parent, ReadOnlyMemory<byte> name, ObjectView? here, ImmutableArray<Primitive>.Builder primitives)
    {
        byte[] slot = now.GetSlot(parent, name.Span) ?? [];
        for (int i = 0; i < Slot.Count(slot); i++)
        {
            ObjectView other = now.Get(Slot.ObjectAt(slot, i))!;
            if (here is not null && (other.Owner == here.Owner || IsBeside(slot, i, here)))
            {
                continue;
            }

            primitives.Add(other.Kind == TreeKind.Directory && !now.IsEmpty(other.Id)
                ? new Move(other.Owner, parent, name, parent, Aside(other.Owner), null)
                : new Unplace(parent, name, other.Owner, HeadsOf(other)));
        }
    }

    private void PutThere(
        ObjectId parent, ReadOnlyMemory<byte> name, ObjectView view, ObjectView? here,
        ImmutableArray<Primitive>.Builder primitives)
    {
        if (here is null)
        {
            // Garbage collection has forgotten it, under its old id it is made again; or it was merged into another.
            primitives.Add(view.ToCreateObject(Here(view.Owner)));
        }

        if (here is { IsDetached: false } && MovesFrom(view, here) is { } place)
        {
            primitives.Add(new Move(here.Owner, place.Parent, place.Name, parent, name, null));
        }
        else if (here is not { IsDetached: false } || !IsIn(here.Record, parent, name))
        {
            primitives.Add(new Place(parent, name, here?.Owner ?? Here(view.Owner), null));
        }
    }

    /// <summary>
    /// An entry that the object has now and had not then: it is moved, so that it has no entry too many.
    /// </summary>
    private PlaceRecord? MovesFrom(ObjectView view, ObjectView here)
    {
        foreach (PlaceRecord place in here.Record.Places)
        {
            if (!view.Record.Places.Exists(before =>
                Here(before.Parent) == place.Parent && before.Name.Span.SequenceEqual(place.Name.Span)))
            {
                return place;
            }
        }

        return null;
    }

    private static bool IsIn(ObjectRecord record, ObjectId parent, ReadOnlyMemory<byte> name) =>
        record.IndexOfPlace(parent, name.Span) >= 0;

    private static bool HasContent(ObjectView? here, HeadView? wanted) => wanted is null
        ? here is null || here.Heads.Length == 0
        : here is { Heads: [var head] } && head.SizeBytes == wanted.SizeBytes
            && head.Manifest.Span.SequenceEqual(wanted.Manifest.Span);

    private WriteVersion Content(ObjectView view, ObjectView? here)
    {
        HeadView? head = view.Head;
        return new WriteVersion(
            here?.Owner ?? Here(view.Owner), new VersionId(fresh()), here is null ? [] : HeadsOf(here),
            head?.SizeBytes ?? 0, head?.DataBytes ?? 0, view.Modified, head?.Manifest ?? default);
    }

    private static void AddAttributes(
        ObjectView view, ObjectView? here, ImmutableArray<Primitive>.Builder primitives)
    {
        if (here is null)
        {
            return;
        }

        uint? mode = here.Mode == view.Mode ? null : view.Mode;
        uint? user = here.UserId == view.UserId ? null : view.UserId;
        uint? group = here.GroupId == view.GroupId ? null : view.GroupId;
        bool isTimeOff = view.Kind == TreeKind.File && here.Modified != view.Modified;
        if (mode is not null || user is not null || group is not null || isTimeOff)
        {
            primitives.Add(new SetAttributes(
                here.Owner, default, mode, user, group, isTimeOff ? view.Modified : null));
        }
    }

    private void AddExtendedAttributes(
        ObjectView view, ObjectView? here, ImmutableArray<Primitive>.Builder primitives)
    {
        ObjectId id = here?.Owner ?? Here(view.Owner);
        foreach (ReadOnlyMemory<byte> name in then.ExtendedAttributes(view.Owner))
        {
            ReadOnlyMemory<byte> value = then.ExtendedAttribute(view.Owner, name.Span)!.Value;
            bool isThere = here is not null && now.ExtendedAttribute(id, name.Span) is { } there
                && there.Span.SequenceEqual(value.Span);
            if (!isThere)
            {
                primitives.Add(new SetExtendedAttribute(id, name, value));
            }
        }

        foreach (ReadOnlyMemory<byte> name in here is null ? [] : now.ExtendedAttributes(id))
        {
            if (then.ExtendedAttribute(view.Owner, name.Span) is null)
            {
                primitives.Add(new SetExtendedAttribute(id, name, null));
            }
        }
    }

    private static ImmutableArray<VersionId> HeadsOf(ObjectView view) => [.. view.Heads.Select(head => head.Version)];

    private static byte[] Aside(ObjectId id) => Encoding.ASCII.GetBytes($".aside-{id.Value.ToHex()}");
}
