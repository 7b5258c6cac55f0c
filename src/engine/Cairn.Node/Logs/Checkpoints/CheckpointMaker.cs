using System.Collections.Immutable;
using Cairn.Core.Fold;
using Cairn.Core.Fold.Checkpoints;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Garbage;
using Cairn.Node.Logs.Index;
using Cairn.Node.Logs.Recovery;
using Cairn.Node.Ports;

namespace Cairn.Node.Logs.Checkpoints;

/// <summary>Makes this node's checkpoints of one volume.</summary>
/// <remarks>
/// Marks are depths of the order that everybody knows: counted from the newest checkpoint that stands, in steps that grow
/// with the tree, so that making them costs a part of what folding does. A fold is pruned to the mark, stays there until a
/// view of its index is taken, and goes on; the records are copied from the view. Who misses a mark meets the others at the
/// next. A node that is alone has nobody to agree with: its marks are where it happens to be.
/// docs/decisions/compaction.md. Thread: the engine's loop; views may be taken from any.
/// </remarks>
public sealed class CheckpointMaker(ReplicatedLog log, IWorkers workers, CheckpointShelf shelf) : IAsyncDisposable
{
    private const int Batch = 4096;
    private static readonly ImmutableArray<byte> Carried =
        [Quarantine.Tag, RightsInForce.Tag, FoldRules.Tag, FoldGround.Tag];

    private Looked _looked;
    private ulong _lastMark;
    private TaskCompletionSource? _making;
    private bool _hasView;
    private volatile bool _isStopped;

    /// <summary>The fewest transactions from one mark to the next, as depths count them.</summary>
    public required long StepMin { get; init; }

