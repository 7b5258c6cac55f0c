using System.Collections.Immutable;
using Cairn.Core.Fold;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Sync;
using Cairn.Node.Logs.Checkpoints;
using Cairn.Storage;
using Cairn.Storage.Journaling;

namespace Cairn.Node.Logs.Recovery;

/// <summary>Brings a fold up to what the log store and the journal hold, after any end of the last run.</summary>
/// <remarks>
/// (1) Find the end of every log. (2) Fold blocks the index has not seen. (3) Fold journaled transactions that continue the
/// own log: they wait to be sealed; where the end of the own log was lost, peers may have them in blocks, so they wait for
/// the peers' word instead. (4) After an unclean end, or damage to the own log, open a new incarnation.
/// </remarks>
internal sealed class LogRecovery(ReplicatedLog log, LogPorts ports)
{
    /// <summary>So many are folded before it is asked whether to persist; they come in order, so more at once saves nothing.</summary>
    private const int FoldBatch = 512;

    private readonly List<(JournalPosition Position, JournalPosition After)> _unneeded = [];
    private bool _isLate;

    /// <summary>What an index, thrown away since, said of the own logs.</summary>
    public LostWork Lost { get; init; } = new();

    /// <summary>Where the draft layers begin that the journal still has.</summary>
    public IReadOnlyDictionary<VersionId, JournalPosition> Begun { get; init; } =
        new Dictionary<VersionId, JournalPosition>();

    /// <summary>Runs all steps.</summary>
    /// <returns>
    /// False, and nothing is taken from the journal: what was dropped cannot be had from anything here, so there is no tree
    /// to open.
    /// </returns>
    public bool Run(List<RecoveredRecord> journaled)
    {
        foreach (LogId id in Lost.Logs)
        {
            log.Report(id, "blocks that this node wrote are missing here; peers are asked for them");
        }

        foreach (LogId id in ports.Blocks.Logs(log.Volume))
        {
            RestoreTip(id);
        }

        log.Copied.NoteBlocks();
        bool isNew = log.Fold.Positions.Logs.Count == 0;
        Invariant.That(
            isNew || ports.NeedsNoPast || HasAllThatWasDropped(),
            "the index does not know all transactions whose blocks were dropped: rebuild it");
        if (!FindGround(isNew))
        {
            return false;
        }

        bool isOtherwise = log.RightsInForce.Renew(log.Fold) is null;
        if (isNew)
        {
            NoteRules();
        }

        FoldBlocks();
        FoldJournal(journaled);
        FindLost();
        if (!IsIndexCovered())
        {
            LogPositions? awaited = IsOutdated(isOtherwise) ? null : KeptIndex.Awaited(log, LastKnown);
            Invariant.That(
                awaited is not null, "the index knows transactions that neither logs nor journal hold: rebuild it");
            log.Repair.Await(awaited);
        }

        if (isNew)
        {
            log.Repair.Notes.NoteFolded();
        }

        // Only now is it sure that this run of the recovery stands: a second one would need the records again.
        foreach ((JournalPosition position, JournalPosition after) in _unneeded)
        {
            ports.Journal.Release(position, after);
        }

        ChooseOwn();

        // The index was folded by an older program, or before this node heard of a revocation or a limit; or a
        // transaction that was lost is back.
        if (_isLate)
        {
            log.Repair.Base.Reject();
        }

        if (IsOutdated(isOtherwise))
        {
            log.Repair.Run();
        }
        else
        {
            log.Repair.Base.Tell();
        }

        return true;
    }

    private bool IsOutdated(bool isOtherwise) =>
        _isLate || isOtherwise || FoldRules.IsOutdated(log.Fold.Table) || log.Repair.IsOutdated();

    /// <summary>Finds what the fold begins with, or goes on from, if blocks are not all there is of it.</summary>
    /// <returns>False: it is not here, and what is here without it is no tree.</returns>
    private bool FindGround(bool isNew)
    {
        if (isNew)
        {
            _ = log.Repair.Base.TryBegin(fold => log.RightsInForce.Renew(fold) is not null);
            if (IsPastLost())
            {
                return false;
            }
        }
        else
        {
            log.Repair.Base.Adopt();
        }

        foreach (LogId id in ports.Blocks.Logs(log.Volume).Where(HasLostBeginning))
        {
            BeginAgain(id);
        }

        return true;
    }

