using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Node.Logs.Index;
using Cairn.Node.Ports;

namespace Cairn.Node.Logs.Checkpoints;

/// <summary>Where a fold that is made anew begins: at a checkpoint, instead of at the first block.</summary>
/// <remarks>
/// At the settled one always, if there is one: it is the ground of every fold, and what is not in it comes behind it
/// (<see cref="FoldGround"/>). At one that only stands where folding everything would come to the same: it is kept here, it
/// stands on the same ground, all blocks before it are here, and they are judged as they were then. If something comes before
/// that after all, from a member that was forgotten, it is not begun with. docs/decisions/compaction.md. Under the log's gate.
/// </remarks>
internal sealed class FoldBase(ReplicatedLog log)
{
    /// <summary>The ground behind which own work was looked after: this node's own.</summary>
    private static readonly byte[] LookedKey = [IndexTable.NodesOwn, (byte)'g'];

    private readonly GrowingPause _pause = new(log.Ports.Time, TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(5));
    private MadeCheckpoint? _begun;
    private Bytes32? _useless;

    /// <summary>Whether one is settled, and the fold does not stand on it, and may.</summary>
    public bool IsOutdated => IsBehind && !MustLookFirst();

    /// <summary>Whether one is settled, and the fold does not stand on it.</summary>
    public bool IsBehind => Settled is { } settled && !StandsOn(settled.Checkpoint);

    /// <summary>Whether one is settled that is not kept here: others are asked for it.</summary>
    public bool IsLacking => Settled is { } settled && !log.Ports.Checkpoints!.Keeps(settled.Checkpoint.Hash);

    /// <summary>Whether one is settled.</summary>
    public bool IsSettled => Settled is not null;

    private StandingCheckpoint? Settled => log.Ports.Checkpoints?.Settled();

    /// <summary>Whether the fold began with the settled one: nothing can be too late for it.</summary>
    public bool HasBegunWithSettled => _begun is { } begun && begun == Settled?.Checkpoint;

    /// <summary>Whether own work may have come behind what was settled, and nobody looked after it yet.</summary>
    public bool HasOwnWorkMoved =>
        log.Fold.Ground is { } ground && !log.Fold.Table.Find(LookedKey).Span.SequenceEqual(ground.Hash.ToArray());

    /// <summary>It was looked after, or nothing of it moved.</summary>
    public void NoteOwnWork() => log.Fold.Table.Put(LookedKey, log.Fold.Ground?.Hash.ToArray());

    /// <summary>Whether nothing is lost if the settled one takes the place of the table, or some table from before it is kept.</summary>
    public bool IsTableKept => !IsBehind || log.Ports.Checkpoints!.KeptTable.IsFrom(Settled!.Checkpoint.Hash);

    /// <summary>
    /// Keeps the table that a settled checkpoint is to replace, if that was settled without this node: what it has beyond the
    /// checkpoint may be about something that this has forgotten.
    /// </summary>
    /// <remarks>
    /// That copies the whole table while this node's loop waits: what a full disk refused is tried again in growing pauses, and told once.
    /// </remarks>
    /// <returns>False: it cannot be kept now, so nothing may be replaced.</returns>
    public bool TryKeepTable()
    {
        if (Settled is not { } settled || settled.Members.Contains(log.Ports.Identity.Node)
            || StandsOn(settled.Checkpoint) || log.Fold.Positions.Logs.Count == 0)
        {
            return true;
        }

        if (MustLookFirst())
        {
            // What was kept before is the only one that knows what own work was about.
            return false;
        }

        if (!_pause.IsOver)
        {
            return false;
        }

        Result<Unit, IndexError> kept = log.Ports.Checkpoints!.KeptTable.Keep(log.Fold, settled.Checkpoint);
        if (kept.TryGet(out _, out IndexError error))
        {
            _pause.End();
            return true;
        }

        if (_pause.Failures == 0)
        {
            log.Report(
                log.OwnLogId,
                $"what was folded here cannot be kept yet, so the settled checkpoint waits: {error.Detail}");
        }

        _pause.Fail();
        return false;
    }

    /// <summary>Whether a block lies in the ground of the fold, at least its beginning.</summary>
    public bool Has(LogId id, ulong block) =>
        log.Fold.Ground is { } ground && ground.Positions[id].TransactionSeq is > 0 and ulong last
        && (block <= log.Exchange.BeginningOf(id).BlockSeq
            || (FirstIn(id, block) is > 0 and ulong first && first <= last));

    /// <summary>Stands on what was settled, if the fold is a continuation of that already: then nothing is to be folded.</summary>
    public void Adopt()
    {
        if (!IsOutdated || Settled is not { Checkpoint: var settled }
            || !FoldGround.Continues(log.Fold.Table, settled.Depth, settled.Hash))
        {
            return;
        }

        if (PositionsOf(settled.Hash) is { } positions)
        {
            bool isJudged = !log.Quarantine.IsOutdated(log.Fold.Table, log.Exchange.Positions);
            log.Fold.StandOn(new FoldGround(settled.Depth, settled.Hash, positions));
            NoteOwnWork();
            if (isJudged)
            {
                log.Quarantine.Note(log.Fold.Table, log.Exchange.Positions);
            }
        }
    }