    /// <summary>Prunes the fold, but for a while not past a mark; begins to make a checkpoint there.</summary>
    public void Prune(IGarbageMembers members)
    {
        if (_making is not null && !_hasView)
        {
            return;
        }

        Looked now = Look(members);
        bool isNews = now != _looked;
        if (isNews && _making is null && !_isStopped && FindMark(members) is { } mark)
        {
            (_lastMark, _hasView, _making) = (mark, false, new TaskCompletionSource());
            workers.Start($"checkpoint {log.Volume.Short}", () => Make(mark, _making));
            return;
        }

        if (isNews)
        {
            log.Prune(members.Stable, members.Writers);
            _looked = _making is null ? now : default;
        }

        if (_making is null && !_isStopped && shelf.TakeUnneeded() is { } slot)
        {
            _making = new TaskCompletionSource();
            workers.Start($"old checkpoint {log.Volume.Short}", () => Clear(slot, _making));
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _isStopped = true;
        await (_making?.Task ?? Task.CompletedTask);
    }

    /// <summary>What decides whether anything is due: while nothing is new, it is asked for every few seconds in vain.</summary>
    private Looked Look(IGarbageMembers members)
    {
        lock (log.Gate)
        {
            LogPositions folded = log.Fold.Positions;
            return new Looked(
                folded, members.Stable(folded), log.Copied.Awaited, shelf.Standing?.Checkpoint.Hash, _lastMark);
        }
    }

    /// <summary>The mark at which the fold now ends, if a checkpoint is due.</summary>
    private ulong? FindMark(IGarbageMembers members)
    {
        StandingCheckpoint? standing = shelf.Standing;
        ulong from = standing?.Checkpoint.Depth ?? 0;
        ulong step = Math.Max((ulong)StepMin, (standing?.Checkpoint.Records ?? 0) / 2);
        lock (log.Gate)
        {
            OrderedFold fold = log.Fold;
            if (log.Copied.Awaited is not null || (standing is null && fold.DepthOf(fold.Positions) + 1 < step))
            {
                return null;
            }

            shelf.Open();
            ulong done = Math.Max(Math.Max(_lastMark, from), shelf.Newest?.Depth ?? 0);
            if (fold.Alone)
            {
                ulong here = fold.StableOrder.Depth + 1;
                return here >= done + step ? Noted(here) : null;
            }

            LogPositions stable = members.Stable(fold.Positions);
            ulong reach = fold.DepthOf(stable);
            for (ulong mark = reach <= done ? 0 : reach - ((reach - from) % step); mark > done; mark -= step)
            {
                if (fold.PruneTo(mark, stable, members.Writers))
                {
                    return Noted(mark);
                }
            }

            return null;
        }
    }

    /// <summary>What was noted of marks before the one that is settled next is of no use any more.</summary>
    private ulong Noted(ulong mark)
    {
        FoldGround.ForgetContinued(log.Fold.Table, shelf.Aging()?.Standing.Checkpoint.Depth ?? 0);
        FoldGround.NoteMark(log.Fold.Table, mark);
        return mark;
    }

    /// <summary>An older one takes as much of the disk as the one that stands.</summary>
    private async Task Clear(CheckpointSlot slot, TaskCompletionSource making)
    {
        try
        {
            _hasView = true;
            _ = await workers.Run(WorkPriority.Background, slot.Begin);
        }
        finally
        {
            shelf.GiveBack(slot);
            _making = null;
            making.SetResult();
        }
    }

    private async Task Make(ulong mark, TaskCompletionSource making)
    {
        try
        {
            IIndexStore? view = await workers.Run(WorkPriority.Background, log.ViewTable);
            _hasView = true;
            using (view)
            {
                string? failure = view is null ? "the index cannot be read" : await Fill(new IndexTable(view), mark);
                if (failure is not null)
                {
                    log.Report(log.OwnLogId, $"no checkpoint was made: {failure}");
                }
            }
        }
        finally
        {
            _making = null;
            making.SetResult();
        }
    }

    /// <returns>Why it failed; null if it did not.</returns>
    private async Task<string?> Fill(IndexTable table, ulong mark)
    {
        try
        {
            TableAtCut? cut = await workers.Run(WorkPriority.Background, () => TableAtCut.Of(table));
            if (cut is null || cut.Depth < mark || (cut.Depth > mark && !log.Alone))
            {
                // Everything was folded again meanwhile, or somebody else writes now: the next mark will do.
                return null;
            }

            if (shelf.TakeLeastNeeded() is not { } slot)
            {
                return null;
            }

            try
            {
                MadeCheckpoint? next = shelf.Aging()?.Standing.Checkpoint;
                return await Fill(slot, cut, next is { } aging
                    ? FoldGround.ContinuedRecord(table, aging.Depth, aging.Hash)
                    : null);
            }
            finally
            {
                shelf.GiveBack(slot);
            }
        }
        catch (IndexUnusableException broken)
        {
            return broken.Message;
        }
    }

    private async Task<string?> Fill(CheckpointSlot slot, TableAtCut cut, KeyValuePair<byte[], byte[]>? continued)
    {
        (RecordChain chain, RecordChain basis) = (new(), new());
        using IEnumerator<KeyValuePair<byte[], byte[]>> records = cut.Records(Carried, continued).GetEnumerator();
        Result<bool, IndexError> copied =
            await workers.Run(WorkPriority.Background, () => Begin(slot, records, chain, basis));
        while (copied.TryGet(out bool hasMore, out _) && hasMore && !_isStopped)
        {
            copied = await workers.Run(WorkPriority.Background, () => Copy(slot, records, chain, basis));
        }

        if (!copied.IsOk || copied.Value)
        {
            return copied.IsOk ? null : copied.Error.Detail;
        }

        var made = new MadeCheckpoint(cut.Depth, chain.Count, chain.Hash, basis.Hash);
        Result<Unit, IndexError> ended = await workers.Run(WorkPriority.Background, () => slot.End(made, isOwn: true));
        lock (log.Gate)
        {
            _ = ended.IsOk && FoldGround.NoteMade(log.Fold.Table, made.Depth, made.Hash);
        }

        return ended.TryGet(out _, out IndexError error) ? null : error.Detail;
    }

    private static Result<bool, IndexError> Begin(
        CheckpointSlot slot, IEnumerator<KeyValuePair<byte[], byte[]>> records, RecordChain chain, RecordChain basis)
    {
        Result<Unit, IndexError> begun = slot.Begin();
        return begun.IsOk ? Copy(slot, records, chain, basis) : begun.Error;
    }

    /// <returns>Whether there are more records.</returns>
    private static Result<bool, IndexError> Copy(
        CheckpointSlot slot, IEnumerator<KeyValuePair<byte[], byte[]>> records, RecordChain chain, RecordChain basis)
    {
        var batch = new List<KeyValuePair<byte[], byte[]>>(Batch);
        while (batch.Count < Batch && records.MoveNext())
        {
            (byte[] key, byte[] value) = records.Current;
            batch.Add(records.Current);
            chain.Add(key, value);
            if (TableAtCut.IsBasis(key))
            {
                basis.Add(key, value);
            }
        }

        Result<Unit, IndexError> added = slot.Add(batch);
        return added.IsOk ? batch.Count == Batch : added.Error;
    }

    /// <summary>Cuts by their objects: what is made anew may say the same, and is looked at again.</summary>
    private readonly struct Looked(
        LogPositions folded, LogPositions stable, LogPositions? awaited, Bytes32? standing, ulong mark)
        : IEquatable<Looked>
    {
        private readonly LogPositions? _folded = folded;
        private readonly LogPositions? _stable = stable;
        private readonly LogPositions? _awaited = awaited;
        private readonly Bytes32? _standing = standing;
        private readonly ulong _mark = mark;

        public bool Equals(Looked other) =>
            ReferenceEquals(_folded, other._folded) && ReferenceEquals(_stable, other._stable)
            && ReferenceEquals(_awaited, other._awaited) && _standing == other._standing && _mark == other._mark;

        public override bool Equals(object? obj) => obj is Looked other && Equals(other);

        public override int GetHashCode() => _mark.GetHashCode();

        public static bool operator ==(Looked left, Looked right) => left.Equals(right);

        public static bool operator !=(Looked left, Looked right) => !left.Equals(right);
    }
}