    /// <summary>Folds everything held again, to make room for something that belongs where nothing can be undone.</summary>
    /// <returns>
    /// False, and nothing is changed, when a block cannot be read: its log ends before it then, so that peers send it again;
    /// or when blocks were dropped, and the state that was made of them is not here.
    /// Called under the gate; as slow as the history is long.
    /// </returns>
    public bool Refold()
    {
        bool isWhole = true;
        foreach ((LogId id, LogPosition tip) in log.Exchange.Positions.Logs)
        {
            ulong readable = log.Exchange.BeginningOf(id).BlockSeq;
            while (readable < tip.BlockSeq && ReadOrMake(id, readable + 1) is not null)
            {
                readable++;
            }

            if (readable < tip.BlockSeq)
            {
                isWhole = false;
                log.Repair.TellUnreadable(id, readable + 1);
                EndBefore(id, readable + 1);
            }
        }

        if (!isWhole || !log.Repair.Base.TryKeepTable())
        {
            return false;
        }

        log.Fold.Alone = false;
        while (log.Repair.Base.TryBegin(log.RightsInForce.TryGoOn))
        {
            _isLate = false;
            FoldAll();
            if (!_isLate || log.Repair.Base.HasBegunWithSettled)
            {
                log.Repair.Notes.NoteFolded();
                log.Repair.Base.Tell();
                return true;
            }

            log.Repair.Base.Reject();
        }

        bool isAsItWas = log.Repair.Base.IsLacking && log.Fold.Positions.Logs.Count > 0;
        if (isAsItWas || !log.Exchange.Beginnings.Equals(LogBeginnings.None))
        {
            // What is left makes no tree, or the settled checkpoint was found damaged: the table stays what it is until it is back.
            return false;
        }

        log.Persister.Clear();
        log.Fold.Reset();
        log.RightsInForce.Note(log.Fold.Table);
        FoldAll();
        return true;
    }

    private void FoldAll()
    {
        NoteRules();
        FoldBlocks();
        FoldReport waiting = log.Fold.Receive([.. log.Own.Waiting.Select(unsealed => unsealed.Transaction)]);
        _isLate |= waiting.BelowCut.Count > 0;
    }

    /// <summary>A block is lost: what is held of its log ends before it, and peers send the rest again. Under the gate.</summary>
    public void EndBefore(LogId id, ulong seq)
    {
        for (ulong end = seq - 1; end > log.Exchange.BeginningOf(id).BlockSeq; end--)
        {
            if (Read(id, end) is { } block)
            {
                log.Exchange.Restore(id, new ChainTip(end, block.Hash, block.Block.LastTransaction));
                return;
            }
        }

        log.Exchange.Restore(id, default);
    }

    /// <summary>The end of what can be read from where the log begins: peers are asked for what follows.</summary>
    private void RestoreTip(LogId id)
    {
        LogBeginning beginning = ports.Blocks.Beginning(log.Volume, id);
        log.Exchange.Begin(id, beginning);
        ulong last = ports.Blocks.LastSeq(log.Volume, id);
        if (ports.Blocks.IsDamaged(log.Volume, id))
        {
            ulong whole = beginning.BlockSeq;
            BlockHash previous = beginning.Hash;
            while (whole < last && ReadOrMake(id, whole + 1) is { } next && next.Block.Previous == previous)
            {
                previous = next.Hash;
                whole++;
            }

            last = whole;
        }

        for (ulong seq = last; seq > beginning.BlockSeq; seq--)
        {
            if (Read(id, seq) is { } block)
            {
                log.Exchange.Restore(id, new ChainTip(seq, block.Hash, block.Block.LastTransaction));
                return;
            }

            log.Report(id, $"block {seq} is damaged; peers are asked for it");
        }
    }

    /// <summary>
    /// Whether there are blocks of a log, and not the first: they were damaged, or dropped, and neither header that says so can be
    /// read.
    /// </summary>
    private bool HasLostBeginning(LogId id) =>
        log.Exchange.TipOf(id).BlockSeq == 0 && ports.Blocks.LastSeq(log.Volume, id) > 0;

    /// <summary>A log that does not know where it begins: its first block says so, if the ground has all that came before.</summary>
    private void BeginAgain(LogId id)
    {
        ulong seq = 1;
        foreach (ulong missing in ports.Blocks.Missing(log.Volume, id).TakeWhile(missing => missing == seq))
        {
            seq = missing + 1;
        }

        if (log.Fold.Ground is not { } ground || seq == 1 || Read(id, seq)?.Block is not { } first
            || ground.Positions[id].TransactionSeq + 1 < first.FirstTransaction)
        {
            return;
        }

        Result<long, StoreError> begun =
            ports.Blocks.BeginAt(log.Volume, id, LogCompaction.Before(first, ground.Depth));
        if (begun.IsOk)
        {
            RestoreTip(id);
        }
        else
        {
            log.Report(id, $"it cannot begin at block {seq}: {begun.Error}");
        }
    }

