using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Applying;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Tree;

/// <summary>Reads the namespace out of a table that a <see cref="TreeApplier"/> filled.</summary>
/// <remarks>
/// It keeps nothing: every answer is of the moment. The ids of aliases and branches are understood everywhere.
/// </remarks>
public sealed class TreeQueries
{
    private readonly ITableSource _table;
    private readonly ConflictNames _conflicts;

    /// <summary>Reads from <paramref name="table"/>.</summary>
    public TreeQueries(ITableSource table)
    {
        _table = table;
        _conflicts = new ConflictNames(table);
    }

    /// <summary>The root directory.</summary>
    public static ObjectId Root => default;

    /// <summary>Objects and bytes in the volume.</summary>
    public TreeTotals Totals
    {
        get
        {
            byte[]? totals = _table.Get([TreeKeys.Totals]);
            return totals is null ? default : new TreeTotals(
                BinaryPrimitives.ReadInt64LittleEndian(totals),
                BinaryPrimitives.ReadInt64LittleEndian(totals.AsSpan(8)));
        }
    }

    /// <summary>The entry of a name, conflict names included; null if there is none.</summary>
    public EntryView? Lookup(ObjectId parent, ReadOnlyMemory<byte> name)
    {
        if (name.Length is 0 or > Transaction.NameBytesMax || CanonicalDirectory(parent) is not { } directory)
        {
            return null;
        }

        if (GetSlot(directory, name.Span) is { } slot)
        {
            ObjectId holder = Slot.ObjectAt(slot, 0);
            return new EntryView(name, holder, Slot.KindAt(slot, 0), name, holder);
        }

        return ConflictNames.CouldBe(name.Span) ? LookupConflict(directory, name) : null;
    }

    /// <summary>An object, or a branch; null if the id is unknown.</summary>
    public ObjectView? Get(ObjectId id)
    {
        byte[]? encoded = GetObject(id);
        if (encoded is null)
        {
            return id == default ? new ObjectView(id, ObjectRecord.NewRoot(), 0) : null;
        }

        ObjectForm form = ObjectRecord.FormOf(encoded);
        if (form == ObjectForm.Plain)
        {
            return new ObjectView(id, ObjectRecord.Decode(id, encoded), 0);
        }

        ObjectId target = ObjectRecord.TargetOf(encoded);
        if (form == ObjectForm.Alias)
        {
            return Get(target);
        }

        ObjectRecord owner = ObjectRecord.Decode(target, GetObject(target)!);
        return new ObjectView(id, owner, owner.Heads.FindIndex(head => head.Branch == id));
    }

    /// <summary>Entries after a name (empty: from the start), in byte order, conflict names among them.</summary>
    /// <param name="countMax">At most so many; fewer than that means the end.</param>
    public IReadOnlyList<EntryView> List(ObjectId parent, ReadOnlyMemory<byte> afterName, int countMax)
    {
        var entries = new List<EntryView>();
        if (CanonicalDirectory(parent) is not { } directory)
        {
            return entries;
        }

        List<EntryView> conflicts = ConflictsOf(directory);
        conflicts.RemoveAll(entry => entry.Name.Span.SequenceCompareTo(afterName.Span) <= 0);
        int next = 0;
        Span<byte> key = stackalloc byte[TreeKeys.EntryKeyMax + 1];
        ReadOnlySpan<byte> prefix = TreeKeys.Id(key, TreeKeys.Entry, directory.Value);
        byte[] end = TreeKeys.EndOf(prefix);
        int length = TreeKeys.Named(key, TreeKeys.Entry, directory, afterName.Span).Length;
        key[length] = 0;
        TableCursor cursor = _table.Scan(afterName.IsEmpty ? key[..length] : key[..(length + 1)], end);
        while (entries.Count < countMax && cursor.MoveNext())
        {
            ReadOnlyMemory<byte> name = cursor.Key.AsMemory(TreeKeys.IdKeySize);
            for (; next < conflicts.Count && entries.Count < countMax
                && conflicts[next].Name.Span.SequenceCompareTo(name.Span) < 0; next++)
            {
                entries.Add(conflicts[next]);
            }

            if (entries.Count < countMax)
            {
                ObjectId holder = Slot.ObjectAt(cursor.Value, 0);
                entries.Add(new EntryView(name, holder, Slot.KindAt(cursor.Value, 0), name, holder));
            }
        }

        for (; next < conflicts.Count && entries.Count < countMax; next++)
        {
            entries.Add(conflicts[next]);
        }

        return entries;
    }

