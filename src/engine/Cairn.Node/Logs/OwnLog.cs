using System.Buffers;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Storage;
using Cairn.Storage.Journaling;

namespace Cairn.Node.Logs;

/// <summary>A transaction that is in the journal and in no block here.</summary>
/// <param name="Transaction">What it says.</param>
/// <param name="Position">Its record in the journal.</param>
/// <param name="EncodedBytes">What it takes in a block.</param>
/// <param name="Ended">The draft layer it makes void.</param>
internal readonly record struct Unsealed(
    Transaction Transaction, JournalPosition Position, int EncodedBytes, EndedLayer Ended);

/// <summary>This node's own log: its incarnation, what waits to be sealed, and what waits for peers to say what they hold.</summary>
/// <remarks>
/// Invariants: unsealed transactions follow the sealed ones without a gap, incarnation by incarnation; each is in the
/// journal. Those in doubt are in the journal too, in no fold, and are never sealed under the number they have.
/// Thread: under the log's gate.
/// </remarks>
internal sealed class OwnLog(JournalWriter journal)
{
    private readonly List<Unsealed> _unsealed = [];
    private readonly List<Unsealed> _doubtful = [];
    private readonly ArrayBufferWriter<byte> _encoding = new(4096);

    /// <summary>Where new transactions go.</summary>
    public LogId Current { get; set; }

    /// <summary>How many wait.</summary>
    public int UnsealedCount => _unsealed.Count;

    /// <summary>What waits, oldest first.</summary>
    public IReadOnlyList<Unsealed> Waiting => _unsealed;

    /// <summary>Journaled transactions of logs whose end was lost here, oldest first: peers may hold them in blocks.</summary>
    public IReadOnlyList<Unsealed> Doubtful => _doubtful;

    /// <summary>The last transaction of the current log that was in a block here once.</summary>
    /// <param name="last">The last that was written.</param>
    public ulong LastSealed(ulong last)
    {
        int first = _unsealed.FindIndex(unsealed => unsealed.Transaction.Id.Log == Current);
        return first < 0 ? last : _unsealed[first].Transaction.Id.Seq - 1;
    }

    /// <summary>Writes a transaction to the journal and lets it wait for its block.</summary>
    public Result<Unit, StoreError> Append(Transaction transaction, EndedLayer ended)
    {
        if (!Write(transaction, ended).TryGet(out Unsealed written, out StoreError error))
        {
            return error;
        }

        _unsealed.Add(written);
        return Unit.Value;
    }

    /// <summary>Writes a transaction to the journal.</summary>
    public Result<Unsealed, StoreError> Write(Transaction transaction, EndedLayer ended)
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
            Layer = ended.Layer,
            Offset = transaction.Id.Log.Incarnation,
            Length = (long)transaction.Id.Seq,
            Time = transaction.Claimed,
        };
        Result<JournalPosition, StoreError> appended = journal.Append(entry, _encoding.WrittenSpan, out _);
        return appended.TryGet(out JournalPosition position, out StoreError error)
            ? new Unsealed(transaction, position, _encoding.WrittenCount, ended)
            : error;
    }

    /// <summary>A recovered transaction that is in no block and continues its log.</summary>
    public void Restore(in Unsealed recovered) => _unsealed.Add(recovered);

    /// <summary>A recovered transaction that peers may hold in a block that was lost here.</summary>
    public void Doubt(in Unsealed recovered) => _doubtful.Add(recovered);

    /// <summary>A block from a peer holds transactions of a log up to here: their journal records go.</summary>
    public void Cover(LogId log, ulong lastSeq)
    {
        ReleaseCovered(_unsealed, log, lastSeq);
        ReleaseCovered(_doubtful, log, lastSeq);
    }

    /// <summary>Takes out what waits to be sealed into a log; the journal keeps it until it is written again.</summary>
    public List<Unsealed> TakeUnsealed(LogId log)
    {
        List<Unsealed> taken = [.. _unsealed.Where(unsealed => unsealed.Transaction.Id.Log == log)];
        _unsealed.RemoveAll(unsealed => unsealed.Transaction.Id.Log == log);
        return taken;
    }

    /// <summary>Takes out what is in doubt; the journal keeps it until it is written again.</summary>
    public List<Unsealed> TakeDoubtful()
    {
        List<Unsealed> taken = [.. _doubtful];
        _doubtful.Clear();
        return taken;
    }

    /// <summary>What was taken out was written again under another number.</summary>
    public void Rewritten(in Unsealed old) => Release(old);

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

    /// <summary>The oldest are in a durable block now: their journal records go.</summary>
    public void Sealed(int count)
    {
        for (int i = 0; i < count; i++)
        {
            Release(_unsealed[i]);
        }

        _unsealed.RemoveRange(0, count);
    }

    private void Release(in Unsealed done) => journal.Journal.Release(done.Position, done.Ended.Begun);

    private void ReleaseCovered(List<Unsealed> list, LogId log, ulong lastSeq)
    {
        bool IsCovered(Unsealed waiting) => waiting.Transaction.Id.Log == log && waiting.Transaction.Id.Seq <= lastSeq;
        foreach (Unsealed covered in list.Where(IsCovered))
        {
            Release(covered);
        }

        list.RemoveAll(IsCovered);
    }
}
