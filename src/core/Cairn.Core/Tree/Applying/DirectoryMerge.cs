using Cairn.Core.Fold.Tables;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Tree.Applying;

/// <summary>
/// Merges a directory into the one that holds its name: its entries move over, its id becomes an alias.
/// </summary>
/// <remarks>
/// Two laptops both made Photos/: whoever still speaks of the second id reaches the first. The merge is part of the
/// transaction that brought the second one there, and is undone with it. Cost: the number of entries moved.
/// </remarks>
internal sealed class DirectoryMerge(WorkingSet work)
{
    /// <summary>
    /// Merges <paramref name="alias"/>, which has no entry any more, into <paramref name="canonical"/>.
    /// </summary>
    internal void Merge(ObjectRecord alias, ObjectRecord canonical)
    {
        var pending = new Stack<(ObjectRecord Alias, ObjectRecord Canonical)>();
        pending.Push((alias, canonical));
        while (pending.TryPop(out (ObjectRecord Alias, ObjectRecord Canonical) pair))
        {
            MoveEntries(pair.Alias, pair.Canonical, pending);
            DropRange(TreeKeys.ExtendedAttribute, pair.Alias.Id);
            DropRange(TreeKeys.Rule, pair.Alias.Id);
            pair.Alias.Form = ObjectForm.Alias;
            pair.Alias.Target = pair.Canonical.Id;
            pair.Alias.Places.Clear();
            WorkingSet.Dirty(pair.Alias);
            pair.Canonical.Modified = work.Transaction.Claimed;
            pair.Canonical.Changed = work.Transaction.Claimed;
            WorkingSet.Dirty(pair.Canonical);
        }
    }

    private void MoveEntries(
        ObjectRecord alias, ObjectRecord canonical, Stack<(ObjectRecord Alias, ObjectRecord Canonical)> pending)
    {
        foreach ((byte[] key, byte[] slot) in Entries(alias.Id))
        {
            ReadOnlyMemory<byte> name = key.AsMemory(TreeKeys.IdKeySize);
            work.Table.Put(key, null);
            work.ConflictMayChange(alias.Id, name);
            work.ConflictMayChange(canonical.Id, name);
            byte[]? target = work.ReadSlot(canonical.Id, name.Span);
            for (int i = 0; i < Slot.Count(slot); i++)
            {
                ObjectRecord child = work.LoadExact(Slot.ObjectAt(slot, i))!;
                child.Places.RemoveAt(child.IndexOfPlace(alias.Id, name.Span));
                WorkingSet.Dirty(child);
                if (child.IsDirectory && work.IndexToMergeInto(target, child) is >= 0 and int other)
                {
                    pending.Push((child, work.LoadExact(Slot.ObjectAt(target!, other))!));
                    continue;
                }

                if (child.IndexOfPlace(canonical.Id, name.Span) >= 0)
                {
                    // A file with a hard link of this name in both: one entry is enough.
                    continue;
                }

                child.Places.Add(new PlaceRecord(canonical.Id, name));
                canonical.Subdirectories += child.IsDirectory ? 1u : 0;
                target = Slot.With(target, Slot.Count(target), child.Id, child.Kind);
            }

            work.WriteSlot(canonical.Id, name.Span, target);
        }
    }

    private List<KeyValuePair<byte[], byte[]>> Entries(ObjectId directory)
    {
        Span<byte> prefix = stackalloc byte[TreeKeys.IdKeySize];
        TreeKeys.Id(prefix, TreeKeys.Entry, directory.Value);
        var entries = new List<KeyValuePair<byte[], byte[]>>();
        TableCursor cursor = work.Table.Scan(prefix, TreeKeys.EndOf(prefix));
        while (cursor.MoveNext())
        {
            entries.Add(new(cursor.Key, cursor.Value));
        }

        return entries;
    }

    private void DropRange(byte tag, ObjectId id)
    {
        Span<byte> prefix = stackalloc byte[TreeKeys.IdKeySize];
        TreeKeys.Id(prefix, tag, id.Value);
        var keys = new List<byte[]>();
        TableCursor cursor = work.Table.Scan(prefix, TreeKeys.EndOf(prefix));
        while (cursor.MoveNext())
        {
            keys.Add(cursor.Key);
        }

        foreach (byte[] key in keys)
        {
            work.Table.Put(key, null);
        }
    }
}