    /// <summary>Whether a directory has no entries.</summary>
    public bool IsEmpty(ObjectId directory)
    {
        if (CanonicalDirectory(directory) is not { } canonical)
        {
            return true;
        }

        Span<byte> prefix = stackalloc byte[TreeKeys.IdKeySize];
        TreeKeys.Id(prefix, TreeKeys.Entry, canonical.Value);
        return !_table.Scan(prefix, TreeKeys.EndOf(prefix)).MoveNext();
    }

    /// <summary>Where an object (or branch) is shown: directory and shown name of each entry.</summary>
    public IReadOnlyList<(ObjectId Parent, ReadOnlyMemory<byte> Name)> Parents(ObjectId id)
    {
        var parents = new List<(ObjectId Parent, ReadOnlyMemory<byte> Name)>();
        if (Get(id) is not { IsDetached: false } view)
        {
            return parents;
        }

        foreach (PlaceRecord place in view.Record.Places)
        {
            EntryView[] shown = [.. _conflicts.Shown(place.Parent, place.Name, GetSlot(place.Parent, place.Name.Span)!)
                .Where(entry => entry.Object == view.Id)];
            parents.AddRange(shown.Select(entry => (place.Parent, entry.Name)));
        }

        return parents;
    }

    /// <summary>All conflicts of a directory, in the order of their shown names.</summary>
    public IReadOnlyList<EntryView> Conflicts(ObjectId parent) =>
        CanonicalDirectory(parent) is { } directory ? ConflictsOf(directory) : [];

    /// <summary>What shares a name: its holder, then what is shown beside it; empty where nothing holds the name.</summary>
    public ImmutableArray<EntryView> Sides(ObjectId parent, ReadOnlyMemory<byte> name) =>
        Lookup(parent, name) is { IsConflict: false } holder
            ? [holder, .. Conflicts(parent).Where(other => other.StoredName.Span.SequenceEqual(name.Span))]
            : [];

    /// <summary>The id under which a conflicting head of a file is shown.</summary>
    public static ObjectId BranchOf(ObjectId file, VersionId head) => VersionRules.BranchOf(file, head);

    /// <summary>An extended attribute, or null.</summary>
    public ReadOnlyMemory<byte>? ExtendedAttribute(ObjectId id, ReadOnlySpan<byte> name)
    {
        if (name.Length > Transaction.NameBytesMax || Get(id) is not { } view)
        {
            return null;
        }

        Span<byte> key = stackalloc byte[TreeKeys.EntryKeyMax];
        byte[]? value = _table.Get(TreeKeys.Named(key, TreeKeys.ExtendedAttribute, view.Owner, name));
        return value is null ? null : (ReadOnlyMemory<byte>?)value;
    }

    /// <summary>The names of all extended attributes, in byte order.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> ExtendedAttributes(ObjectId id)
    {
        var names = new List<ReadOnlyMemory<byte>>();
        if (Get(id) is { } view)
        {
            foreach ((byte[] key, byte[] _) in Range(TreeKeys.ExtendedAttribute, view.Owner.Value))
            {
                names.Add(key.AsMemory(TreeKeys.IdKeySize));
            }
        }

        return names;
    }

    /// <summary>The rule set on this very object, or null.</summary>
    public ReadOnlyMemory<byte>? Rule(ObjectId id)
    {
        Span<byte> key = stackalloc byte[TreeKeys.IdKeySize];
        byte[]? rule = _table.Get(TreeKeys.Id(key, TreeKeys.Rule, id.Value));
        return rule is null ? null : (ReadOnlyMemory<byte>?)rule;
    }

