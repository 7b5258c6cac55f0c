using Cairn.Core.Primitives;
using Cairn.Core.Tree.Returning;
using Cairn.Node.Logs;
using Cairn.Node.Logs.Recovery;
using Cairn.Node.Ports;

namespace Cairn.Node.Engine.Upkeep;

/// <summary>Looks after what this node wrote and the others went on without, in one volume, one look at a time.</summary>
/// <remarks>
/// What it wrote before something was settled without it stands behind that now, where the tree may have forgotten what it is about;
/// and something may have been condemned without its word (<see cref="MissedWork"/>). Thread: the engine's loop.
/// </remarks>
internal sealed class OwnWork(
    ReplicatedLog log, VolumeReturn back, IWorkers workers, TimeProvider time, CancellationToken stop)
{
    private readonly GrowingPause _pause = new(time, TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(10));

    /// <summary>Ends with the look that is under way.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    /// <summary>Begins a look if one is due.</summary>
    /// <param name="isReturning">Whether this node was forgotten: then it looks when all is here (<see cref="ComeBack"/>).</param>
    public void Look(bool isReturning)
    {
        bool isDue;
        lock (log.Gate)
        {
            log.Repair.Missed.Note();
            bool isReady = !log.Repair.IsPutOff || log.Repair.WaitsForLook;
            isDue = isReady && (log.Repair.Base.HasOwnWorkMoved || (log.Repair.Missed.IsAny && !isReturning));
        }

        if (isDue && Ended.IsCompleted && !stop.IsCancellationRequested && _pause.IsOver)
        {
            TaskCompletionSource looking = new();
            Ended = looking.Task;
            workers.Start("own work", () => Run(looking));
        }
    }

    /// <summary>Makes good all that was settled while this node was forgotten.</summary>
    /// <param name="doCopiesCount">Whether others count on the copies here all the same.</param>
    /// <param name="cancellation">Ends it early.</param>
    /// <returns>Whether it is done; if not, it is to be tried again.</returns>
    public async Task<bool> ComeBack(bool doCopiesCount, CancellationToken cancellation)
    {
        (Bytes32? _, IReadOnlyCollection<MissedEdit> missed) = Begin();
        bool isDone = await back.Run(doCopiesCount, cancellation);
        if (isDone)
        {
            lock (log.Gate)
            {
                log.Repair.Missed.Done(missed);
            }
        }

        return isDone;
    }

    private async Task Run(TaskCompletionSource looking)
    {
        try
        {
            (Bytes32? ground, IReadOnlyCollection<MissedEdit> missed) = Begin();
            if (!await back.MakeAgain(stop))
            {
                // Each try reads the whole history, and what it lacks may be a block that nobody has who is here.
                _pause.Fail();
                return;
            }

            _pause.End();
            lock (log.Gate)
            {
                log.Repair.Missed.Done(missed);
                if (ground is not null && log.Fold.Ground?.Hash == ground)
                {
                    log.Repair.Base.NoteOwnWork();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The volume is closed; the next opening does it again.
        }
        finally
        {
            looking.SetResult();
        }
    }

    private (Bytes32? Ground, IReadOnlyCollection<MissedEdit> Missed) Begin()
    {
        lock (log.Gate)
        {
            return (log.Repair.Base.HasOwnWorkMoved ? log.Fold.Ground!.Hash : null, log.Repair.Missed.Begin());
        }
    }
}
