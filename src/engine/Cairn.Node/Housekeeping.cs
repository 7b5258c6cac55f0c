using Cairn.Node.Control;
using Cairn.Node.Peers;
using Cairn.Node.Pool;
using Cairn.Node.Repair;

namespace Cairn.Node;

/// <summary>What is looked at every few seconds. Thread: the engine's loop.</summary>
internal sealed class Housekeeping
{
    private static readonly TimeSpan RoundEvery = TimeSpan.FromSeconds(30);

    private readonly NodeParts _parts;
    private readonly KeyKeeper _keys;
    private readonly HorizonKeeper _horizon;
    private readonly ReturnKeeper _returns;
    private readonly WeightKeeper _weights;
    private readonly MarkKeeper _marks;
    private readonly CopiesReview _review;

    /// <summary>Looks at nothing until <see cref="Run"/>.</summary>
    public Housekeeping(NodeParts parts)
    {
        _parts = parts;
        (NodePorts ports, PoolView view) = (parts.Ports, parts.View);
        (PoolLog log, NodeDiary diary) = (parts.PoolLog, parts.Diary);
        _keys = new KeyKeeper(ports, view, log, diary);
        _horizon = new HorizonKeeper(ports, view, parts.Peers, log, diary, parts.Options.Horizon);
        _returns = new ReturnKeeper(view, parts.Peers, parts.Sync, log, diary, parts.OwnReturn.HasMet);
        _weights = new WeightKeeper(ports.Workers, view, log, diary);
        _marks = new MarkKeeper(ports, view, log, parts.Volumes, diary, parts.Options.MarkInterval);
        _review = new CopiesReview(
            ports, parts.Chunks, view, parts.Peers, parts.Copies.Census, parts.Volumes, parts.Copies.Source, parts.Stop)
        {
            IsCondemned = parts.IsCondemned,
            Owe = parts.Copies.Replicator.OweCached,
        };
    }

    /// <summary>Runs until the node stops.</summary>
    public async Task Run()
    {
        long reconciled = _parts.Ports.Time.GetTimestamp();
        while (!_parts.IsStopping)
        {
            try
            {
                await Task.Delay(_parts.Options.HousekeepingInterval, _parts.Ports.Time, _parts.Stop);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            await Look();
            bool isRound = _parts.Ports.Time.GetElapsedTime(reconciled) > RoundEvery;
            if (isRound || _parts.Sync.HasLostPeer)
            {
                // Not each time: in a busy pool it changes with every file, and it is as long as members times volumes.
                _parts.Diary.AddFailure(_parts.Sync.Save());
            }

            if (isRound)
            {
                reconciled = _parts.Ports.Time.GetTimestamp();
                _parts.Sync.Reconcile();
                _parts.Publisher.PublishAddresses();
            }
        }
    }

    private async Task Look()
    {
        _parts.Peers.CloseStuck();
        _parts.Volumes.Refresh();
        _parts.Volumes.Upkeep();
        _parts.TableServer.Upkeep();
        _keys.Look();
        _parts.Clones.Look(_parts.Stop);
        _horizon.Look();
        _returns.Look();
        _parts.OwnReturn.Look(_parts.Stop);
        _parts.Space.Divide();
        _parts.Copies.Replicator.RetryRefused();
        _parts.BadCopies.LookIfDue();
        _review.LookIfDue();
        _parts.Publisher.Look(_parts.Copies.Replicator.OwedCount);
        await _weights.Look(_parts.Stop);
        await _marks.Look(_parts.Stop);
    }
}