    /// <summary>What a member itself says about condemnations, opaque here, or null.</summary>
    public ReadOnlyMemory<byte>? GarbageMark(NodeId member)
    {
        byte[]? mark = _table.Get(TreeKeys.Node(TreeKeys.GarbageMark, member));
        return mark is null ? null : (ReadOnlyMemory<byte>?)mark;
    }

    /// <summary>How many transactions of a member were refused: docs/decisions/rights.md.</summary>
    public long RefusedOf(NodeId member) =>
        _table.Get(TreeKeys.Node(TreeKeys.Refused, member)) is { } count
            ? BinaryPrimitives.ReadInt64LittleEndian(count)
            : 0;

    /// <summary>The objects whose ids start with these eight bytes: how an inode number finds its object.</summary>
    public IReadOnlyList<ObjectId> ObjectsWithPrefix(ReadOnlySpan<byte> firstEightBytes) =>
        [.. ObjectsBetween(firstEightBytes, firstEightBytes)];

    /// <summary>The objects from one beginning of an id to all that begin with another, in the order of their ids.</summary>
    public IEnumerable<ObjectId> ObjectsBetween(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        TableCursor cursor = _table.Scan([TreeKeys.Object, .. from], TreeKeys.EndOf([TreeKeys.Object, .. to]));
        return Ids(cursor);

        static IEnumerable<ObjectId> Ids(TableCursor cursor)
        {
            while (cursor.MoveNext())
            {
                yield return new ObjectId(cursor.KeyBytes.Span.Slice(1, ObjectId.Size));
            }
        }
    }

    /// <summary>Every object there is, in the order of their ids.</summary>
    /// <param name="after">Only those behind this one; null for all.</param>
    public IEnumerable<ObjectId> Objects(ObjectId? after = null)
    {
        TableCursor cursor = Behind(
            TreeKeys.Object, after is { } last ? [TreeKeys.Object, .. last.Value.ToArray()] : null);
        while (cursor.MoveNext())
        {
            yield return new ObjectId(cursor.Key.AsSpan(1, ObjectId.Size));
        }
    }

    /// <summary>Objects without an entry, in the order of their ids.</summary>
    /// <param name="after">Only those behind this one; null for all.</param>
    public IEnumerable<DetachedObject> DetachedObjects(ObjectId? after = null)
    {
        TableCursor cursor = Behind(
            TreeKeys.Detached, after is { } last ? [TreeKeys.Detached, .. last.Value.ToArray()] : null);
        while (cursor.MoveNext())
        {
            yield return new DetachedObject(
                new ObjectId(cursor.Key.AsSpan(1, ObjectId.Size)), TreeKeys.Transaction(cursor.Value));
        }
    }

    /// <summary>The folder of an object's first entry; of a removed one the folder it was in last. Null for the root.</summary>
    public ObjectId? ParentOf(ObjectId id) => Get(id)?.Record.Places is [PlaceRecord place, ..] ? place.Parent : null;

    /// <summary>The transaction that took an object's last entry; null if it has one, or there is no such object.</summary>
    public TransactionId? RemovedBy(ObjectId id)
    {
        byte[]? by = _table.Get(TreeKeys.Id(stackalloc byte[TreeKeys.IdKeySize], TreeKeys.Detached, id.Value));
        return by is null ? null : TreeKeys.Transaction(by);
    }

    /// <summary>Versions that are no heads any more, in the order of object and version.</summary>
    /// <param name="after">Only those behind this one; null for all.</param>
    public IEnumerable<SupersededVersion> SupersededVersions(VersionRef? after = null)
    {
        TableCursor cursor = Behind(TreeKeys.Superseded, after is { } last ? SupersededKey(last) : null);
        while (cursor.MoveNext())
        {
            yield return Superseded(cursor.Key, cursor.Value);
        }
    }

    /// <summary>A version that is no head any more; null if it is none, or was forgotten.</summary>
    public SupersededVersion? Superseded(VersionRef version)
    {
        byte[] key = SupersededKey(version);
        return _table.Get(key) is { } value ? Superseded(key, value) : null;
    }

