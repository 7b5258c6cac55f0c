using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Core.Rights;
using Cairn.Core.Tree;
using Cairn.Node.Logs;
using Cairn.Node.Logs.Checkpoints;
using Cairn.Node.Ports;
using Cairn.Node.Volumes;
using Cairn.Storage;

namespace Cairn.Node.Engine.Past;

/// <summary>Reads a volume's whole history again, in the total order, and makes a tree of a part of it.</summary>
/// <remarks>
/// On a worker, without the gate: as slow as the history is long, and of the size of the tree in memory. Where a log does
/// not begin at its first block any more it begins with the ground of the fold, which all has its effect; what is older than
/// that, or where the ground is not kept, is said to be gone.
/// </remarks>
internal static class HistoryReplay
{
    /// <summary>Replays the logs as far as they are held here, own work that was not sealed yet among it.</summary>
    /// <param name="state">The volume.</param>
    /// <param name="isWanted">
    /// Which transactions take effect; asked of each that is not refused, in the total order, on the worker.
    /// </param>
    /// <param name="cancellation">Ends it early.</param>
    /// <param name="moment">What is wanted is all of before this; null: it does not go by time.</param>
    public static Task<Result<MemoryTable, VolumeError>> Run(
        VolumeState state, Func<Transaction, bool> isWanted, CancellationToken cancellation,
        WallTime? moment = null) =>
        Run(state, state.Parts.Log.Rights, () => isWanted, moment, needsAll: false, cancellation);

    /// <summary>The same for who must not miss anything, and keeps what it is told.</summary>
    /// <param name="state">The volume.</param>
    /// <param name="begin">
    /// Asked for each attempt, from the first transaction on: where old blocks are dropped meanwhile, all is replayed once more.
    /// </param>
    /// <param name="cancellation">Ends it early.</param>
    /// <returns><see cref="VolumeError.Unreachable"/> while something that is folded here cannot be read.</returns>
    public static Task<Result<MemoryTable, VolumeError>> RunWhole(
        VolumeState state, Func<Func<Transaction, bool>> begin, CancellationToken cancellation) =>
        Run(state, state.Parts.Log.Rights, begin, moment: null, needsAll: true, cancellation);

    /// <summary>The same as if nobody's rights were limited: what is refused takes effect, too.</summary>
    public static Task<Result<MemoryTable, VolumeError>> RunWithRefused(
        VolumeState state, CancellationToken cancellation) =>
        Run(state, WriteRights.None, static () => static _ => true, moment: null, needsAll: false, cancellation);

    private static async Task<Result<MemoryTable, VolumeError>> Run(
        VolumeState state, WriteRights rights, Func<Func<Transaction, bool>> begin, WallTime? moment, bool needsAll,
        CancellationToken cancellation)
    {
        Result<Unit, StoreError> isSealed =
            await state.Parts.Workers.Run(WorkPriority.Foreground, state.Parts.Log.Seal, cancellation);
        if (!isSealed.IsOk)
        {
            return Errors.From(isSealed.Error);
        }

        LogCompaction logs = state.Parts.Log.Compaction;
        while (true)
        {
            LogBeginnings begun = logs.Beginnings;
            Result<MemoryTable, VolumeError> replayed = await state.Parts.Workers.Run(
                WorkPriority.Foreground,
                () => Replay(state.Parts.Log, rights, begin(), moment, needsAll, cancellation),
                cancellation);
            if (logs.Beginnings.Equals(begun))
            {
                return replayed;
            }
        }
    }

    private static Result<MemoryTable, VolumeError> Replay(
        ReplicatedLog log, WriteRights rights, Func<Transaction, bool> isWanted, WallTime? moment, bool needsAll,
        CancellationToken cancellation)
    {
        Dictionary<LogId, ulong> folded = needsAll ? FoldedOfOthers(log) : [];
        if (folded.Any(part => log.Positions[part.Key].TransactionSeq < part.Value))
        {
            return VolumeError.Unreachable;
        }

        FoldGround? ground = log.Fold.Ground;
        var table = new MemoryTable();
        // Who took a settled ground may lack blocks that are in it and that nobody has any more, before its logs begin later.
        bool isWhole = log.Compaction.Beginnings.Equals(LogBeginnings.None)
            && (ground is null || ground.Positions.Logs.All(
                part => log.Positions[part.Key].TransactionSeq >= part.Value.TransactionSeq));
        if (!isWhole && !TryFill(table, log, ground))
        {
            return VolumeError.BeforeBeginning;
        }

        // Of each log the last block in the ground is kept: it tells how old that is.
        var age = new WallTime(long.MinValue);
        IEnumerable<Transaction> Aged(IEnumerable<Transaction> written)
        {
            foreach (Transaction transaction in written)
            {
                bool isInGround = !isWhole && ground!.Positions.Contains(transaction.Id);
                age = isInGround && transaction.Claimed > age ? transaction.Claimed : age;
                yield return transaction;
            }
        }

        var reached = new Dictionary<LogId, ulong>();
        OrderedReplay.Run(
            [.. LogHistory.Of(log).Select(Aged)],
            transaction =>
            {
                cancellation.ThrowIfCancellationRequested();
                reached[transaction.Id.Log] = transaction.Id.Seq;

                // What is refused is left to the applier: it has no effect, and was not said.
                return rights.Refuses(transaction) || isWanted(transaction);
            },
            new TreeApplier { Rights = rights },
            table,
            ground);
        if (folded.Any(part => part.Value > reached.GetValueOrDefault(part.Key)))
        {
            return VolumeError.Unreachable;
        }

        return moment is { } time && age > time
            ? VolumeError.BeforeBeginning
            : Result<MemoryTable, VolumeError>.Ok(table);
    }

    /// <summary>How far the logs of others are folded here: some of it may have to come once more, because it cannot be read.</summary>
    private static Dictionary<LogId, ulong> FoldedOfOthers(ReplicatedLog log)
    {
        lock (log.Gate)
        {
            // What is in the ground is not read, and its blocks need not be here.
            LogPositions ground = log.Fold.Ground?.Positions ?? LogPositions.Empty;
            return log.Fold.Positions.Logs
                .Where(part => part.Key.Author != log.OwnLogId.Author
                    && part.Value.TransactionSeq > ground[part.Key].TransactionSeq)
                .ToDictionary(static part => part.Key, static part => part.Value.TransactionSeq);
        }
    }

    private static bool TryFill(MemoryTable table, ReplicatedLog log, FoldGround? ground)
    {
        using IIndexStore? view = ground is null ? null : log.Ports.Checkpoints?.View(ground.Hash);
        ReadOnlyMemory<byte> last = default;
        for (bool hasMore = view is not null; hasMore;)
        {
            if (!TablePage.After(view!, last).TryGet(out TablePage? page, out _))
            {
                return false;
            }

            foreach (TableRecordBytes record in page.Records)
            {
                ((ITreeTable)table).Put(record.Key.Span, record.Value.ToArray());
                last = record.Key;
            }

            hasMore = !page.IsEnd;
        }

        return view is not null;
    }
}
