using System.Collections.Immutable;
using Cairn.Core.Fold;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Sync;
using Cairn.Storage;
using Cairn.Storage.Journaling;

namespace Cairn.Node.Logs;

/// <summary>Brings a fold up to what the log store and the journal hold, after any end of the last run.</summary>
/// <remarks>
/// (1) Find the end of every log. (2) Fold blocks the index has not seen. (3) Fold journaled transactions; those in no
/// block wait to be sealed. (4) After an unclean end, or damage to the own log, seal them and open a new
/// incarnation.
/// </remarks>
internal sealed class LogRecovery(ReplicatedLog log, LogPorts ports)
{
    private const int FoldBatch = 4096;

    private readonly List<JournalPosition> _unneeded = [];
    private readonly Dictionary<LogId, ulong> _known = [];

    /// <summary>Runs all steps.</summary>
    public Result<Unit, StoreError> Run(List<RecoveredRecord> journaled)
    {
        foreach (LogId id in ports.Blocks.Logs(log.Volume))
        {
            RestoreTip(id);
        }

        log.OwnEnds.Examine();

        bool isNew = log.Fold.Positions.Logs.Count == 0;
        Result<Unit, StoreError> folded = FoldBlocks();
        if (!folded.IsOk)
        {
            return folded;
        }

        FoldJournal(journaled);
        Invariant.That(
            IsIndexCovered(), "the index knows transactions that neither logs nor journal hold: rebuild it");

        // Only now is it sure that this run of the recovery stands: a second one would need the records again.
        foreach (JournalPosition position in _unneeded)
        {
            ports.Journal.Release(position);
        }

        // Peers may hold blocks that a damaged own log has lost: what is written next must not take their numbers.
        uint incarnation = LastOwnIncarnation();
        bool isSafe = ports.Recovered.WasClean && incarnation > 0 && log.OwnEnds.AreKnown;
        log.Own.Current = new LogId(ports.Identity.Node, isSafe ? incarnation : incarnation + 1);
        if (isNew)
        {
            log.Quarantine.Note(log.Fold.Table, log.Exchange.Positions);
        }
        else if (log.Quarantine.IsOutdated(log.Fold.Table, log.Exchange.Positions))
        {
            // The index was folded before this node heard of a revocation.
            Refold();
        }

        return Unit.Value;
    }

    /// <summary>Folds everything held again, to make room for something that belongs where nothing can be undone.</summary>
    /// <returns>Every key there is now. Called under the gate; as slow as the history is long.</returns>
    public IReadOnlyList<byte[]> Refold()
    {
        log.Fold.Alone = false;
        log.Fold.Reset();
        log.Quarantine.Note(log.Fold.Table, log.Exchange.Positions);
        FoldBlocks();
        log.Fold.Receive([.. log.Own.Waiting.Select(unsealed => unsealed.Transaction)]);
        var keys = new List<byte[]>();
        TableCursor cursor = log.Fold.Table.Scan([], [FoldKeys.Reserved]);
        while (cursor.MoveNext())
        {
            keys.Add(cursor.Key);
        }

        return keys;
    }

    /// <summary>The end of what can be read from the first block on: peers are asked for what follows.</summary>
    private void RestoreTip(LogId id)
    {
        ulong last = ports.Blocks.LastSeq(log.Volume, id);
        if (ports.Blocks.IsDamaged(log.Volume, id))
        {
            ulong whole = 0;
            BlockHash previous = default;
            while (whole < last && Read(id, whole + 1) is { } next && next.Block.Previous == previous)
            {
                previous = next.Hash;
                whole++;
            }

            last = whole;
        }

        for (ulong seq = last; seq > 0; seq--)
        {
            if (Read(id, seq) is { } block)
            {
                log.Exchange.Restore(id, new ChainTip(seq, block.Hash, block.Block.LastTransaction));
                return;
            }

            log.Report(id, $"block {seq} is damaged; peers are asked for it");
        }
    }

