using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Storage;

namespace Cairn.Node.Logs.Checkpoints;

/// <summary>Where the logs of one volume begin here: drops blocks of which nothing is needed but a state made of them.</summary>
/// <remarks>
/// Of each log the last block stays that is whole in that state: it is signed, and names the hash of the block before it and
/// the first of its transactions, so it proves to anybody where the log begins. What was dropped counts as held.
/// docs/decisions/compaction.md. Thread: any, but for what says otherwise.
/// </remarks>
public sealed class LogCompaction
{
    private readonly ReplicatedLog _log;
    private readonly BlockReceiver _receiver;
    private readonly BlockSealer _sealer;

    internal LogCompaction(ReplicatedLog log, BlockReceiver receiver, BlockSealer sealer) =>
        (_log, _receiver, _sealer) = (log, receiver, sealer);

    /// <summary>A log is left as it is if less than so much would go: what is kept of it is written anew. Default 64 KiB.</summary>
    public long WorthBytes { get; set; } = 64 << 10;

    /// <summary>
    /// The state that a fold that is made anew would begin with here: what it has, and of which depth it is. Asked under the
    /// gate. Null, or no answer: it begins at the first blocks; but a checkpoint that a newcomer took, and whose blocks are not
    /// here yet, is such a state.
    /// </summary>
    public Func<(LogPositions Has, ulong Depth)?>? Base { get; set; }

    /// <summary>Where the logs begin, but for those that begin at their first block.</summary>
    public LogBeginnings Beginnings
    {
        get
        {
            lock (_log.Gate)
            {
                return _log.Exchange.Beginnings;
            }
        }
    }

    /// <summary>Where one log begins.</summary>
    public LogBeginning BeginningOf(LogId id)
    {
        lock (_log.Gate)
        {
            return _log.Exchange.BeginningOf(id);
        }
    }

    /// <summary>Drops what a state has, but for the last block of each log. The caller is sure that the state stays.</summary>
    /// <remarks>
    /// Each log by itself: after a crash, or a failure, the next call does the rest. A log is left as it is of which the fold
    /// here does not have all that the state has, or which is damaged, or where it would not be worth it. Blocks, without the gate.
    /// </remarks>
    /// <param name="has">What the state has, by transactions.</param>
    /// <param name="depth">All of it is of less than this depth of the order.</param>
    /// <returns>The bytes that were given back; a failure, if blocks of some log could not be dropped.</returns>
    public Result<long, StoreError> Drop(LogPositions has, ulong depth)
    {
        KeyValuePair<LogId, LogBeginning>[] beginnings =
        [
            .. has.Logs.Select(log => Droppable(log.Key, log.Value.TransactionSeq, depth))
                .OfType<KeyValuePair<LogId, LogBeginning>>(),
        ];
        if (beginnings.Length == 0)
        {
            return 0L;
        }

        // The index first: without the blocks it could not be brought up to what they had.
        Result<Unit, StoreError> persisted = _log.Persist();
        if (!persisted.IsOk)
        {
            return persisted.Error;
        }

        long given = 0;
        StoreError? failed = null;
        foreach ((LogId id, LogBeginning beginning) in beginnings)
        {
            lock (_log.Gate)
            {
                // Before the file: whoever finds a block gone must know that it is not lost.
                _log.Exchange.Begin(id, beginning);
            }

            Result<long, StoreError> dropped = _log.Ports.Blocks.BeginAt(_log.Volume, id, beginning);
            given += dropped.TryGet(out long bytes, out StoreError error) ? bytes : 0;
            failed = dropped.IsOk ? failed : error;
        }

        return failed is { } why ? why : given;
    }

    /// <summary>Where a log may begin; null where it begins already, or is left as it is.</summary>
    private KeyValuePair<LogId, LogBeginning>? Droppable(LogId id, ulong last, ulong depth)
    {
        lock (_log.Gate)
        {
            if (_log.Fold.LastOf(id) < last)
            {
                return null;
            }
        }

        return LastWithin(id, last) is { Seq: > 1 } kept && IsWorthIt(id, kept.Seq)
            ? KeyValuePair.Create(id, Before(kept, depth))
            : null;
    }

    /// <summary>The first block that is here of each log of which somebody lacks blocks that were dropped. Reads the disk.</summary>
    public IReadOnlyList<byte[]> FirstKept(LogPositions theirs)
    {
        var first = new List<byte[]>();
        foreach ((LogId id, LogBeginning beginning) in Beginnings.Beyond(theirs).Logs)
        {
            if (_log.Ports.ReadBlock(_log.Volume, id, beginning.BlockSeq + 1) is { } read)
            {
                first.Add(read.Encoded);
            }
        }

        return first;
    }

