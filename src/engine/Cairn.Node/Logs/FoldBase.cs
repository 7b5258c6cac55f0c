using Cairn.Core.Fold;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Node.Ports;

namespace Cairn.Node.Logs;

/// <summary>Lets a fold that is made anew begin at the checkpoint that stands, instead of at the first block.</summary>
/// <remarks>
/// Only where folding everything would come to the same: it is kept here, all blocks before it are here, and they are
/// judged as they were then. If something comes before it after all, from a member that was forgotten, everything is
/// folded. docs/decisions/compaction.md. Under the log's gate.
/// </remarks>
internal sealed class FoldBase(ReplicatedLog log)
{
    private MadeCheckpoint? _begun;
    private Bytes32? _useless;

    /// <summary>Replaces table and index by the checkpoint.</summary>
    /// <param name="isInForce">Whether the limits that hold judge all that a fold has as it was judged then.</param>
    /// <returns>False: there is none to begin with, and if anything was replaced, table and index are empty.</returns>
    public bool TryBegin(Func<OrderedFold, bool> isInForce)
    {
        _begun = null;
        if (log.Exchange.Positions.Logs.Count == 0
            || log.Ports.Checkpoints is not { Standing: { } standing } shelf
            || standing.Checkpoint.Hash == _useless)
        {
            return false;
        }

        shelf.Open();
        using IIndexStore? view = shelf.View(standing.Checkpoint.Hash);
        if (view is null || !IsHeldAsItWas(view))
        {
            return false;
        }

        _begun = standing.Checkpoint;
        if (Copy(view, standing) && isInForce(log.Fold))
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

    private bool Copy(IIndexStore view, StandingCheckpoint standing)
    {
        var fill = new TableFill(log.Ports.Index);
        log.Persister.Clear(() => fill.Begin(standing.Checkpoint.Hash));
        bool hasMore = true;
        while (hasMore)
        {
            if (!TablePage.After(view, fill.Last).TryGet(out TablePage? page, out _) || !fill.Add(page.Records).IsOk)
            {
                return false;
            }

            hasMore = !page.IsEnd;
        }

        if (!fill.Finish(standing.Members).IsOk)
        {
            return false;
        }

        log.Persister.Reload();
        log.Fold.Reload();
        return true;
    }

    /// <summary>Looks at records that nobody has checked yet: they may be damaged.</summary>
    private bool IsHeldAsItWas(IIndexStore view)
    {
        try
        {
            var table = new OverlayTable(new IndexTable(view), cacheBytesMax: 0, learnKeysMax: 0);
            LogPositions folded = new OrderedFold(table, new TreeApplier()).Positions;
            LogPositions held = log.Exchange.Positions;
            return !FoldRules.IsOutdated(table) && held.Covers(folded)
                && log.Quarantine.IsInForce(table, folded, held, FirstIn);
        }
        catch (Exception broken) when (broken is IndexUnusableException or InvariantException)
        {
            return false;
        }
    }

    private ulong FirstIn(LogId id, ulong block) =>
        log.Ports.Blocks.Read(log.Volume, id, block).TryGet(out byte[]? encoded, out _)
        && LogBlockCodec.Decode(encoded).TryGet(out LogBlock? read, out _)
            ? read.FirstTransaction
            : 0;
}
