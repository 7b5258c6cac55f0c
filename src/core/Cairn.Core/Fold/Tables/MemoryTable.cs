using Cairn.Core.Primitives;

namespace Cairn.Core.Fold.Tables;

/// <summary>
/// A table in memory: an open-addressing index for points, sorted blocks for ranges. Point reads allocate nothing.
/// </summary>
/// <remarks>
/// Keys and values lie one after the other in pages, records in one array: nothing of it is an object that a collector
/// follows. A record costs about 70 bytes beyond its key and value. With change tracking it is the whole of a volume's
/// table in memory, carried to an index in the background; see <see cref="OverlayTable"/> for volumes too large for
/// that.
/// </remarks>
public sealed class MemoryTable : IPersistedTable
{
    /// <summary>So many bytes of values that were replaced are not worth moving the others for.</summary>
    private const int ReplacedBytesMin = 64 << 10;

    private readonly RecordList _records = new();
    private readonly RecordSlots _slots;
    private readonly SortedRecords _sorted;
    private BytePages _pages = new();
    private List<TableBytes> _changed = [];
    private bool _tracksChanges;
    private bool _taken;

    /// <summary>An empty table.</summary>
    public MemoryTable() => (_slots, _sorted) = (new RecordSlots(_records), new SortedRecords(_records));

    /// <summary>
    /// A table that starts as a copy of <paramref name="source"/> and remembers what changes from then on.
    /// </summary>
    public static MemoryTable Tracking(ITableSource source)
    {
        var table = new MemoryTable();
        TableCursor cursor = source.Scan([], []);
        while (cursor.MoveNext())
        {
            table.Set(cursor.KeyBytes.Span, cursor.ValueBytes.Span);
        }

        table._tracksChanges = true;
        return table;
    }

    /// <summary>How many keys there are.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of keys and values, without overhead.</summary>
    public long ContentBytes { get; private set; }

    /// <inheritdoc/>
    public TableBytes Find(ReadOnlySpan<byte> key) => Find(key, TableKey.Hash(key));

    /// <inheritdoc/>
    public TableWrite Set(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => Set(key, TableKey.Hash(key), value);

    /// <inheritdoc/>
    public TableWrite Remove(ReadOnlySpan<byte> key) => Write(key, TableKey.Hash(key), default);

    /// <inheritdoc/>
    public TableCursor Scan(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to) => new Cursor(this, from, to);

    /// <inheritdoc/>
    public int ChangeCount => _changed.Count;

    /// <inheritdoc/>
    public IReadOnlyList<TableChange> TakeChanges()
    {
        Invariant.That(!_taken, "changes taken twice without being persisted");
        _taken = true;
        var changes = new List<TableChange>(_changed.Count);
        _changed.Sort(static (a, b) => a.Span.SequenceCompareTo(b.Span));
        foreach (TableBytes key in _changed)
        {
            if (changes.Count > 0 && changes[^1].Key == key)
            {
                continue;
            }

            int number = _slots.Find(key.Span, TableKey.Hash(key.Span), out _);
            if (number >= 0)
            {
                _records[number].IsChanged = false;
            }

            changes.Add(new TableChange(key, number < 0 ? default : _records[number].Value));
        }

        _changed = [];
        return changes;
    }

    /// <inheritdoc/>
    public void ChangesPersisted() => _taken = false;

    /// <summary>All records, in order.</summary>
    internal IEnumerable<TableRecord> Records() => _sorted.All().Select(number => _records[number]);

    internal TableBytes Find(ReadOnlySpan<byte> key, uint hash) =>
        _slots.Find(key, hash, out _) is >= 0 and int number ? _records[number].Value : default;

    internal TableWrite Set(ReadOnlySpan<byte> key, uint hash, ReadOnlySpan<byte> value)
    {
        TableWrite written = Write(key, hash, _pages.Append(value));
        if (_pages.Bytes > (2 * ContentBytes) + ReplacedBytesMin)
        {
            LeaveReplaced();
        }

        return written;
    }

    /// <summary>Notes in a layer above others that a key is not there.</summary>
    internal TableWrite SetGone(ReadOnlySpan<byte> key, uint hash) => Write(key, hash, TableBytes.Gone);

    /// <param name="key">Copied if it is new.</param>
    /// <param name="hash">Its hash.</param>
    /// <param name="value">In a page already; absent to remove the key.</param>
    private TableWrite Write(ReadOnlySpan<byte> key, uint hash, TableBytes value)
    {
        int number = _slots.Find(key, hash, out int slot);
        if (number < 0)
        {
            return value.IsAbsent ? default : Add(key, hash, slot, value);
        }

        ref TableRecord record = ref _records[number];
        var written = new TableWrite(record.Key, record.Value, value);
        record.Value = value;
        ContentBytes += value.Length - written.Before.Length;
        NoteChange(ref record);
        if (value.IsAbsent)
        {
            ContentBytes -= key.Length;
            Count--;
            _slots.Vacate(slot);
            _sorted.Remove(number);
        }

        return written;
    }

    private TableWrite Add(ReadOnlySpan<byte> key, uint hash, int slot, TableBytes value)
    {
        TableBytes kept = _pages.Append(key);
        int number = _records.Add(kept, value);
        _slots.Fill(slot, hash, number);
        _sorted.Insert(number);
        ContentBytes += key.Length + value.Length;
        Count++;
        NoteChange(ref _records[number]);
        return new TableWrite(kept, default, value);
    }

    private void NoteChange(ref TableRecord record)
    {
        if (_tracksChanges && !record.IsChanged)
        {
            record.IsChanged = true;
            _changed.Add(record.Key);
        }
    }

    /// <summary>Copies what is needed into new pages: more than half of the old ones are values that were replaced.</summary>
    private void LeaveReplaced()
    {
        _pages = new BytePages();
        foreach (int number in _sorted.All())
        {
            ref TableRecord record = ref _records[number];
            record.Key = _pages.Append(record.Key.Span);
            record.Value = record.Value.IsGone ? record.Value : _pages.Append(record.Value.Span);
        }
    }

    private sealed class Cursor : TableCursor
    {
        private readonly MemoryTable _table;
        private readonly byte[] _from;
        private readonly byte[] _to;
        private (int Block, int Index) _place;
        private uint _structure;

        internal Cursor(MemoryTable table, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
        {
            _table = table;
            _from = from.ToArray();
            _to = to.ToArray();
            _structure = table._sorted.Structure;
            _place = table._sorted.Seek(from);
        }

        public override bool MoveNext()
        {
            SortedRecords sorted = _table._sorted;
            bool isAtKey = !KeyBytes.IsAbsent;
            if (_structure != sorted.Structure)
            {
                _structure = sorted.Structure;
                _place = sorted.Seek(isAtKey ? KeyBytes.Span : _from);
                isAtKey &= sorted.At(ref _place) is >= 0 and int found && _table._records[found].Key == KeyBytes;
            }

            _place.Index += isAtKey ? 1 : 0;
            int next = sorted.At(ref _place);
            if (next < 0)
            {
                return false;
            }

            TableRecord record = _table._records[next];
            return (_to.Length == 0 || record.Key.Span.SequenceCompareTo(_to) < 0) && StandAt(record.Key, record.Value);
        }
    }
}
