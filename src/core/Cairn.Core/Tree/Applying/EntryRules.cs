using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Tree.Applying;

/// <summary>What place, unplace, move and exchange do to the entries at their point in the order.</summary>
/// <remarks>
/// The rules, in one place: the first in order holds a name, later ones are shown as conflicts; a name is taken over,
/// and an entry removed, only as far as the author saw its object; what arrives in a removed directory brings the
/// directory back; a move that would put a directory below itself has no effect; of two moves of one object the last in
/// order wins.
/// </remarks>
internal sealed class EntryRules(WorkingSet work)
{
    private const int DepthMax = 1 << 16;

    internal void Apply(Place place)
    {
        if (work.Load(place.Object) is not { } record || LiveDirectory(place.Parent, record) is not { } directory)
        {
            return;
        }

        if (record.IsDirectory && record.IsLive)
        {
            TakeOut(record, 0);
        }

        PlaceAt(record, directory, place.Name, place.Replaced);
    }

    internal void Apply(Unplace unplace)
    {
        // An alias was merged into a directory its remover had not seen: that one stays.
        if (work.LoadExact(unplace.Object) is not { Form: ObjectForm.Plain } record
            || work.Load(unplace.Parent) is not { } directory)
        {
            return;
        }

        int at = record.Detached ? -1 : record.IndexOfPlace(directory.Id, unplace.Name.Span);
        if (at >= 0 && GiveUp(record, unplace.Heads))
        {
            Remove(record, at);
        }
    }

    internal void Apply(Move move) =>
        MoveTo(move.Object, move.FromParent, move.FromName, move.ToParent, move.ToName, move.Replaced);

    internal void Apply(Exchange exchange)
    {
        ObjectRecord? first = work.Load(exchange.FirstObject);
        ObjectRecord? second = work.Load(exchange.SecondObject);
        ObjectRecord? firstDirectory = work.Load(exchange.FirstParent);
        ObjectRecord? secondDirectory = work.Load(exchange.SecondParent);
        if (first is null || second is null || firstDirectory is null || secondDirectory is null || first == second)
        {
            return;
        }

        int firstAt = first.Detached ? -1 : first.IndexOfPlace(firstDirectory.Id, exchange.FirstName.Span);
        int secondAt = second.Detached ? -1 : second.IndexOfPlace(secondDirectory.Id, exchange.SecondName.Span);
        if (firstAt < 0 || secondAt < 0)
        {
            // One of them was moved or removed meanwhile: each still goes where its author wanted it.
            MoveTo(
                first.Id, exchange.FirstParent, exchange.FirstName, exchange.SecondParent, exchange.SecondName, null);
            MoveTo(
                second.Id, exchange.SecondParent, exchange.SecondName, exchange.FirstParent, exchange.FirstName, null);
            return;
        }

        if (IsBelow(secondDirectory, first) || IsBelow(firstDirectory, second))
        {
            return;
        }

        PlaceRecord firstPlace = first.Places[firstAt];
        PlaceRecord secondPlace = second.Places[secondAt];
        int firstIndex = TakeOut(first, firstAt);
        int secondIndex = TakeOut(second, secondAt);
        PutInto(first, secondDirectory, secondPlace.Name, secondIndex);
        PutInto(second, firstDirectory, firstPlace.Name, firstIndex);
    }

    /// <summary>
    /// Gives a removed object its last entry back, because somebody who had not seen the removal changed it.
    /// </summary>
    internal void Revive(ObjectRecord record)
    {
        if (!record.Detached || record.Places.Count == 0)
        {
            return;
        }

        PlaceRecord last = record.Places[0];
        ObjectRecord directory = LiveDirectory(last.Parent, record) ?? work.Load(default)!;
        PlaceAt(record, directory, last.Name, null);
    }

