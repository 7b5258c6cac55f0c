using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Returning;
using Cairn.Node.Logs.Checkpoints;

namespace Cairn.Node.Logs.Recovery;

/// <summary>Folds everything again when something belongs where nothing can be undone.</summary>
/// <remarks>
/// Where a block cannot be read any more it is done later, when a peer has sent the block again: without it, what builds
/// on it would be missing from the fold, this node's own writing among it. So it is while the blocks of a table that came
/// from another member are on their way. Thread: under the log's gate.
/// </remarks>
internal sealed class FoldRepair(ReplicatedLog log, MissedObjects missed)
{
    private const int KeysTold = 8192;

    /// <summary>Blocks that were told of: they are asked for again and again.</summary>
    private readonly HashSet<(LogId Log, ulong Seq)> _told = [];

    private LogPositions? _waitsFor;

    /// <summary>What was held when something of it could not be read.</summary>
    private LogPositions? _lost;
    private bool _waitsForLost;
    private bool _waitsForBase;

    /// <summary>Where a fold that is made anew may begin.</summary>
    public FoldBase Base { get; } = new(log);

    /// <summary>What a checkpoint is held against before this node agrees to it.</summary>
    public SettleNotes Notes { get; } = new(log);

    /// <summary>Whether it was put off.</summary>
    public bool IsPutOff => _waitsFor is not null || _waitsForLost || _waitsForBase || WaitsForLook;

    /// <summary>Own work that what was folded has left out.</summary>
    public MissedWork Missed { get; } = new(log, missed);

    /// <summary>Whether it was put off only until own work was looked after.</summary>
    public bool WaitsForLook { get; private set; }

    /// <summary>Own blocks that could not be made again: each is looked for once.</summary>
    public HashSet<RottenBlocks.Search> SearchedInVain { get; } = [];

    /// <summary>Whether it was put off because something that was held here cannot be read.</summary>
    public bool WaitsForLost => _waitsForLost;

    /// <summary>Whether it was put off, and everything is back now.</summary>
    public bool IsDue =>
        IsHere(_waitsFor) || (_waitsForLost && IsHere(_lost)) || (_waitsForBase && !Base.IsLacking)
        || (WaitsForLook && !Base.MustLookFirst());

    /// <summary>Whether the table is not what would be folded now.</summary>
    public bool IsOutdated()
    {
        Base.Adopt();
        return IsDue || (Base.IsOutdated && !Base.IsLacking)
            || log.Quarantine.IsOutdated(log.Fold.Table, log.Exchange.Positions);
    }

    /// <summary>Folds everything again, and tells all keys there are then; or puts it off.</summary>
    public void Run()
    {
        log.Copied.NoteBlocks();
        WaitsForLook = Base.IsBehind && Base.MustLookFirst();
        if (WaitsForLook)
        {
            return;
        }

        _waitsForBase = Base.IsLacking;
        bool isAwayStill = _lost is not null && !IsHere(_lost);
        _waitsForLost |= isAwayStill;
        if (_waitsForBase || isAwayStill)
        {
            return;
        }

        // What is settled is kept here with all that came before it: its blocks are not needed.
        if (log.Copied.Awaited is { } copied && !Base.IsSettled)
        {
            _waitsFor = copied;
            return;
        }

        LogPositions before = log.Exchange.Positions;
        bool isDone = new LogRecovery(log, log.Ports).Refold();
        _waitsForBase = Base.IsLacking;
        _waitsFor = null;
        _waitsForLost = !isDone && !(_waitsForBase && IsHere(before));
        _lost = _waitsForLost ? before : null;
        log.NoteLoss();
        if (isDone)
        {
            log.TellRefolded();
            TellAll();
        }
    }

    /// <summary>What the index knows is not all in blocks here: nothing is folded again before it is.</summary>
    public void Await(LogPositions lost) => _lost = lost;

    /// <summary>A block that was held cannot be read: its log ends before it, and peers send the rest again.</summary>
    /// <remarks>
    /// Not so an own log: it goes on where it ends, and who lacks the block asks those that have it. Nor if it was dropped
    /// since it was asked for.
    /// </remarks>
    /// <returns>Whether it can be read again: an own block that was made again.</returns>
    public bool Lose(LogId id, ulong seq)
    {
        if (seq <= log.Exchange.BeginningOf(id).BlockSeq)
        {
            return false;
        }

        if (RottenBlocks.TryMakeAgain(log, id, seq))
        {
            return true;
        }

        TellUnreadable(id, seq);
        if (id.Author != log.Ports.Identity.Node)
        {
            _lost = _lost?.Join(log.Exchange.Positions) ?? log.Exchange.Positions;
            new LogRecovery(log, log.Ports).EndBefore(id, seq);
            log.NoteLoss();
        }

        return false;
    }

    /// <summary>Reports a block that cannot be read, the first time.</summary>
    public void TellUnreadable(LogId id, ulong seq)
    {
        lock (log.Gate)
        {
            if (_told.Add((id, seq)))
            {
                log.Report(id, $"block {seq} cannot be read; peers are asked for it");
            }
        }
    }

    private bool IsHere(LogPositions? awaited) => awaited is not null && log.Exchange.Positions.Covers(awaited);

    private void TellAll()
    {
        var keys = new List<TableBytes>();
        TableCursor cursor = log.Fold.Table.Scan([], [FoldKeys.Reserved]);
        while (cursor.MoveNext())
        {
            keys.Add(cursor.KeyBytes);
            if (keys.Count == KeysTold)
            {
                log.Tell(keys);
                keys = [];
            }
        }

        log.Tell(keys);
    }
}
