using System.Buffers;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Storage;
using Cairn.Storage.Journaling;

namespace Cairn.Node.Logs;

/// <summary>A transaction that is in the journal and in no block yet.</summary>
internal readonly record struct Unsealed(Transaction Transaction, JournalPosition Position, int EncodedBytes);

/// <summary>This node's own log: its incarnation, and what waits to be sealed.</summary>
/// <remarks>
/// Invariants: unsealed transactions follow the sealed ones without a gap, incarnation by incarnation, unless damage
/// took the end of the log (<see cref="OwnLogEnds"/>); each is in the journal. Thread: under the log's gate.
/// </remarks>
internal sealed class OwnLog(JournalWriter journal)
{
    private readonly List<Unsealed> _unsealed = [];
    private readonly ArrayBufferWriter<byte> _encoding = new(4096);

    /// <summary>Where new transactions go.</summary>
    public LogId Current { get; set; }

    /// <summary>How many wait.</summary>
    public int UnsealedCount => _unsealed.Count;

    /// <summary>What waits, oldest first.</summary>
    public IReadOnlyList<Unsealed> Waiting => _unsealed;

    /// <summary>Writes a transaction to the journal and lets it wait for its block.</summary>
    public Result<Unit, StoreError> Append(Transaction transaction, VersionId endedLayer)
    {
        _encoding.ResetWrittenCount();
        TransactionCodec.Encode(transaction, _encoding);
        if (_encoding.WrittenCount > Transaction.EncodedBytesMax)
        {
            return new StoreError(
                StoreErrorKind.TooLarge, "journal", $"a transaction of {_encoding.WrittenCount} bytes");
        }

        var entry = new JournalEntry
        {
            Type = JournalEntryType.Transaction,
            Layer = endedLayer,
            Offset = transaction.Id.Log.Incarnation,
            Length = (long)transaction.Id.Seq,
            Time = transaction.Claimed,
        };
        Result<JournalPosition, StoreError> appended = journal.Append(entry, _encoding.WrittenSpan, out _);
        if (!appended.TryGet(out JournalPosition position, out StoreError error))
        {
            return error;
        }

        _unsealed.Add(new Unsealed(transaction, position, _encoding.WrittenCount));
        return Unit.Value;
    }

    /// <summary>A recovered transaction that is in no block.</summary>
    public void Restore(Transaction transaction, RecoveredRecord record) =>
        _unsealed.Add(new Unsealed(transaction, record.Position, record.Payload.Length));

    /// <summary>The oldest waiting transactions that fit one block; all of one incarnation.</summary>
    public Transaction[] TakeForBlock()
    {
        int bytes = 0;
        int count = 0;
        LogId log = _unsealed[0].Transaction.Id.Log;
        while (count < _unsealed.Count && _unsealed[count].Transaction.Id.Log == log
            && (count == 0 || bytes + _unsealed[count].EncodedBytes <= Transaction.EncodedBytesMax))
        {
            bytes += _unsealed[count].EncodedBytes;
            count++;
        }

        var taken = new Transaction[count];
        for (int i = 0; i < count; i++)
        {
            taken[i] = _unsealed[i].Transaction;
        }

        return taken;
    }

    /// <summary>Some wait no longer: their journal records go.</summary>
    /// <returns>How many.</returns>
    public int Drop(Predicate<TransactionId> which)
    {
        foreach (Unsealed waiting in _unsealed.Where(waiting => which(waiting.Transaction.Id)))
        {
            journal.Journal.Release(waiting.Position);
        }

        return _unsealed.RemoveAll(waiting => which(waiting.Transaction.Id));
    }

    /// <summary>The oldest are in a durable block now: their journal records go.</summary>
    public void Sealed(int count)
    {
        for (int i = 0; i < count; i++)
        {
            journal.Journal.Release(_unsealed[i].Position);
        }

        _unsealed.RemoveRange(0, count);
    }
}