    /// <summary>Under which judgement and rules an empty table is filled: there before any part of it can be persisted.</summary>
    private void NoteRules()
    {
        log.Quarantine.Note(log.Fold.Table, log.Exchange.Positions);
        FoldRules.Note(log.Fold.Table);
    }

    /// <summary>Folds what the fold has not seen of all logs together, and persists it now and then: memory has a bound.</summary>
    private void FoldBlocks()
    {
        lock (log.Gate)
        {
            using var logs = new LogMerge(log.Exchange.Positions.Logs.Select(
                held => LogHistory.Read(log, held.Key, FirstUnseen(held.Key, held.Value), held.Value.BlockSeq)));
            do
            {
                _isLate |= log.Fold.Receive(logs, FoldBatch).BelowCut.Count > 0;
                log.Persister.PersistIfMuch();
            }
            while (!log.Pending.LeaveOutIfMuch() && !logs.IsAtEnd);
        }
    }

    /// <summary>A restart folds only the tail: back from the end to the first block the index has not seen.</summary>
    private ulong FirstUnseen(LogId id, LogPosition tip)
    {
        ulong known = log.Fold.LastOf(id);
        ulong first = known == 0 ? 1 : tip.BlockSeq + 1;
        while (first > 1 && known < tip.TransactionSeq
            && (Read(id, first - 1)?.Block.LastTransaction ?? 0) > known)
        {
            first--;
        }

        return first;
    }

    private void FoldJournal(List<RecoveredRecord> journaled)
    {
        var doubtful = new SortedDictionary<(uint Incarnation, ulong Seq), Unsealed>();
        foreach (Unsealed saved in Lost.Saved)
        {
            TransactionId id = saved.Transaction.Id;
            if (id.Seq <= log.Exchange.TipOf(id.Log).TransactionSeq)
            {
                _unneeded.Add((saved.Position, saved.Ended.Begun));
            }
            else
            {
                doubtful.Add((id.Log.Incarnation, id.Seq), saved);
            }
        }

        foreach (RecoveredRecord record in journaled)
        {
            var id = new TransactionId(
                new LogId(ports.Identity.Node, (uint)record.Entry.Offset), (ulong)record.Entry.Length);
            var ended = new EndedLayer(record.Entry.Layer, Begun.GetValueOrDefault(record.Entry.Layer));
            if (id.Seq <= log.Exchange.TipOf(id.Log).TransactionSeq)
            {
                _unneeded.Add((record.Position, ended.Begun));
                continue;
            }

            if (!log.JournalWriter.Open(record).TryGet(out byte[]? plain, out _)
                || !TransactionCodec.Decode(plain).TryGet(out Transaction? transaction, out _)
                || transaction.Id != id)
            {
                log.Report(id.Log, $"the journal's record of {id} cannot be opened: what it did is lost");
                _unneeded.Add((record.Position, ended.Begun));
                continue;
            }

            var recovered = new Unsealed(transaction, record.Position, plain.Length, ended);
            if (IsEndLost(id.Log) || id.Seq != LastKnown(id.Log) + 1)
            {
                // Of what was saved in an earlier life there may be two records.
                if (!doubtful.TryAdd((id.Log.Incarnation, id.Seq), recovered))
                {
                    _unneeded.Add((record.Position, ended.Begun));
                }

                continue;
            }

            // If a block it depends on was lost here, the fold lets it wait for that; sealing needs no fold.
            _isLate |= log.Fold.Receive(transaction).BelowCut.Count > 0;
            log.Own.Restore(recovered);
        }

        foreach (Unsealed doubted in doubtful.Values)
        {
            log.Own.Doubt(doubted);
        }

        if (log.Own.Doubtful.Count > 0)
        {
            LogId id = log.Own.Doubtful[0].Transaction.Id.Log;
            log.Report(
                id,
                $"its end is missing here: {log.Own.Doubtful.Count} changes in the journal wait for the peers' word");
        }
    }

    /// <summary>Whether peers may hold more of an own log than there is here.</summary>
    /// <remarks>An end in order seals everything: whatever the journal has beyond the blocks was in blocks once.</remarks>
    private bool IsEndLost(LogId id) =>
        ports.Recovered.WasClean || Lost.Logs.Contains(id) || ports.Blocks.HasLostEnd(log.Volume, id)
        || log.Exchange.TipOf(id).BlockSeq < ports.Blocks.LastSeq(log.Volume, id);