    /// <summary>Replaces table and index by a checkpoint.</summary>
    /// <param name="isInForce">Whether the limits that hold judge all that a fold has as it was judged then.</param>
    /// <returns>False: there is none to begin with, and if anything was replaced, table and index are empty.</returns>
    public bool TryBegin(Func<OrderedFold, bool> isInForce)
    {
        _begun = null;
        log.Ports.Checkpoints?.Open();
        return Candidates().Any(candidate => TryBegin(candidate, isInForce));
    }

    /// <summary>Something belongs before it: it is not begun with again.</summary>
    public void Reject() => (_useless, _begun) = (_begun?.Hash ?? _useless, null);

    /// <summary>Says so, if the fold began at one.</summary>
    public void Tell()
    {
        if (_begun is { } begun)
        {
            log.Report(log.OwnLogId, $"made anew from a checkpoint of {begun.Records} records and what came after it");
        }
    }

    /// <summary>
    /// Whether own work is still to be looked after with what was kept: neither another ground, nor a beginning of a log, may take the
    /// place of anything before.
    /// </summary>
    public bool MustLookFirst() => StoodOn is { } ground && log.Ports.Checkpoints!.Keeps(ground);

    /// <summary>The ground that own work is still looked for behind, with what was kept from before it; null for none.</summary>
    public Bytes32? StoodOn => HasOwnWorkMoved && log.Fold.Ground is { } ground
        && log.Ports.Checkpoints?.KeptTable.IsFrom(ground.Hash) == true
        ? ground.Hash
        : null;

    private bool StandsOn(MadeCheckpoint settled) =>
        log.Fold.Ground is { } ground && (ground.Depth > settled.Depth || ground.Hash == settled.Hash);

    private IEnumerable<StandingCheckpoint> Candidates()
    {
        StandingCheckpoint? settled = Settled;
        if (log.Ports.Checkpoints?.Standing is { } standing && log.Exchange.Positions.Logs.Count > 0
            && standing.Checkpoint.Hash != _useless
            && standing.Checkpoint.Depth > (settled?.Checkpoint.Depth ?? 0))
        {
            yield return standing;
        }

        if (settled is not null)
        {
            yield return settled;
        }
    }

    private bool TryBegin(StandingCheckpoint candidate, Func<OrderedFold, bool> isInForce)
    {
        CheckpointShelf shelf = log.Ports.Checkpoints!;
        MadeCheckpoint checkpoint = candidate.Checkpoint;
        bool isSettled = checkpoint == Settled?.Checkpoint;
        using IIndexStore? view = shelf.View(checkpoint.Hash);
        if (view is null)
        {
            return false;
        }

        if (isSettled ? !CheckpointShelf.IsWhole(view, checkpoint) : !IsHeldAsItWas(view))
        {
            if (isSettled)
            {
                shelf.Forget(checkpoint.Hash);
                log.Report(log.OwnLogId, "the settled checkpoint is damaged here; others are asked for it");
            }

            return false;
        }

        _begun = checkpoint;
        if (Copy(view, candidate, isSettled) && isInForce(log.Fold))
        {
            log.Copied.Look();
            log.Copied.NoteBlocks();
            return true;
        }

        Reject();
        log.Persister.Clear();
        log.Fold.Reset();
        return false;
    }

    private bool Copy(IIndexStore view, StandingCheckpoint candidate, bool isSettled)
    {
        var fill = new TableFill(log.Ports.Index);
        log.Persister.Clear(() => fill.Begin(candidate.Checkpoint.Hash));
        bool hasMore = true;
        while (hasMore)
        {
            if (!TablePage.After(view, fill.Last).TryGet(out TablePage? page, out _) || !fill.Add(page.Records).IsOk)
            {
                return false;
            }

            hasMore = !page.IsEnd;
        }

        if (!fill.Finish(candidate.Members, isSettled).IsOk)
        {
            return false;
        }

        log.Persister.Reload();
        log.Fold.Reload();
        if (isSettled)
        {
            MadeCheckpoint checkpoint = candidate.Checkpoint;
            log.Fold.StandOn(new FoldGround(checkpoint.Depth, checkpoint.Hash, log.Fold.Positions));
        }

        return true;
    }

    private bool IsHeldAsItWas(IIndexStore view) => LookAt(view, (table, folded) =>
    {
        LogPositions held = log.Exchange.Positions;
        return !FoldRules.IsOutdated(table) && held.Covers(folded)
            && FoldGround.In(table)?.Hash == Settled?.Checkpoint.Hash
            && log.Quarantine.IsInForce(table, folded, held, FirstIn);
    });

    /// <summary>What a checkpoint has that is kept here; null if it is not, or cannot be understood. Reads the disk.</summary>
    public LogPositions? PositionsOf(Bytes32 checkpoint)
    {
        using IIndexStore? view = log.Ports.Checkpoints?.View(checkpoint);
        return view is null ? null : LookAt(view, static (_, folded) => folded);
    }

    /// <summary>Looks at records that nobody has checked yet: they may be damaged.</summary>
    /// <returns>What was found; the default where they cannot be understood.</returns>
    private static T? LookAt<T>(IIndexStore view, Func<OverlayTable, LogPositions, T> look)
    {
        try
        {
            var table = new OverlayTable(new IndexTable(view), cacheBytesMax: 0, learnKeysMax: 0);
            return look(table, new OrderedFold(table, new TreeApplier()).Positions);
        }
        catch (Exception broken) when (broken is IndexUnusableException or InvariantException)
        {
            return default;
        }
    }

    private ulong FirstIn(LogId id, ulong block) =>
        log.Ports.ReadBlock(log.Volume, id, block)?.Block.FirstTransaction ?? 0;
}
