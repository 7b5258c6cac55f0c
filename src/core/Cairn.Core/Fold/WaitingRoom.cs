using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Fold;

/// <summary>Transactions that came before something they depend on, filed under what they wait for.</summary>
internal sealed class WaitingRoom
{
    private readonly Dictionary<TransactionId, List<Transaction>> _byMissing = [];
    private readonly Dictionary<TransactionId, TransactionId> _waiting = [];

    internal int Count => _waiting.Count;

    internal void Add(Transaction transaction, TransactionId missing)
    {
        if (!_waiting.TryAdd(transaction.Id, missing))
        {
            return;
        }

        if (!_byMissing.TryGetValue(missing, out List<Transaction>? list))
        {
            _byMissing.Add(missing, list = []);
        }

        list.Add(transaction);
    }

    /// <summary>Takes out those that waited for this one, in the order they came.</summary>
    internal List<Transaction>? Wake(TransactionId arrived)
    {
        if (_waiting.Count == 0 || !_byMissing.Remove(arrived, out List<Transaction>? woken))
        {
            return null;
        }

        foreach (Transaction transaction in woken)
        {
            _waiting.Remove(transaction.Id);
        }

        return woken;
    }

    /// <summary>What is waited for, in order, without what is itself waiting.</summary>
    internal List<TransactionId> Missing()
    {
        var missing = new List<TransactionId>(_byMissing.Keys);
        missing.RemoveAll(_waiting.ContainsKey);
        missing.Sort();
        return missing;
    }
}
