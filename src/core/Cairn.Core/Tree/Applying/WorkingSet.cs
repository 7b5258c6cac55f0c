using System.Buffers.Binary;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Tree.Applying;

/// <summary>The objects one transaction touches, decoded once and written back once, at its end.</summary>
internal sealed class WorkingSet
{
    private const int SmallMax = 64;

    private readonly ByteBuilder _builder = new();
    private readonly List<ObjectRecord> _order = [];
    private Dictionary<ObjectId, ObjectRecord> _objects = [];
    private FolderRights _limits = FolderRights.None;
    private FolderJudge? _judge;
    private List<PlaceRecord> _conflictCandidates = [];

    /// <summary>The directory that was written last, and how: whoever fills one writes it again and again.</summary>
    private (ObjectRecord Record, TableBytes Encoded) _last;

    internal ITreeTable Table { get; private set; } = new MemoryTable();

    internal Transaction Transaction { get; private set; } = null!;

    /// <param name="transaction">What is applied.</param>
    /// <param name="table">To what.</param>
    /// <param name="limits">Which folders anything is said of.</param>
    /// <param name="judge">Which of them its author may not edit; null: it may edit all.</param>
    internal void Begin(Transaction transaction, ITreeTable table, FolderRights limits, FolderJudge? judge)
    {
        Transaction = transaction;
        Table = table;
        _limits = limits;
        _judge = judge;
    }

    /// <summary>
    /// The directory of a slot that another is merged into; -1: none, or one that the author may not add to, or the other
    /// is limited itself and would have in it what was there. Then both stand there, the later one shown as a conflict.
    /// </summary>
    internal int IndexToMergeInto(byte[]? slot, ObjectRecord other)
    {
        int index = Slot.IndexOfDirectory(slot);
        bool isApart = index >= 0
            && (_limits.IsLimited(other.Id, Transaction.Id) || _judge?.Denies(Slot.ObjectAt(slot!, index)) == true);
        return isApart ? -1 : index;
    }

    /// <summary>
    /// The object behind an id: an alias or branch leads to what it stands for. Null if there is none.
    /// </summary>
    internal ObjectRecord? Load(ObjectId id)
    {
        ObjectRecord? record = LoadExact(id);
        while (record is { Form: not ObjectForm.Plain })
        {
            record = LoadExact(record.Target);
        }

        return record;
    }

    /// <summary>The record of an id itself.</summary>
    internal ObjectRecord? LoadExact(ObjectId id)
    {
        if (_objects.TryGetValue(id, out ObjectRecord? loaded))
        {
            return loaded.Purged ? null : loaded;
        }

        Span<byte> key = stackalloc byte[TreeKeys.IdKeySize];
        TableBytes encoded = Table.Find(TreeKeys.Id(key, TreeKeys.Object, id.Value));
        if (encoded.IsAbsent && id != default)
        {
            return null;
        }

        ObjectRecord record = encoded.IsAbsent ? ObjectRecord.NewRoot() : Decode(id, encoded);
        Track(record, existed: true);
        return record;
    }

    /// <summary>A new object; false if the id is taken.</summary>
    internal bool Add(ObjectRecord record)
    {
        if (LoadExact(record.Id) is not null || _objects.ContainsKey(record.Id))
        {
            return false;
        }

        Track(record, existed: false);
        Dirty(record);
        return true;
    }

    internal static void Dirty(ObjectRecord record) => record.Dirty = true;

    internal static void Purge(ObjectRecord record)
    {
        record.Purged = true;
        record.Dirty = true;
    }

    /// <summary>A name whose conflicts may have come or gone.</summary>
    internal void ConflictMayChange(ObjectId parent, ReadOnlyMemory<byte> name) =>
        _conflictCandidates.Add(new PlaceRecord(parent, name));

    internal byte[]? ReadSlot(ObjectId parent, ReadOnlySpan<byte> name)
    {
        Span<byte> key = stackalloc byte[TreeKeys.EntryKeyMax];
        return Table.Get(TreeKeys.Named(key, TreeKeys.Entry, parent, name));
    }

    internal void WriteSlot(ObjectId parent, ReadOnlySpan<byte> name, byte[]? slot)
    {
        Span<byte> key = stackalloc byte[TreeKeys.EntryKeyMax];
        Table.Put(TreeKeys.Named(key, TreeKeys.Entry, parent, name), slot);
    }

    internal void PutSuperseded(ObjectRecord record, HeadRecord head)
    {
        Span<byte> key = stackalloc byte[TreeKeys.VersionKeySize];
        _builder.Clear();
        _builder.Transaction(Transaction.Id);
        head.Encode(_builder, default);
        _builder.Time(Transaction.Claimed);
        Table.Set(TreeKeys.Version(key, record.Id, head.Version), _builder.Written);
    }

    /// <summary>Writes back what changed. Every object that no longer has an entry is filed as detached.</summary>
    internal void Commit()
    {
        long objects = 0;
        long bytes = 0;
        foreach (ObjectRecord record in _order)
        {
            if (record.Dirty)
            {
                Write(record, ref objects, ref bytes);
            }
        }

        AddTotals(objects, bytes);
        if (_conflictCandidates.Count > 0)
        {
            RefreshConflicts();
        }

        Clear();
    }

    /// <summary>Drops everything decoded.</summary>
    internal void Clear()
    {
        _order.Clear();
        if (_objects.Count > SmallMax)
        {
            _objects = [];
        }
        else
        {
            _objects.Clear();
        }
    }

