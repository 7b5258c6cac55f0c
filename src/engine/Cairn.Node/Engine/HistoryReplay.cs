using Cairn.Core.Fold;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Core.Tree;
using Cairn.Node.Logs;
using Cairn.Node.Ports;
using Cairn.Node.Volumes;
using Cairn.Storage;

namespace Cairn.Node.Engine;

/// <summary>Reads a volume's whole history again, in the total order, and makes a tree of a part of it.</summary>
/// <remarks>
/// On a worker, without the gate: as slow as the history is long, and of the size of the tree in memory. Where a log does
/// not begin at its first block any more there is no whole history: that is said, and no part of it is taken for all.
/// </remarks>
internal static class HistoryReplay
{
    /// <summary>Replays the logs as far as they are held here, own work that was not sealed yet among it.</summary>
    /// <param name="state">The volume.</param>
    /// <param name="isWanted">
    /// Which transactions take effect; asked of each that is not refused, in the total order, on the worker.
    /// </param>
    /// <param name="cancellation">Ends it early.</param>
    public static Task<Result<MemoryTable, VolumeError>> Run(
        VolumeState state, Func<Transaction, bool> isWanted, CancellationToken cancellation) =>
        Run(state, state.Parts.Log.Rights, isWanted, cancellation);

    /// <summary>The same as if nobody's rights were limited: what is refused takes effect, too.</summary>
    public static Task<Result<MemoryTable, VolumeError>> RunWithRefused(
        VolumeState state, CancellationToken cancellation) =>
        Run(state, WriteRights.None, static _ => true, cancellation);

    private static async Task<Result<MemoryTable, VolumeError>> Run(
        VolumeState state, WriteRights rights, Func<Transaction, bool> isWanted, CancellationToken cancellation)
    {
        Result<Unit, StoreError> isSealed =
            await state.Parts.Workers.Run(WorkPriority.Foreground, state.Parts.Log.Seal, cancellation);
        if (!isSealed.IsOk)
        {
            return Errors.From(isSealed.Error);
        }

        LogCompaction logs = state.Parts.Log.Compaction;
        if (!logs.Beginnings.Equals(LogBeginnings.None))
        {
            return VolumeError.BeforeBeginning;
        }

        IReadOnlyList<IEnumerable<Transaction>> history = LogHistory.Of(state.Parts.Log);
        FoldGround? ground = state.Parts.Log.Fold.Ground;
        return await state.Parts.Workers.Run(
            WorkPriority.Foreground,
            () =>
            {
                var table = new MemoryTable();
                OrderedReplay.Run(
                    history,
                    transaction =>
                    {
                        cancellation.ThrowIfCancellationRequested();

                        // What is refused is left to the applier: it has no effect, and was not said.
                        return rights.Refuses(transaction) || isWanted(transaction);
                    },
                    new TreeApplier { Rights = rights },
                    table,
                    ground);
                return logs.Beginnings.Equals(LogBeginnings.None)
                    ? Result<MemoryTable, VolumeError>.Ok(table)
                    : VolumeError.BeforeBeginning;
            },
            cancellation);
    }
}