    private void MoveTo(
        ObjectId id, ObjectId fromParent, ReadOnlyMemory<byte> fromName, ObjectId toParent, ReadOnlyMemory<byte> toName,
        Predecessor? replaced)
    {
        if (work.Load(id) is not { } record || LiveDirectory(toParent, record) is not { } directory)
        {
            return;
        }

        if (!record.Detached)
        {
            ObjectRecord? source = work.Load(fromParent);
            int at = source is null ? -1 : record.IndexOfPlace(source.Id, fromName.Span);
            if (at < 0 && record.Places.Count == 1)
            {
                // Somebody else moved it meanwhile: the last in order wins.
                at = 0;
            }

            if (at >= 0)
            {
                TakeOut(record, at);
            }
        }

        PlaceAt(record, directory, toName, replaced);
    }

    /// <summary>
    /// The directory to put something into, brought back if it was removed; null if that would make a loop, or if it
    /// never had an entry itself.
    /// </summary>
    private ObjectRecord? LiveDirectory(ObjectId id, ObjectRecord incoming)
    {
        if (work.Load(id) is not { IsDirectory: true } directory || IsBelow(directory, incoming)
            || (directory.Places.Count == 0 && directory.Id != default))
        {
            return null;
        }

        if (!directory.Detached)
        {
            return directory;
        }

        var removed = new Stack<ObjectRecord>();
        ObjectRecord? up = directory;
        while (up is { Detached: true, Places.Count: > 0 })
        {
            removed.Push(up);
            up = work.Load(up.Places[0].Parent);
        }

        while (removed.TryPop(out ObjectRecord? next))
        {
            ObjectRecord parent = work.Load(next.Places[0].Parent) ?? work.Load(default)!;
            PlaceAt(next, parent, next.Places[0].Name, null);
        }

        // A revived directory may have met another of its name and be an alias now, even of what was to go into it.
        directory = work.Load(id)!;
        return IsBelow(directory, incoming) ? null : directory;
    }

    /// <summary>Whether a directory is <paramref name="top"/> or lies below it.</summary>
    private bool IsBelow(ObjectRecord directory, ObjectRecord top)
    {
        if (!top.IsDirectory)
        {
            return false;
        }

        ObjectRecord? up = directory;
        for (int depth = 0; up is not null && up.Id != default && depth < DepthMax; depth++)
        {
            if (up.Id == top.Id)
            {
                return true;
            }

            up = up.Places.Count == 0 ? null : work.Load(up.Places[0].Parent);
        }

        return top.Id == default;
    }

    /// <summary>
    /// Gives an object an entry: in the place of what its author saw there, else after whatever is there.
    /// </summary>
    private void PlaceAt(ObjectRecord record, ObjectRecord directory, ReadOnlyMemory<byte> name, Predecessor? replaced)
    {
        int index = -1;
        if (replaced is not null)
        {
            // The history follows the name, also when somebody else took the name over from the same ancestor.
            record.PredecessorObject = replaced.Object;
            record.PredecessorVersion = replaced.Heads.IsDefaultOrEmpty ? default : replaced.Heads[0];
            if (work.Load(replaced.Object) is { Detached: false } before && before != record
                && before.IndexOfPlace(directory.Id, name.Span) is >= 0 and int at && GiveUp(before, replaced.Heads))
            {
                index = Remove(before, at);
            }
        }

        PutInto(record, directory, name, index);
    }

    /// <summary>
    /// Whether an entry may go: its author saw all there is. Of a file's last entry the heads not seen stay, and with
    /// them the entry; the heads seen go.
    /// </summary>
    private bool GiveUp(ObjectRecord record, ImmutableArray<VersionId> seen)
    {
        if (record.IsDirectory)
        {
            return IsEmpty(record);
        }

        if (record.Places.Count > 1)
        {
            return true;
        }

        int unseen = 0;
        foreach (HeadRecord head in record.Heads)
        {
            unseen += head.IsAmong(seen.AsSpan()) ? 0 : 1;
        }

        if (unseen > 0 && unseen < record.Heads.Count)
        {
            DropHeads(record, seen);
        }

        return unseen == 0;
    }

    /// <summary>Removes heads from a file that keeps others.</summary>
    internal void DropHeads(ObjectRecord record, ImmutableArray<VersionId> versions)
    {
        for (int i = record.Heads.Count - 1; i >= 0; i--)
        {
            if (record.Heads.Count > 1 && record.Heads[i].IsAmong(versions.AsSpan()))
            {
                work.PutSuperseded(record, record.Heads[i]);
                record.Heads.RemoveAt(i);
            }
        }

        HeadsChanged(record);
    }