    /// <summary>The superseded versions of one file, in the order of their ids.</summary>
    public IReadOnlyList<SupersededVersion> SupersededVersions(ObjectId id) =>
        [.. Range(TreeKeys.Superseded, id.Value).Select(pair => Superseded(pair.Key, pair.Value))];

    /// <summary>The name an author gave itself; empty if it gave none.</summary>
    public ReadOnlyMemory<byte> AuthorName(NodeId author) => _table.Get(TreeKeys.Node(TreeKeys.AuthorName, author));

    /// <summary>Condemned addresses that are not settled, oldest author first.</summary>
    public IReadOnlyList<CondemnedAddresses> Condemned()
    {
        var all = new List<CondemnedAddresses>();
        TableCursor cursor = _table.Scan([TreeKeys.Condemned], [TreeKeys.Condemned + 1]);
        while (cursor.MoveNext())
        {
            var addresses = new ChunkAddress[cursor.Value.Length / ChunkAddress.Size];
            for (int i = 0; i < addresses.Length; i++)
            {
                addresses[i] = new ChunkAddress(cursor.Value.AsSpan(i * ChunkAddress.Size, ChunkAddress.Size));
            }

            all.Add(new CondemnedAddresses(
                TreeKeys.Transaction(cursor.Key.AsSpan(1)), ImmutableCollectionsMarshal.AsImmutableArray(addresses)));
        }

        return all;
    }

    /// <summary>Members that garbage does not wait for.</summary>
    public IReadOnlyList<NodeId> Excluded()
    {
        var excluded = new List<NodeId>();
        TableCursor cursor = _table.Scan([TreeKeys.Excluded], [TreeKeys.Excluded + 1]);
        while (cursor.MoveNext())
        {
            excluded.Add(new NodeId(cursor.Key.AsSpan(1)));
        }

        return excluded;
    }

    /// <summary>What people are shown for an author: the name it gave itself, else the start of its id.</summary>
    public string ShownAuthor(NodeId author) =>
        AuthorName(author) is { IsEmpty: false } name ? Encoding.UTF8.GetString(name.Span) : author.Short;

    /// <summary>The names that show conflicts, directory by directory.</summary>
    /// <param name="after">Only those behind this one; null for all.</param>
    public IEnumerable<(ObjectId Parent, ReadOnlyMemory<byte> Name)> ConflictedNames(
        (ObjectId Parent, ReadOnlyMemory<byte> Name)? after = null)
    {
        TableCursor cursor = Behind(
            TreeKeys.Conflict,
            after is { } last ? [TreeKeys.Conflict, .. last.Parent.Value.ToArray(), .. last.Name.Span] : null);
        while (cursor.MoveNext())
        {
            yield return (
                new ObjectId(cursor.Key.AsSpan(1, ObjectId.Size)), cursor.Key.AsMemory(TreeKeys.IdKeySize));
        }
    }

    /// <summary>The names from the root to an object, as they are now, or were last if it was removed.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> PathOf(ObjectId id)
    {
        const int depthMax = 4096;
        var path = new List<ReadOnlyMemory<byte>>();
        ObjectView? at = Get(id);
        while (at is { Record.Places: [PlaceRecord place, ..] } && at.Owner != default && path.Count < depthMax)
        {
            path.Add(place.Name);
            at = Get(place.Parent);
        }

        path.Reverse();
        return path;
    }

    /// <summary>The directory an id stands for, or null if it is none.</summary>
    internal ObjectId? CanonicalDirectory(ObjectId id)
    {
        if (id == default)
        {
            return id;
        }

        byte[]? encoded = GetObject(id);
        while (encoded is not null && ObjectRecord.FormOf(encoded) == ObjectForm.Alias)
        {
            id = ObjectRecord.TargetOf(encoded);
            encoded = GetObject(id);
        }

        return encoded is not null && ObjectRecord.FormOf(encoded) == ObjectForm.Plain
            && ObjectRecord.KindOf(encoded) == TreeKind.Directory ? id : null;
    }