    /// <summary>A peer dropped blocks that are lacking here: these are the first that it has of those logs. Blocks.</summary>
    /// <remarks>
    /// A log begins there here, too, if the state that folds begin with has all that is before it; and the block is taken in.
    /// </remarks>
    /// <returns>Where logs begin that cannot begin there here: this node lacks what nobody may have any more.</returns>
    public LogBeginnings Hear(IReadOnlyList<ReadOnlyMemory<byte>> blocks)
    {
        SortedDictionary<LogId, LogBeginning> beyond = [];
        foreach (ReadOnlyMemory<byte> encoded in blocks)
        {
            if (!LogBlockCodec.Decode(encoded).TryGet(out LogBlock? block, out _) || block.Seq < 2
                || !_receiver.IsGenuine(block, encoded.Span))
            {
                continue;
            }

            bool hasBegun = block.Log.Author == _log.Ports.Identity.Node
                ? _sealer.WhileIdle(() => TryBegin(block))
                : TryBegin(block);
            if (hasBegun)
            {
                _ = _log.Receive([encoded]);
            }
            else
            {
                beyond[block.Log] = Before(block, depth: 1);
            }
        }

        return LogBeginnings.From(beyond);
    }

    /// <returns>Whether what is before the block counts as held here, from now on or before.</returns>
    private bool TryBegin(LogBlock first)
    {
        LogBeginning beginning;
        lock (_log.Gate)
        {
            if (_log.Exchange.TipOf(first.Log).BlockSeq + 1 >= first.Seq)
            {
                return true;
            }

            if (_log.Repair.Base.MustLookFirst())
            {
                // What is here of it may say what became of own work, and is not read yet; peers tell this again.
                return false;
            }

            (LogPositions Has, ulong Depth)? state = Base?.Invoke();
            if (state is null && _log.Copied.Awaited is { } copied && TableFill.IsVouched(_log.Ports.Index))
            {
                state = (copied, _log.Fold.DepthOf(copied) + 1);
            }

            ulong before = first.FirstTransaction - 1;
            if (state is not { } known || known.Has[first.Log].TransactionSeq < before
                || _log.Fold.LastOf(first.Log) < before)
            {
                return false;
            }

            beginning = Before(first, known.Depth);
        }

        // The file first: the block that follows is appended to it.
        Result<long, StoreError> begun = _log.Ports.Blocks.BeginAt(_log.Volume, first.Log, beginning);
        if (!begun.IsOk)
        {
            _log.Report(first.Log, $"it cannot begin at block {first.Seq}: {begun.Error}");
            return false;
        }

        lock (_log.Gate)
        {
            _log.Exchange.Begin(first.Log, beginning);
        }

        return true;
    }

    /// <summary>Where a log begins of which a block is the first.</summary>
    internal static LogBeginning Before(LogBlock first, ulong depth) =>
        new(first.Seq - 1, first.Previous, first.FirstTransaction - 1, depth);

    /// <summary>The last block whose transactions are all within; null if there is none, or it cannot be found.</summary>
    private LogBlock? LastWithin(LogId id, ulong transaction)
    {
        ulong low = _log.Ports.Blocks.Beginning(_log.Volume, id).BlockSeq;
        ulong high = _log.Ports.Blocks.LastSeq(_log.Volume, id);
        LogBlock? last = null;
        while (low < high)
        {
            ulong middle = low + ((high - low + 1) / 2);
            if (_log.Ports.ReadBlock(_log.Volume, id, middle)?.Block is not { } block)
            {
                // Damaged: peers send it again, and then it is found.
                return null;
            }

            bool isWithin = block.LastTransaction <= transaction;
            (low, high, last) = isWithin ? (middle, high, block) : (low, middle - 1, last);
        }

        return last;
    }

    private bool IsWorthIt(LogId id, ulong kept)
    {
        long bytes = 0;
        ulong seq = BeginningOf(id).BlockSeq;
        bool isMore = seq + 1 < kept;
        while (bytes < WorthBytes && ++seq < kept)
        {
            bytes += _log.Ports.Blocks.Length(_log.Volume, id, seq);
        }

        return isMore && bytes >= WorthBytes;
    }
}