    private Result<Unit, StoreError> FoldBlocks()
    {
        var batch = new List<Transaction>();
        foreach ((LogId id, LogPosition tip) in log.Exchange.Positions.Logs)
        {
            // A restart folds only the tail: walk back to the first block the index has not seen, then forward.
            ulong known = log.Fold.LastOf(id);
            ulong first = tip.BlockSeq + 1;
            while (first > 1 && known < tip.TransactionSeq && LastBefore(id, first - 1) > known)
            {
                first--;
            }

            for (ulong seq = first; seq <= tip.BlockSeq; seq++)
            {
                if (Read(id, seq) is not { } block
                    || !BlockPayload.Open(log.Keys, block.Block).TryGet(out ImmutableArray<Transaction> run, out _))
                {
                    log.Report(id, $"block {seq} cannot be folded; peers are asked for it");
                    break;
                }

                batch.AddRange(log.Quarantine.Judge(id, seq, run));
                if (batch.Count >= FoldBatch)
                {
                    log.Fold.Receive(batch);
                    batch.Clear();
                }
            }
        }

        log.Fold.Receive(batch);
        return Unit.Value;
    }

    private void FoldJournal(List<RecoveredRecord> journaled)
    {
        foreach (RecoveredRecord record in journaled)
        {
            var id = new TransactionId(
                new LogId(ports.Identity.Node, (uint)record.Entry.Offset), (ulong)record.Entry.Length);
            if (id.Seq <= log.Exchange.TipOf(id.Log).TransactionSeq)
            {
                _unneeded.Add(record.Position);
                continue;
            }

            // A log that was cut short may have lost what stood between its end and this: a block has no gaps.
            bool follows = id.Seq == LastKnown(id.Log) + 1;
            if (!follows && !log.OwnEnds.IsLost(id.Log))
            {
                log.Report(id.Log, $"{id} follows a transaction that was lost; peers are asked for both");
                _unneeded.Add(record.Position);
                continue;
            }

            if (!log.JournalWriter.Open(record).TryGet(out byte[]? plain, out _)
                || !TransactionCodec.Decode(plain).TryGet(out Transaction? transaction, out _)
                || transaction.Id != id)
            {
                log.Report(id.Log, $"the journal's record of {id} cannot be opened; it and what follows it is lost");
                _unneeded.Add(record.Position);
                continue;
            }

            log.Fold.Receive(transaction);
            if (!follows)
            {
                // Peers may give back what is between, and this is in no block that they have.
                log.Own.Restore(transaction, record);
            }
            else if (log.Fold.LastOf(id.Log) >= id.Seq)
            {
                log.Own.Restore(transaction, record);
                _known[id.Log] = id.Seq;
            }
            else
            {
                log.Report(id.Log, $"{id} follows a transaction that was lost");
                _unneeded.Add(record.Position);
            }
        }
    }

    private bool IsIndexCovered()
    {
        foreach ((LogId id, LogPosition folded) in log.Fold.Positions.Logs)
        {
            if (folded.TransactionSeq > LastKnown(id))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The last transaction of a log up to which all are in blocks here, or wait to be sealed into one.</summary>
    private ulong LastKnown(LogId id) => Math.Max(log.Exchange.TipOf(id).TransactionSeq, _known.GetValueOrDefault(id));

    private uint LastOwnIncarnation()
    {
        uint last = 0;
        foreach ((LogId id, LogPosition _) in log.Fold.Positions.Logs)
        {
            last = id.Author == ports.Identity.Node ? Math.Max(last, id.Incarnation) : last;
        }

        foreach (LogId id in ports.Blocks.Logs(log.Volume))
        {
            last = id.Author == ports.Identity.Node ? Math.Max(last, id.Incarnation) : last;
        }

        return last;
    }

    private ulong LastBefore(LogId id, ulong seq) => seq == 0 ? 0 : Read(id, seq)?.Block.LastTransaction ?? 0;

    private (LogBlock Block, BlockHash Hash)? Read(LogId id, ulong seq) =>
        ports.Blocks.Read(log.Volume, id, seq).TryGet(out byte[]? encoded, out _)
        && LogBlockCodec.Decode(encoded).TryGet(out LogBlock? block, out _)
            ? (block, LogBlockCodec.Hash(encoded))
            : null;
}
