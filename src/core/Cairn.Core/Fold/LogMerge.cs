using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Fold;

/// <summary>Whole logs side by side: gives their transactions in the total order, each log read as far as needed.</summary>
/// <remarks>
/// It holds one transaction of each log. The first in the order is always the head of a log: what a transaction depends
/// on comes before it. Who takes them in this order never lets one wait, and undoes none. A pool has a log for every run of a node that
/// ended badly: so heads that have a place stand in a queue, and the others under what they wait for. One reader; not thread-safe.
/// </remarks>
public sealed class LogMerge : IDisposable
{
    private readonly List<Head> _heads = [];
    private readonly List<Head> _toPlace = [];
    private readonly PriorityQueue<Head, TransactionOrder> _placed = new();
    private readonly Dictionary<TransactionId, List<Filed>> _blocked = [];
    private readonly List<Filed> _placeless = [];
    private FoldLogs? _accepted;
    private long _acceptedCount;
    private TransactionId _taken;

    /// <summary>Begins to read.</summary>
    /// <param name="logs">Each log's transactions in their order.</param>
    public LogMerge(IEnumerable<IEnumerable<Transaction>> logs)
    {
        foreach (IEnumerable<Transaction> log in logs)
        {
            Head head = new(log.GetEnumerator());
            _heads.Add(head);
            if (MoveOn(head))
            {
                _toPlace.Add(head);
            }
        }
    }

    /// <summary>Whether every log was read to its end.</summary>
    public bool IsAtEnd => _heads.Count == 0;

    /// <inheritdoc/>
    public void Dispose()
    {
        _heads.ForEach(static head => head.Log.Dispose());
        _heads.Clear();
    }

    /// <summary>Takes the next transaction in the order; null when there is none whose dependencies are accepted.</summary>
    /// <param name="accepted">What was taken before; what it has already is passed over.</param>
    /// <param name="order">The place of the transaction.</param>
    internal Transaction? Next(FoldLogs accepted, out TransactionOrder order)
    {
        LookAgain(accepted);
        while (true)
        {
            foreach (Head head in _toPlace)
            {
                Place(head, accepted);
            }

            _toPlace.Clear();
            if (!_placed.TryDequeue(out Head? first, out order))
            {
                return null;
            }

            if (!accepted.Has(first.At.Id) && accepted.OrderOf(first.At) == order)
            {
                return Take(first);
            }

            _toPlace.Add(first);
        }
    }

    /// <summary>Takes a transaction that has no place: what it depends on is in none of the logs, or forgotten.</summary>
    /// <param name="canWait">False: only one of which that is forgotten. The others may get a place yet.</param>
    internal Transaction? NextWithoutPlace(bool canWait) => IsAtEnd ? null
        : canWait ? Take(_heads[0])
        : _placeless.Find(static filed => filed.IsHead) is { Head: { } head } ? Take(head)
        : null;

    private Transaction Take(Head head)
    {
        Transaction taken = head.At;
        _taken = taken.Id;
        if (MoveOn(head))
        {
            _toPlace.Add(head);
        }

        return taken;
    }

    /// <summary>Those that waited for what was accepted since the last time are placed anew.</summary>
    private void LookAgain(FoldLogs accepted)
    {
        long count = accepted.AcceptedCount - _acceptedCount;
        bool isOne = ReferenceEquals(_accepted, accepted) && (count == 0 || (count == 1 && accepted.Has(_taken)));
        (_accepted, _acceptedCount) = (accepted, accepted.AcceptedCount);
        if (isOne)
        {
            if (_blocked.Remove(_taken, out List<Filed>? woken))
            {
                Unfile(woken);
            }

            return;
        }

        // What had waited elsewhere was accepted, too.
        foreach (List<Filed> waiting in _blocked.Values)
        {
            Unfile(waiting);
        }

        Unfile(_placeless);
        _blocked.Clear();
        _placeless.Clear();
    }

    private void Unfile(List<Filed> filed) =>
        _toPlace.AddRange(filed.Where(static one => one.IsHead).Select(static one => one.Head));

    private void Place(Head head, FoldLogs accepted)
    {
        if (!PassOver(head, accepted))
        {
            return;
        }

        Filed filed = new(head, head.At);
        if (accepted.MissingOf(head.At) is { } missing)
        {
            if (!_blocked.TryGetValue(missing, out List<Filed>? waiting))
            {
                _blocked.Add(missing, waiting = []);
            }

            waiting.Add(filed);
        }
        else if (accepted.OrderOf(head.At) is { } place)
        {
            _placed.Enqueue(head, place);
        }
        else
        {
            _placeless.Add(filed);
        }
    }

    /// <summary>Moves on to what is not accepted yet; false when nothing of the log is left.</summary>
    private bool PassOver(Head head, FoldLogs accepted)
    {
        while (accepted.Has(head.At.Id))
        {
            if (!MoveOn(head))
            {
                return false;
            }
        }

        return true;
    }

    private bool MoveOn(Head head)
    {
        if (head.Log.MoveNext())
        {
            head.At = head.Log.Current;
            return true;
        }

        head.IsEnded = true;
        _heads.Remove(head);
        head.Log.Dispose();
        return false;
    }

    /// <summary>A log, and the first of its transactions that was not taken.</summary>
    private sealed class Head(IEnumerator<Transaction> log)
    {
        public IEnumerator<Transaction> Log { get; } = log;

        public Transaction At { get; set; } = null!;

        public bool IsEnded { get; set; }
    }

    /// <summary>A head that could not be placed when it was looked at; it may have been taken since.</summary>
    private readonly record struct Filed(Head Head, Transaction At)
    {
        public bool IsHead => !Head.IsEnded && ReferenceEquals(Head.At, At);
    }
}
