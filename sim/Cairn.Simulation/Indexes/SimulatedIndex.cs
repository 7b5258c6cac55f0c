using Cairn.Core.Primitives;
using Cairn.Node.Ports;

namespace Cairn.Simulation.Indexes;

/// <summary>A durable index in memory: what was applied survives any end of the process; on request it fails or goes back.</summary>
/// <remarks>Disposing it ends the process's use, not the data. Threads: safe from several.</remarks>
public sealed class SimulatedIndex : IIndexStore
{
    private readonly Lock _gate = new();
    private SortedList<byte[], byte[]> _records = new(ByteOrder.Instance);
    private long _bytes;

    /// <summary>When set, every call fails with these words.</summary>
    public string? Failure { get; set; }

    /// <summary>When set, every change fails with these words, and reads do not.</summary>
    public string? WriteFailure { get; set; }

    /// <summary>How many changes failed so.</summary>
    public int WritesRefused { get; private set; }

    /// <summary>So many more changes succeed, and then none: what a crash in the middle leaves. Null: all do.</summary>
    public int? AppliesLeft { get; set; }

    /// <summary>How many records the largest change had.</summary>
    public int LargestApply { get; private set; }

    /// <summary>How many single keys were asked for.</summary>
    public long GetCount { get; private set; }

    /// <summary>How many scans were asked for.</summary>
    public long ScanCount { get; private set; }

    /// <summary>How many keys there are.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _records.Count;
            }
        }
    }

    /// <inheritdoc/>
    public long Bytes
    {
        get
        {
            lock (_gate)
            {
                return _bytes;
            }
        }
    }

    /// <inheritdoc/>
    public Result<byte[]?, IndexError> Get(ReadOnlySpan<byte> key)
    {
        lock (_gate)
        {
            GetCount++;
            return Failure is { } failure ? new IndexError(failure)
                : _records.TryGetValue(key.ToArray(), out byte[]? value) ? value : Result<byte[]?, IndexError>.Ok(null);
        }
    }

    /// <inheritdoc/>
    public Result<IReadOnlyList<KeyValuePair<byte[], byte[]>>, IndexError> Scan(
        ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, int limit)
    {
        lock (_gate)
        {
            ScanCount++;
            if (Failure is { } failure)
            {
                return new IndexError(failure);
            }

            var found = new List<KeyValuePair<byte[], byte[]>>();
            for (int i = FirstAtOrAfter(from); i < _records.Count && found.Count < limit; i++)
            {
                byte[] key = _records.GetKeyAtIndex(i);
                if (!to.IsEmpty && key.AsSpan().SequenceCompareTo(to) >= 0)
                {
                    break;
                }

                found.Add(new(key, _records.GetValueAtIndex(i)));
            }

            return found;
        }
    }

    /// <inheritdoc/>
    public Result<Unit, IndexError> Apply(IEnumerable<IndexChange> changes)
    {
        lock (_gate)
        {
            if ((Failure ?? WriteFailure) is { } failure)
            {
                WritesRefused++;
                return new IndexError(failure);
            }

            if (AppliesLeft-- <= 0)
            {
                return new IndexError("the end came before this change");
            }

            int count = 0;
            foreach (IndexChange change in changes)
            {
                count++;
                Put(change.Key.ToArray(), change.Value?.ToArray());
            }

            LargestApply = Math.Max(LargestApply, count);
            return Unit.Value;
        }
    }

    /// <inheritdoc/>
    public Result<Unit, IndexError> Sync() =>
        (Failure ?? WriteFailure) is { } failure ? new IndexError(failure) : Unit.Value;

    /// <inheritdoc/>
    public Result<IIndexStore, IndexError> View()
    {
        SimulatedIndex view = Clone();
        view.AppliesLeft = 0;
        return view;
    }

    /// <inheritdoc/>
    public Result<Unit, IndexError> Clear()
    {
        lock (_gate)
        {
            Failure = null;
            _records.Clear();
            _bytes = 0;
            return Unit.Value;
        }
    }

    /// <summary>A copy with a life of its own: to go back to, or for trying several ends of one story.</summary>
    public SimulatedIndex Clone()
    {
        lock (_gate)
        {
            var records = new SortedList<byte[], byte[]>(_records, ByteOrder.Instance);
            return new SimulatedIndex { _records = records, _bytes = _bytes };
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private void Put(byte[] key, byte[]? value)
    {
        int at = _records.IndexOfKey(key);
        if (at < 0 && value is not null)
        {
            _records.Add(key, value);
            _bytes += key.Length + value.Length;
        }
        else if (at >= 0 && value is not null)
        {
            _bytes += value.Length - _records.GetValueAtIndex(at).Length;
            _records.SetValueAtIndex(at, value);
        }
        else if (at >= 0)
        {
            _bytes -= key.Length + _records.GetValueAtIndex(at).Length;
            _records.RemoveAt(at);
        }
    }

    private int FirstAtOrAfter(ReadOnlySpan<byte> key)
    {
        int low = 0;
        int high = _records.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            (low, high) = _records.GetKeyAtIndex(middle).AsSpan().SequenceCompareTo(key) < 0
                ? (middle + 1, high)
                : (low, middle);
        }

        return low;
    }

    private sealed class ByteOrder : IComparer<byte[]>
    {
        public static ByteOrder Instance { get; } = new();

        public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
    }
}