    /// <summary>
    /// The first head holds the name; the names where the object is shown may gain or lose conflicts.
    /// </summary>
    internal void HeadsChanged(ObjectRecord record)
    {
        if (record.Heads.Count > 0)
        {
            record.Heads[0].Branch = default;
        }

        WorkingSet.Dirty(record);
        foreach (PlaceRecord place in record.Places)
        {
            work.ConflictMayChange(place.Parent, place.Name);
        }
    }

    private bool IsEmpty(ObjectRecord directory)
    {
        Span<byte> prefix = stackalloc byte[TreeKeys.IdKeySize];
        TreeKeys.Id(prefix, TreeKeys.Entry, directory.Id.Value);
        return !work.Table.Scan(prefix, TreeKeys.EndOf(prefix)).MoveNext();
    }

    /// <summary>Removes an entry; an object without entries is detached and remembers its last one.</summary>
    private int Remove(ObjectRecord record, int placeAt)
    {
        PlaceRecord place = record.Places[placeAt];
        int index = TakeOut(record, placeAt);
        if (record.Places.Count == 0)
        {
            record.Detached = true;
            record.Places.Add(place);
            work.FileDetached(record);
        }

        return index;
    }

    /// <summary>
    /// Takes an entry away without asking what becomes of the object; returns where in its slot it was.
    /// </summary>
    private int TakeOut(ObjectRecord record, int placeAt)
    {
        PlaceRecord place = record.Places[placeAt];
        byte[] slot = work.ReadSlot(place.Parent, place.Name.Span)!;
        int index = Slot.IndexOf(slot, record.Id);
        Invariant.That(index >= 0, $"object {record.Id} has a place where it is not");
        work.WriteSlot(place.Parent, place.Name.Span, Slot.Without(slot, index));
        if (Slot.Count(slot) > 1 || record.Heads.Count > 1)
        {
            work.ConflictMayChange(place.Parent, place.Name);
        }

        record.Places.RemoveAt(placeAt);
        record.Changed = work.Transaction.Claimed;
        WorkingSet.Dirty(record);
        Touch(work.Load(place.Parent)!, record.IsDirectory ? -1 : 0);
        return index;
    }

    /// <summary>
    /// Puts an entry into a slot at an index (-1: at its end), or merges a directory into the one that is there.
    /// </summary>
    private void PutInto(ObjectRecord record, ObjectRecord directory, ReadOnlyMemory<byte> name, int index)
    {
        byte[]? slot = work.ReadSlot(directory.Id, name.Span);
        if (record.Detached)
        {
            record.Detached = false;
            record.Places.Clear();
            work.UnfileDetached(record);
        }
        else if (record.IndexOfPlace(directory.Id, name.Span) >= 0)
        {
            return;
        }

        if (record.IsDirectory && work.IndexToMergeInto(slot, record) is >= 0 and int other)
        {
            new DirectoryMerge(work).Merge(record, work.LoadExact(Slot.ObjectAt(slot!, other))!);
            return;
        }

        int at = index < 0 ? Slot.Count(slot) : Math.Min(index, Slot.Count(slot));
        work.WriteSlot(directory.Id, name.Span, Slot.With(slot, at, record.Id, record.Kind));
        if (slot is not null || record.Heads.Count > 1)
        {
            work.ConflictMayChange(directory.Id, name);
        }

        record.Places.Add(new PlaceRecord(directory.Id, name));
        record.Changed = work.Transaction.Claimed;
        WorkingSet.Dirty(record);
        Touch(directory, record.IsDirectory ? 1 : 0);
    }

    private void Touch(ObjectRecord directory, int subdirectories)
    {
        directory.Modified = work.Transaction.Claimed;
        directory.Changed = work.Transaction.Claimed;
        directory.Subdirectories = (uint)(directory.Subdirectories + subdirectories);
        WorkingSet.Dirty(directory);
    }
}