    /// <summary>Whether something can be put into a directory: it is one, and was not removed.</summary>
    internal bool IsLiveDirectory(ObjectId id) =>
        CanonicalDirectory(id) is { } canonical
        && (canonical == default || !ObjectRecord.IsDetachedIn(GetObject(canonical)!));

    /// <summary>Whether a directory is <paramref name="top"/> or lies below it.</summary>
    internal bool IsBelow(ObjectId directory, ObjectId top)
    {
        for (ObjectId? up = CanonicalDirectory(directory); up is { } at; up = ParentOf(at))
        {
            if (at == top || at == default)
            {
                return at == top;
            }
        }

        return false;
    }

    internal byte[]? GetSlot(ObjectId parent, ReadOnlySpan<byte> name)
    {
        Span<byte> key = stackalloc byte[TreeKeys.EntryKeyMax];
        return _table.Get(TreeKeys.Named(key, TreeKeys.Entry, parent, name));
    }

    internal List<ObjectRecord> HiddenEquals(byte[] slot) => _conflicts.HiddenEquals(slot);

    private byte[]? GetObject(ObjectId id)
    {
        Span<byte> key = stackalloc byte[TreeKeys.IdKeySize];
        return _table.Get(TreeKeys.Id(key, TreeKeys.Object, id.Value));
    }

    private EntryView? LookupConflict(ObjectId directory, ReadOnlyMemory<byte> name)
    {
        foreach (EntryView entry in ConflictsOf(directory))
        {
            if (entry.Name.Span.SequenceEqual(name.Span))
            {
                return entry;
            }
        }

        return null;
    }

    private List<EntryView> ConflictsOf(ObjectId directory)
    {
        var conflicts = new List<EntryView>();
        foreach ((byte[] key, byte[] _) in Range(TreeKeys.Conflict, directory.Value))
        {
            ReadOnlyMemory<byte> name = key.AsMemory(TreeKeys.IdKeySize);
            if (GetSlot(directory, name.Span) is { } slot)
            {
                conflicts.AddRange(_conflicts.Shown(directory, name, slot).Where(entry => entry.IsConflict));
            }
        }

        conflicts.Sort(static (a, b) => a.Name.Span.SequenceCompareTo(b.Name.Span));
        return conflicts;
    }

    private List<KeyValuePair<byte[], byte[]>> Range(byte tag, Bytes16 id)
    {
        Span<byte> prefix = stackalloc byte[TreeKeys.IdKeySize];
        TreeKeys.Id(prefix, tag, id);
        var range = new List<KeyValuePair<byte[], byte[]>>();
        TableCursor cursor = _table.Scan(prefix, TreeKeys.EndOf(prefix));
        while (cursor.MoveNext())
        {
            range.Add(new(cursor.Key, cursor.Value));
        }

        return range;
    }

    /// <summary>The records of a kind behind a key; all of the kind without one.</summary>
    private TableCursor Behind(byte tag, byte[]? key)
    {
        // The first key behind a key is the key and a zero.
        byte[] from = key is null ? [tag] : [.. key, 0];
        return _table.Scan(from, [(byte)(tag + 1)]);
    }

    private static byte[] SupersededKey(VersionRef version)
    {
        byte[] key = new byte[TreeKeys.VersionKeySize];
        TreeKeys.Version(key, version.Object, version.Version);
        return key;
    }

    private static SupersededVersion Superseded(byte[] key, byte[] value)
    {
        var reader = new WireReader(value);
        TransactionId by = TreeKeys.Transaction(reader.Raw(TreeKeys.TransactionIdSize));
        HeadRecord head = HeadRecord.Decode(ref reader, default, value);

        // The first programs did not note when a version was replaced.
        WallTime at = reader.Remaining > 0 ? new WallTime(reader.Int64()) : head.Written;
        Invariant.That(reader.Complete, "a superseded version's record is damaged: rebuild the index");
        return new SupersededVersion(new ObjectId(key.AsSpan(1, ObjectId.Size)), new HeadView(head), by, at);
    }
}
