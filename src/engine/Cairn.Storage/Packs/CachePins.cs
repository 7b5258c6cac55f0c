using Cairn.Core.Primitives;

namespace Cairn.Storage.Packs;

/// <summary>Which records of the cache do not yield.</summary>
/// <remarks>
/// A mark on the record in memory, whatever its use: a pinned copy that placement wants no more is cached and stays. Marks are
/// not on the disk; whoever pins says so again after a start, and holds everything until then. Thread: any.
/// </remarks>
public sealed class CachePins
{
    private readonly object _gate;
    private readonly RecordIndex _index;

    internal CachePins(object gate, RecordIndex index)
    {
        _gate = gate;
        _index = index;
    }

    /// <summary>Bytes of cached records that are pinned.</summary>
    public long Bytes
    {
        get
        {
            lock (_gate)
            {
                return _index.PinnedBytes;
            }
        }
    }

    /// <summary>Whether nothing yields for now: it is not known yet what is pinned.</summary>
    public bool HoldsAll
    {
        get
        {
            lock (_gate)
            {
                return _index.HoldsCache;
            }
        }

        set
        {
            lock (_gate)
            {
                _index.HoldsCache = value;
            }
        }
    }

    /// <summary>Pins a record; false if it is not here.</summary>
    public bool Pin(RecordKey key)
    {
        lock (_gate)
        {
            int at = _index.Table.Find(key);
            if (at >= 0)
            {
                _index.SetPinned(at, true);
            }

            return at >= 0;
        }
    }

    /// <summary>Whether a record is here and pinned.</summary>
    public bool IsPinned(RecordKey key)
    {
        lock (_gate)
        {
            int at = _index.Table.Find(key);
            return at >= 0 && _index.Table[at].IsPinned;
        }
    }

    /// <summary>Unpins every record whose address is not among these. Walks the whole index.</summary>
    public void UnpinAllBut(IReadOnlySet<ChunkAddress> addresses)
    {
        lock (_gate)
        {
            for (int at = 0; at < _index.Table.IndexEnd; at++)
            {
                if (_index.Table.IsUsed(at) && _index.Table[at].IsPinned
                    && !addresses.Contains(_index.Table[at].Key.Address))
                {
                    _index.SetPinned(at, false);
                }
            }
        }
    }
}
