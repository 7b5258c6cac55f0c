using Cairn.Core.Log;

namespace Cairn.Core.Fold;

/// <summary>Whole logs side by side: gives their transactions in the total order, each log read as far as needed.</summary>
/// <remarks>
/// It holds one transaction of each log. The first in the order is always the head of a log: what a transaction depends
/// on comes before it. Who takes them in this order never lets one wait, and undoes none. One reader; not thread-safe.
/// </remarks>
public sealed class LogMerge : IDisposable
{
    private readonly List<IEnumerator<Transaction>> _heads = [];

    /// <summary>Begins to read.</summary>
    /// <param name="logs">Each log's transactions in their order.</param>
    public LogMerge(IEnumerable<IEnumerable<Transaction>> logs)
    {
        foreach (IEnumerable<Transaction> log in logs)
        {
            IEnumerator<Transaction> head = log.GetEnumerator();
            _heads.Add(head);
            MoveOn(head);
        }
    }

    /// <summary>Whether every log was read to its end.</summary>
    public bool IsAtEnd => _heads.Count == 0;

    /// <inheritdoc/>
    public void Dispose()
    {
        _heads.ForEach(static head => head.Dispose());
        _heads.Clear();
    }

    /// <summary>Takes the next transaction in the order; null when there is none whose dependencies are accepted.</summary>
    /// <param name="accepted">What was taken before; what it has already is passed over.</param>
    /// <param name="order">The place of the transaction.</param>
    internal Transaction? Next(FoldLogs accepted, out TransactionOrder order)
    {
        IEnumerator<Transaction>? first = null;
        order = default;
        for (int i = _heads.Count - 1; i >= 0; i--)
        {
            IEnumerator<Transaction> head = _heads[i];
            if (PassOver(head, accepted) && accepted.MissingOf(head.Current) is null
                && accepted.OrderOf(head.Current) is { } place && (first is null || place < order))
            {
                (first, order) = (head, place);
            }
        }

        return first is null ? null : Take(first);
    }

    /// <summary>Takes a transaction that has no place yet: what it depends on is in none of the logs, or forgotten.</summary>
    internal Transaction? NextWithoutPlace() => IsAtEnd ? null : Take(_heads[0]);

    private Transaction Take(IEnumerator<Transaction> head)
    {
        Transaction taken = head.Current;
        MoveOn(head);
        return taken;
    }

    /// <summary>Moves on to what is not accepted yet; false when nothing of the log is left.</summary>
    private bool PassOver(IEnumerator<Transaction> head, FoldLogs accepted)
    {
        while (accepted.Has(head.Current.Id))
        {
            if (!MoveOn(head))
            {
                return false;
            }
        }

        return true;
    }

    private bool MoveOn(IEnumerator<Transaction> head)
    {
        if (head.MoveNext())
        {
            return true;
        }

        _heads.Remove(head);
        head.Dispose();
        return false;
    }
}
