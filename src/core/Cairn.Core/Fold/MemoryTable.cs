using Cairn.Core.Primitives;

namespace Cairn.Core.Fold;

/// <summary>
/// A table in memory: an open-addressing index for points, sorted blocks for ranges. Point reads allocate nothing.
/// </summary>
/// <remarks>
/// It costs about 90 bytes per key beyond the bytes of key and value. With change tracking it is the whole of a
/// volume's
/// table in memory, carried to an index in the background; see <see cref="OverlayTable"/> for volumes too large for
/// that.
/// </remarks>
public sealed class MemoryTable : IPersistedTable
{
    private readonly SortedRecords _sorted = new();
    private readonly bool _tracksChanges;
    private List<TableRecord> _changed = [];
    private bool _taken;
    private TableRecord?[] _slots = new TableRecord?[64];

    /// <summary>An empty table.</summary>
    public MemoryTable()
        : this(tracksChanges: false)
    {
    }

    private MemoryTable(bool tracksChanges) => _tracksChanges = tracksChanges;

    /// <summary>
    /// A table that starts as a copy of <paramref name="source"/> and remembers what changes from then on.
    /// </summary>
    public static MemoryTable Tracking(ITableSource source)
    {
        var table = new MemoryTable(tracksChanges: true);
        TableCursor cursor = source.Scan([], []);
        while (cursor.MoveNext())
        {
            table.Put(cursor.Key, cursor.Value);
        }

        foreach (TableRecord record in table._changed)
        {
            record.Changed = false;
        }

        table._changed = [];
        return table;
    }

    /// <summary>How many keys there are.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of keys and values, without overhead.</summary>
    public long ContentBytes { get; private set; }

    /// <inheritdoc/>
    public byte[]? Get(ReadOnlySpan<byte> key) => Find(key, TableKey.Hash(key), out _)?.Value;

    /// <inheritdoc/>
    public byte[]? Put(ReadOnlySpan<byte> key, byte[]? value) => Put(key, null, TableKey.Hash(key), value);

    /// <inheritdoc/>
    public byte[]? Put(byte[] key, byte[]? value) => Put(key, key, TableKey.Hash(key), value);

    /// <summary>All records, in order.</summary>
    internal IEnumerable<TableRecord> Records() => _sorted.All();

    internal byte[]? Get(ReadOnlySpan<byte> key, uint hash) => Find(key, hash, out _)?.Value;

    /// <summary>Sets a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="owned">The same as an array that the table may keep, if there is one.</param>
    /// <param name="hash">Its hash.</param>
    /// <param name="value">Null to delete.</param>
    internal byte[]? Put(ReadOnlySpan<byte> key, byte[]? owned, uint hash, byte[]? value)
    {
        TableRecord? record = Find(key, hash, out int slot);
        byte[]? before = record?.Value;
        ContentBytes += (value?.Length ?? 0) - (before?.Length ?? 0);
        if (record is not null && value is not null)
        {
            record.Value = value;
            NoteChange(record);
        }
        else if (record is not null)
        {
            ContentBytes -= key.Length;
            record.Value = null;
            NoteChange(record);
            _sorted.Remove(record);
            Vacate(slot);
            Count--;
        }
        else if (value is not null)
        {
            ContentBytes += key.Length;
            record = new TableRecord(owned ?? key.ToArray(), hash, value);
            _sorted.Insert(record);
            _slots[slot] = record;
            NoteChange(record);
            Count++;
            if (Count * 3 > _slots.Length * 2)
            {
                Grow();
            }
        }

        return before;
    }

    /// <inheritdoc/>
    public TableCursor Scan(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to) => new Cursor(_sorted, from, to);

    /// <inheritdoc/>
    public int ChangeCount => _changed.Count;

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<byte[], byte[]?>> TakeChanges()
    {
        Invariant.That(!_taken, "changes taken twice without being persisted");
        _taken = true;
        var changes = new List<KeyValuePair<byte[], byte[]?>>(_changed.Count);
        _changed.Sort(static (a, b) => a.Key.AsSpan().SequenceCompareTo(b.Key));
        foreach (TableRecord record in _changed)
        {
            record.Changed = false;
            byte[]? now = record.Value ?? Get(record.Key);
            if (changes.Count > 0 && changes[^1].Key.AsSpan().SequenceEqual(record.Key))
            {
                continue;
            }

            changes.Add(new(record.Key, now));
        }

        _changed = [];
        return changes;
    }

    /// <inheritdoc/>
    public void ChangesPersisted() => _taken = false;

    private void NoteChange(TableRecord record)
    {
        if (_tracksChanges && !record.Changed)
        {
            record.Changed = true;
            _changed.Add(record);
        }
    }

    private TableRecord? Find(ReadOnlySpan<byte> key, uint hash, out int slot)
    {
        int mask = _slots.Length - 1;
        slot = (int)(hash & (uint)mask);
        while (_slots[slot] is { } record)
        {
            if (record.Hash == hash && key.SequenceEqual(record.Key))
            {
                return record;
            }

            slot = (slot + 1) & mask;
        }

        return null;
    }

    private void Vacate(int slot)
    {
        int mask = _slots.Length - 1;
        int hole = slot;
        for (int next = (hole + 1) & mask; _slots[next] is { } record; next = (next + 1) & mask)
        {
            int home = (int)(record.Hash & (uint)mask);
            if (((next - home) & mask) >= ((next - hole) & mask))
            {
                _slots[hole] = record;
                hole = next;
            }
        }

        _slots[hole] = null;
    }

    private void Grow()
    {
        TableRecord?[] old = _slots;
        _slots = new TableRecord?[old.Length * 2];
        int mask = _slots.Length - 1;
        foreach (TableRecord? record in old)
        {
            if (record is null)
            {
                continue;
            }

            int slot = (int)(record.Hash & (uint)mask);
            while (_slots[slot] is not null)
            {
                slot = (slot + 1) & mask;
            }

            _slots[slot] = record;
        }
    }

    private sealed class Cursor : TableCursor
    {
        private readonly SortedRecords _sorted;
        private readonly byte[] _from;
        private readonly byte[] _to;
        private (int Block, int Index) _place;
        private uint _structure;
        private TableRecord? _current;

        internal Cursor(SortedRecords sorted, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
        {
            _sorted = sorted;
            _from = from.ToArray();
            _to = to.ToArray();
            _structure = sorted.Structure;
            _place = sorted.Seek(from);
        }

        public override byte[] Key => _current!.Key;

        public override byte[] Value => _current!.Value ?? [];

        public override bool MoveNext()
        {
            if (_structure != _sorted.Structure)
            {
                _structure = _sorted.Structure;
                _place = _sorted.Seek(_current?.Key ?? _from);
                if (_current is not null && _sorted.At(ref _place)?.Key.AsSpan().SequenceEqual(_current.Key) == true)
                {
                    _place.Index++;
                }
            }
            else if (_current is not null)
            {
                _place.Index++;
            }

            TableRecord? next = _sorted.At(ref _place);
            if (next is null || (_to.Length > 0 && next.Key.AsSpan().SequenceCompareTo(_to) >= 0))
            {
                return false;
            }

            _current = next;
            return true;
        }
    }
}