    /// <summary>Bytes in a table never change: the same place is the same object, whatever was undone meanwhile.</summary>
    private ObjectRecord Decode(ObjectId id, TableBytes encoded)
    {
        if (_last.Encoded.IsSameAs(encoded))
        {
            ObjectRecord last = _last.Record;
            _last = default;
            last.Dirty = false;
            return last;
        }

        return ObjectRecord.Decode(id, encoded.Memory);
    }

    private void Track(ObjectRecord record, bool existed)
    {
        record.WasLive = existed && record.IsLive;
        record.WasBytes = existed ? record.HeadBytes : 0;
        record.WasBranches = existed ? Branches(record) : null;
        _objects.Add(record.Id, record);
        _order.Add(record);
    }

    private void Write(ObjectRecord record, ref long objects, ref long bytes)
    {
        Span<byte> key = stackalloc byte[TreeKeys.IdKeySize];
        bool orphan = !record.Purged && record.Form == ObjectForm.Plain && record.Id != default
            && record.Places.Count == 0;
        if (orphan && !record.Detached)
        {
            // Made without an entry in its own transaction: nothing shows it, garbage finds it.
            record.Detached = true;
            FileDetached(record);
        }

        bool live = !record.Purged && record.IsLive;
        if (record.Id != default)
        {
            objects += (live ? 1 : 0) - (record.WasLive ? 1 : 0);
        }

        bytes += (live ? record.HeadBytes : 0) - (record.WasLive ? record.WasBytes : 0);
        Span<byte> named = TreeKeys.Id(key, TreeKeys.Object, record.Id.Value);
        TableWrite written = record.Purged ? Table.Remove(named) : Table.Set(named, record.Encode(_builder));
        if (record is { Purged: false, IsDirectory: true, Form: ObjectForm.Plain })
        {
            _last = (record, written.Now);
        }

        if (record.WasBranches is not null || record.Heads.Count > 1)
        {
            SyncBranches(record, record.WasBranches, record.Purged ? null : Branches(record));
        }
    }

    internal void FileDetached(ObjectRecord record)
    {
        Span<byte> key = stackalloc byte[TreeKeys.IdKeySize];
        byte[] by = new byte[TreeKeys.TransactionIdSize];
        TreeKeys.Transaction(by, Transaction.Id);
        Table.Put(TreeKeys.Id(key, TreeKeys.Detached, record.Id.Value), by);
    }

    internal void UnfileDetached(ObjectRecord record)
    {
        Span<byte> key = stackalloc byte[TreeKeys.IdKeySize];
        Table.Put(TreeKeys.Id(key, TreeKeys.Detached, record.Id.Value), null);
    }

    private void SyncBranches(ObjectRecord record, List<ObjectId>? before, List<ObjectId>? after)
    {
        Span<byte> key = stackalloc byte[TreeKeys.IdKeySize];
        foreach (ObjectId gone in before ?? [])
        {
            if (after?.Contains(gone) != true)
            {
                Table.Put(TreeKeys.Id(key, TreeKeys.Object, gone.Value), null);
            }
        }

        foreach (ObjectId come in after ?? [])
        {
            if (before?.Contains(come) != true)
            {
                var branch = new ObjectRecord
                {
                    Id = come,
                    Form = ObjectForm.Branch,
                    Kind = TreeKind.File,
                    Target = record.Id,
                };
                Table.Set(TreeKeys.Id(key, TreeKeys.Object, come.Value), branch.Encode(_builder));
            }
        }
    }

    private static List<ObjectId>? Branches(ObjectRecord record)
    {
        if (record.Heads.Count < 2)
        {
            return null;
        }

        var branches = new List<ObjectId>(record.Heads.Count - 1);
        foreach (HeadRecord head in record.Heads)
        {
            if (head.Branch != default)
            {
                branches.Add(head.Branch);
            }
        }

        return branches;
    }

    private void AddTotals(long objects, long bytes)
    {
        if (objects == 0 && bytes == 0)
        {
            return;
        }

        Span<byte> totals = stackalloc byte[2 * sizeof(long)];
        ReadOnlySpan<byte> key = [TreeKeys.Totals];
        if (Table.Find(key) is { IsAbsent: false } before)
        {
            objects += BinaryPrimitives.ReadInt64LittleEndian(before.Span);
            bytes += BinaryPrimitives.ReadInt64LittleEndian(before.Span[sizeof(long)..]);
        }

        BinaryPrimitives.WriteInt64LittleEndian(totals, objects);
        BinaryPrimitives.WriteInt64LittleEndian(totals[sizeof(long)..], bytes);
        Table.Set(key, totals);
    }

    private void RefreshConflicts()
    {
        Span<byte> key = stackalloc byte[TreeKeys.EntryKeyMax];
        List<PlaceRecord> candidates = _conflictCandidates;
        _conflictCandidates = [];
        foreach (PlaceRecord place in candidates)
        {
            byte[]? slot = ReadSlot(place.Parent, place.Name.Span);
            bool conflicts = Slot.Count(slot) > 1
                || (slot is not null && LoadExact(Slot.ObjectAt(slot, 0)) is { Heads.Count: > 1 });
            Table.Put(
                TreeKeys.Named(key, TreeKeys.Conflict, place.Parent, place.Name.Span), conflicts ? [] : null);
        }
    }
}
