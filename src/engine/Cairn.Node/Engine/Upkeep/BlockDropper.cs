using Cairn.Core.Fold;
using Cairn.Core.Primitives;
using Cairn.Node.Garbage;
using Cairn.Node.Logs;
using Cairn.Node.Logs.Checkpoints;
using Cairn.Node.Ports;
using Cairn.Storage;

namespace Cairn.Node.Engine.Upkeep;

/// <summary>
/// Drops what is in the ground, once all members have said that they have it folded: nobody who is counted on has a use for it then
/// but a fold that is made anew, and those begin with the ground.
/// </summary>
/// <remarks>
/// Who is forgotten is not counted on: what it needs of the time before it keeps itself (<see cref="KeptTable"/>).
/// docs/decisions/compaction.md. Thread: the engine's loop.
/// </remarks>
internal sealed class BlockDropper(ReplicatedLog log, CheckpointShelf checkpoints, IWorkers workers)
{
    private Bytes32? _droppedBefore;

    /// <summary>The last dropping that was begun.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    /// <summary>Begins to drop, if there is something and nothing is against it.</summary>
    public void Look(IGarbageMembers members)
    {
        if (!Ended.IsCompleted)
        {
            return;
        }

        FoldGround ground;
        lock (log.Gate)
        {
            // A fold that is made anew begins with the settled one: no other checkpoint may stand for blocks.
            if (log.Fold.Ground is not { } stood || stood.Hash == _droppedBefore || !checkpoints.Keeps(stood.Hash)
                || checkpoints.Settled()?.Checkpoint.Hash != stood.Hash
                || log.Repair.IsPutOff || log.Repair.Base.HasOwnWorkMoved || log.Repair.Missed.IsAny
                || log.Copied.Awaited is not null
                || !members.Stable(log.Fold.Positions).Covers(stood.Positions))
            {
                return;
            }

            ground = stood;
        }

        Ended = DropBefore(ground);
    }

    private async Task DropBefore(FoldGround ground)
    {
        // From then on it is all there is of them here: it is read once more, and made safe from a power cut.
        Result<Unit, IndexError> secured =
            await workers.Run(WorkPriority.Background, () => checkpoints.Secure(ground.Hash));
        if (!secured.TryGet(out _, out IndexError unfit))
        {
            // One that is damaged is not kept any more, and is looked at again when it was taken from others.
            _droppedBefore = checkpoints.Keeps(ground.Hash) ? ground.Hash : _droppedBefore;
            log.Report(log.OwnLogId, $"no old blocks are dropped yet: {unfit.Detail}");
            return;
        }

        Result<long, StoreError> dropped = await workers.Run(
            WorkPriority.Background, () => log.Compaction.Drop(ground.Positions, ground.Depth));
        // What could not be dropped is at the next start, or with the next ground.
        _droppedBefore = ground.Hash;
        if (!dropped.TryGet(out _, out StoreError error))
        {
            log.Report(log.OwnLogId, $"not all old blocks could be dropped: {error}");
        }
    }
}
