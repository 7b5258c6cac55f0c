using Cairn.Core.Primitives;

namespace Cairn.Core.Fold;

/// <summary>
/// A table over a source that it never writes: changes stay above it until they are taken and persisted there.
/// </summary>
/// <remarks>
/// Layers, the first that knows a key answers: the changes since the last taking, the changes being persisted, a
/// bounded
/// cache of what the source said (absence included), the source. A filter over the source's keys spares it most
/// questions
/// about keys it does not have: every new name and every new object asks one.
/// </remarks>
public sealed class OverlayTable : IPersistedTable
{
    private static readonly byte[] Absent = new byte[1];

    private readonly ITableSource _source;
    private readonly long _cacheBytesMax;
    private ReadCache _cache;
    private KeyFilter? _filter;
    private MemoryTable _changes = new();
    private MemoryTable? _taken;
    private uint _mutations;

    /// <summary>Nothing changed yet.</summary>
    /// <param name="source">What is below.</param>
    /// <param name="cacheBytesMax">How much of the source to remember; 0 for none.</param>
    /// <param name="learnKeysMax">
    /// The source is read through once, to warm the cache and to learn which keys it has, unless it has more than so
    /// many
    /// (the time of one scan, 2 bytes a key); 0 for not at all.
    /// </param>
    public OverlayTable(ITableSource source, long cacheBytesMax, int learnKeysMax = 1_000_000)
    {
        _source = source;
        _cacheBytesMax = cacheBytesMax;
        _cache = new ReadCache(cacheBytesMax);
        _filter = learnKeysMax > 0 ? Learn(learnKeysMax) : null;
    }

    /// <inheritdoc/>
    public int ChangeCount => _changes.Count;

    /// <inheritdoc/>
    public byte[]? Get(ReadOnlySpan<byte> key) => Get(key, TableKey.Hash(key));

    /// <inheritdoc/>
    public byte[]? Put(ReadOnlySpan<byte> key, byte[]? value) => Put(key, null, value);

    /// <inheritdoc/>
    public byte[]? Put(byte[] key, byte[]? value) => Put(key, key, value);

    /// <inheritdoc/>
    public TableCursor Scan(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to) => new Cursor(this, from, to);

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<byte[], byte[]?>> TakeChanges()
    {
        Invariant.That(_taken is null, "changes taken twice without being persisted");
        _mutations++;
        _taken = _changes;
        _changes = new MemoryTable();
        var taken = new List<KeyValuePair<byte[], byte[]?>>(_taken.Count);
        foreach (TableRecord record in _taken.Records())
        {
            taken.Add(new(record.Key, ReferenceEquals(record.Value, Absent) ? null : record.Value));
        }

        return taken;
    }

    /// <inheritdoc/>
    public void ChangesPersisted()
    {
        if (_taken is null)
        {
            return;
        }

        foreach (TableRecord record in _taken.Records())
        {
            _cache.Put(record);
            if (!ReferenceEquals(record.Value, Absent))
            {
                _filter?.Add(record.Hash);
            }
        }

        _mutations++;
        _taken = null;
    }

    /// <summary>Forgets all there is, taken changes among it: for a source that is emptied at the same moment.</summary>
    public void Clear()
    {
        _mutations++;
        (_changes, _taken) = (new MemoryTable(), null);
        _cache = new ReadCache(_cacheBytesMax);
        _filter = new KeyFilter();
    }

    private byte[]? Put(ReadOnlySpan<byte> key, byte[]? owned, byte[]? value)
    {
        uint hash = TableKey.Hash(key);
        byte[]? before = Get(key, hash);
        if (before is not null || value is not null)
        {
            _mutations++;
            _changes.Put(key, owned, hash, value ?? Absent);
        }

        return before;
    }

    private byte[]? Get(ReadOnlySpan<byte> key, uint hash)
    {
        byte[]? value = _changes.Get(key, hash) ?? _taken?.Get(key, hash) ?? _cache.Get(key, hash);
        if (value is null)
        {
            if (_filter?.MayContain(hash) == false)
            {
                return null;
            }

            value = _source.Get(key) ?? Absent;
            _cache.Put(new TableRecord(key.ToArray(), hash, value));
        }

        return ReferenceEquals(value, Absent) ? null : value;
    }

    private KeyFilter? Learn(int keysMax)
    {
        var filter = new KeyFilter();
        TableCursor cursor = _source.Scan([], []);
        for (int keys = 0; cursor.MoveNext(); keys++)
        {
            if (keys == keysMax)
            {
                return null;
            }

            uint hash = TableKey.Hash(cursor.Key);
            filter.Add(hash);
            if (!_cache.IsFull)
            {
                _cache.Put(new TableRecord(cursor.Key, hash, cursor.Value));
            }
        }

        return filter;
    }

    /// <summary>Merges the layers; the upper one wins, an absent key is passed over.</summary>
    private sealed class Cursor : TableCursor
    {
        private readonly OverlayTable _table;
        private readonly byte[] _to;
        private readonly byte[] _from;
        private TableCursor[] _layers;
        private bool[] _has;
        private uint _mutations;
        private byte[]? _key;
        private byte[]? _value;

        internal Cursor(OverlayTable table, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
        {
            _table = table;
            _from = from.ToArray();
            _to = to.ToArray();
            _mutations = table._mutations;
            (_layers, _has) = Open(from);
        }

        public override byte[] Key => _key!;

        public override byte[] Value => _value!;

        public override bool MoveNext()
        {
            if (_mutations != _table._mutations)
            {
                // What was read ahead may be stale: go on after the last key.
                _mutations = _table._mutations;
                (_layers, _has) = Open(_key is null ? _from : [.. _key, 0]);
            }

            while (Lowest() is >= 0 and int lowest)
            {
                byte[] key = _layers[lowest].Key;
                byte[] value = _layers[lowest].Value;
                for (int i = lowest; i < _layers.Length; i++)
                {
                    if (_has[i] && _layers[i].Key.AsSpan().SequenceEqual(key))
                    {
                        _has[i] = _layers[i].MoveNext();
                    }
                }

                if (!ReferenceEquals(value, Absent))
                {
                    (_key, _value) = (key, value);
                    return true;
                }
            }

            return false;
        }

        private (TableCursor[] Layers, bool[] Has) Open(ReadOnlySpan<byte> from)
        {
            var layers = new List<TableCursor> { _table._changes.Scan(from, _to) };
            if (_table._taken is not null)
            {
                layers.Add(_table._taken.Scan(from, _to));
            }

            layers.Add(_table._source.Scan(from, _to));
            return ([.. layers], [.. layers.Select(layer => layer.MoveNext())]);
        }

        /// <summary>The layer with the lowest key, the upper one of equals; -1 at the end.</summary>
        private int Lowest()
        {
            int lowest = -1;
            for (int i = 0; i < _layers.Length; i++)
            {
                if (_has[i] && (lowest < 0 || _layers[i].Key.AsSpan().SequenceCompareTo(_layers[lowest].Key) < 0))
                {
                    lowest = i;
                }
            }

            return lowest;
        }
    }
}