    /// <summary>The incarnation that is written on: a new one, unless nothing of the last can have been lost.</summary>
    private void ChooseOwn()
    {
        IReadOnlyList<LogId> files = ports.Blocks.Logs(log.Volume);
        LogId[] waiting = [.. log.Own.Waiting.Concat(log.Own.Doubtful).Select(unsealed => unsealed.Transaction.Id.Log)];
        LogId last = files
            .Concat(waiting)
            .Concat(log.Fold.Positions.Logs.Select(static pair => pair.Key))
            .Concat(Lost.Logs)
            .Where(id => id.Author == ports.Identity.Node)
            .DefaultIfEmpty(new LogId(ports.Identity.Node, 0))
            .Max();
        bool isWhole = files.Contains(last) && !waiting.Contains(last) && !Lost.Logs.Contains(last)
            && !ports.Blocks.IsDamaged(log.Volume, last)
            // Own transactions that build on what was lost here are not folded yet: their numbers are taken.
            && log.Fold.LastOf(last) == LastKnown(last);
        bool isEmpty = ports.Blocks.LastSeq(log.Volume, last) == 0;
        if (isWhole && (ports.Recovered.WasClean || isEmpty))
        {
            log.Own.Current = last;
            return;
        }

        log.Own.Current = last with { Incarnation = Incarnations.After(last.Incarnation, ports.Entropy) };
        if (last.Incarnation == 0)
        {
            return;
        }

        // The next start should see that this one was chosen, though nothing be written: nothing else may tell it then.
        Result<Unit, StoreError> begun = ports.Blocks.Begin(log.Volume, log.Own.Current);
        begun = begun.IsOk ? ports.Blocks.Commit() : begun;
        if (!begun.IsOk)
        {
            log.Report(log.Own.Current, $"the new incarnation cannot be noted yet: {begun.Error}");
        }
    }

    private void FindLost()
    {
        foreach ((LogId id, LogPosition folded) in log.Fold.Positions.Logs)
        {
            if (id.Author == ports.Identity.Node && folded.TransactionSeq > LastKnown(id))
            {
                Lost.Logs.Add(id);
                if (!IsAwaited(id, folded))
                {
                    Lost.Save(log, id, LastKnown(id));
                }
            }
        }
    }

    /// <summary>An index from before something was dropped cannot be brought up to what is here.</summary>
    private bool HasAllThatWasDropped() => log.Exchange.Beginnings.Logs.All(
        begins => log.Fold.LastOf(begins.Key) >= begins.Value.TransactionSeq);

    /// <summary>
    /// Whether a table that is made anew lacks what cannot come from blocks: some were dropped here, or the first are not here
    /// where others may have dropped theirs. It would show an empty tree, or a part of one, and be written into.
    /// </summary>
    private bool IsPastLost()
    {
        bool isEmpty = log.Fold.Positions.Logs.Count == 0;
        bool isPart = isEmpty
            && (log.Exchange.Positions.Logs.Count == 0 || ports.Blocks.Logs(log.Volume).Any(HasLostBeginning));
        return !ports.NeedsNoPast && (!HasAllThatWasDropped() || (isPart && log.Repair.Base.IsSettled));
    }

    private bool IsIndexCovered()
    {
        foreach ((LogId id, LogPosition folded) in log.Fold.Positions.Logs)
        {
            if (folded.TransactionSeq > LastKnown(id) && !IsAwaited(id, folded))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether the blocks that hold it are on their way: the table came from another member.</summary>
    private bool IsAwaited(LogId id, LogPosition folded) =>
        log.Copied.Awaited?.Contains(new TransactionId(id, folded.TransactionSeq)) == true;

    /// <summary>The last transaction of a log that is in a block here, or waits to be sealed into one.</summary>
    private ulong LastKnown(LogId id)
    {
        // Those that wait are in order, so the newest of a log is almost always the last of all.
        IReadOnlyList<Unsealed> waiting = log.Own.Waiting;
        int newest = waiting.Count - 1;
        while (newest >= 0 && waiting[newest].Transaction.Id.Log != id)
        {
            newest--;
        }

        ulong sealedSeq = log.Exchange.TipOf(id).TransactionSeq;
        return newest < 0 ? sealedSeq : Math.Max(sealedSeq, waiting[newest].Transaction.Id.Seq);
    }

    private (LogBlock Block, BlockHash Hash)? ReadOrMake(LogId id, ulong seq) =>
        Read(id, seq) ?? (RottenBlocks.TryMakeAgain(log, id, seq) ? Read(id, seq) : null);

    private (LogBlock Block, BlockHash Hash)? Read(LogId id, ulong seq) =>
        ports.ReadBlock(log.Volume, id, seq) is { } read ? (read.Block, LogBlockCodec.Hash(read.Encoded)) : null;
}
