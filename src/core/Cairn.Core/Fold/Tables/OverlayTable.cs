using Cairn.Core.Primitives;

namespace Cairn.Core.Fold.Tables;

/// <summary>
/// A table over a source that it never writes: changes stay above it until they are taken and persisted there.
/// </summary>
/// <remarks>
/// Layers, the first that knows a key answers: the changes since the last taking, the changes being persisted, a
/// bounded cache of what the source said (absence included), the source. A filter over the source's keys spares it most
/// questions about keys it does not have: every new name and every new object asks one.
/// </remarks>
public sealed class OverlayTable : IPersistedTable
{
    private readonly ITableSource _source;
    private readonly long _cacheBytesMax;
    private readonly int _learnKeysMax;
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
    /// many (the time of one scan, 2 bytes a key); 0 for not at all.
    /// </param>
    public OverlayTable(ITableSource source, long cacheBytesMax, int learnKeysMax = 1_000_000)
    {
        _source = source;
        (_cacheBytesMax, _learnKeysMax) = (cacheBytesMax, learnKeysMax);
        _cache = new ReadCache(cacheBytesMax);
        _filter = Learn();
    }

    /// <inheritdoc/>
    public int ChangeCount => _changes.Count;

    /// <inheritdoc/>
    public TableBytes Find(ReadOnlySpan<byte> key)
    {
        uint hash = TableKey.Hash(key);
        TableBytes changed = _changes.Find(key, hash);
        return changed.IsAbsent ? FindBelow(key, hash) : Shown(changed);
    }

    /// <inheritdoc/>
    public TableWrite Set(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        uint hash = TableKey.Hash(key);
        _mutations++;
        TableWrite written = _changes.Set(key, hash, value);
        return written with { Before = written.Before.IsAbsent ? FindBelow(key, hash) : Shown(written.Before) };
    }

    /// <inheritdoc/>
    public TableWrite Remove(ReadOnlySpan<byte> key)
    {
        TableBytes before = Find(key);
        if (before.IsAbsent)
        {
            return default;
        }

        _mutations++;
        return new TableWrite(_changes.SetGone(key, TableKey.Hash(key)).Key, before, default);
    }

    /// <inheritdoc/>
    public void Drop(ReadOnlySpan<byte> key)
    {
        _mutations++;
        _changes.SetGone(key, TableKey.Hash(key));
    }

    /// <inheritdoc/>
    public TableCursor Scan(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to) => new Cursor(this, from, to);

    /// <inheritdoc/>
    public IReadOnlyList<TableChange> TakeChanges()
    {
        Invariant.That(_taken is null, "changes taken twice without being persisted");
        _mutations++;
        _taken = _changes;
        _changes = new MemoryTable();
        var taken = new List<TableChange>(_taken.Count);
        taken.AddRange(_taken.Records().Select(static record => new TableChange(record.Key, Shown(record.Value))));
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
            uint hash = TableKey.Hash(record.Key.Span);
            TableBytes value = Shown(record.Value);
            _cache.Put(record.Key.Span, hash, value);
            if (!value.IsAbsent)
            {
                _filter?.Add(hash);
            }
        }

        _mutations++;
        _taken = null;
    }

    /// <summary>Every key changed since the last taking with its value now, sorted; they go on being so.</summary>
    internal IEnumerable<TableChange> Changes() =>
        _changes.Records().Select(static record => new TableChange(record.Key, Shown(record.Value)));

    /// <summary>Forgets all there is, taken changes among it: for a source that is emptied at the same moment.</summary>
    public void Clear()
    {
        _mutations++;
        (_changes, _taken) = (new MemoryTable(), null);
        _cache = new ReadCache(_cacheBytesMax);
        _filter = new KeyFilter();
    }

    /// <summary>Looks at the source again, which was filled while nothing was changed here.</summary>
    public void Reload()
    {
        Invariant.That(_changes.Count == 0 && _taken is null, "a source filled below changes");
        _mutations++;
        _cache = new ReadCache(_cacheBytesMax);
        _filter = Learn();
    }

    private static TableBytes Shown(TableBytes value) => value.IsGone ? default : value;

    /// <summary>What there is without the changes since the last taking.</summary>
    private TableBytes FindBelow(ReadOnlySpan<byte> key, uint hash)
    {
        TableBytes value = _taken?.Find(key, hash) ?? default;
        if (!value.IsAbsent)
        {
            return Shown(value);
        }

        if (_filter?.MayContain(hash) == false || _cache.TryFind(key, hash, out value))
        {
            return value;
        }

        value = _source.Find(key);
        _cache.Put(key, hash, value);
        return value;
    }

    private KeyFilter? Learn()
    {
        if (_learnKeysMax == 0)
        {
            return null;
        }

        var filter = new KeyFilter();
        TableCursor cursor = _source.Scan([], []);
        for (int keys = 0; cursor.MoveNext(); keys++)
        {
            if (keys == _learnKeysMax)
            {
                return null;
            }

            uint hash = TableKey.Hash(cursor.KeyBytes.Span);
            filter.Add(hash);
            if (!_cache.IsFull)
            {
                _cache.Put(cursor.KeyBytes.Span, hash, cursor.ValueBytes);
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
        internal Cursor(OverlayTable table, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
        {
            _table = table;
            _from = from.ToArray();
            _to = to.ToArray();
            _mutations = table._mutations;
            (_layers, _has) = Open(from);
        }

        public override bool MoveNext()
        {
            if (_mutations != _table._mutations)
            {
                // What was read ahead may be stale: go on after the last key.
                _mutations = _table._mutations;
                (_layers, _has) = Open(KeyBytes.IsAbsent ? _from : [.. KeyBytes.Span, 0]);
            }

            while (Lowest() is >= 0 and int lowest)
            {
                (TableBytes key, TableBytes value) = (_layers[lowest].KeyBytes, _layers[lowest].ValueBytes);
                for (int i = lowest; i < _layers.Length; i++)
                {
                    if (_has[i] && _layers[i].KeyBytes == key)
                    {
                        _has[i] = _layers[i].MoveNext();
                    }
                }

                if (!value.IsGone)
                {
                    return StandAt(key, value);
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

        private static bool IsBefore(TableCursor one, TableCursor other) =>
            one.KeyBytes.Span.SequenceCompareTo(other.KeyBytes.Span) < 0;

        /// <summary>The layer with the lowest key, the upper one of equals; -1 at the end.</summary>
        private int Lowest()
        {
            int lowest = -1;
            for (int i = 0; i < _layers.Length; i++)
            {
                if (_has[i] && (lowest < 0 || IsBefore(_layers[i], _layers[lowest])))
                {
                    lowest = i;
                }
            }

            return lowest;
        }
    }
}
