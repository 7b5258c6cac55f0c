using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Peers;
using Cairn.Node.Ports;
using Cairn.Storage;

namespace Cairn.Node.Pool;

/// <summary>Publishes placement weights when the pool's nodes changed so much that the old ones no longer do.</summary>
/// <remarks>
/// The first node of the pool that is up publishes, so that usually one speaks; when two do (a split pool), the
/// publication that is later in the log's order holds on both sides. A node that is away keeps its weight: it would come
/// back to another table. Nothing is published before the nodes stayed the same from one look to the next: machines join
/// one after the other. Source: docs/decisions/placement-weights.md. Thread: the engine's loop; solving runs on a worker.
/// </remarks>
internal sealed class WeightKeeper(IWorkers workers, PoolView view, PoolLog log, NodeDiary diary)
{
    private Seen? _last;
    private Seen? _solved;
    private bool _isSolving;

    /// <summary>Looks whether this node should publish, and does.</summary>
    /// <param name="stop">The node ends: nothing is written any more.</param>
    public async Task Look(CancellationToken stop)
    {
        Seen now = new(view.PlacementNodes, log.State.WeightsVersion);
        bool isSettled = _last?.IsSame(now) == true;
        bool isSolved = _solved?.IsSame(now) == true;
        _last = now;
        if (_isSolving || !isSettled || isSolved || !IsFirstUp(now))
        {
            return;
        }

        _isSolving = true;
        PlacementWeights published = log.State.Weights;
        PlacementWeights? better = await workers.Run(
            WorkPriority.Background, () => WeightSolver.Refine(now.Nodes, PlacementPolicy.Default, published),
            CancellationToken.None);
        _isSolving = false;
        _solved = now;
        if (better is not null && !stop.IsCancellationRequested && log.State.WeightsVersion == now.Version)
        {
            Publish(now.Version + 1, better);
        }
    }

    private bool IsFirstUp(Seen seen) =>
        seen.Nodes.Select(node => node.Node).Order().FirstOrDefault(node => view.LivenessOf(node) == Liveness.Alive)
            == view.Self;

    private void Publish(ulong version, PlacementWeights weights)
    {
        Result<Unit, StoreError> written =
            log.Append([new PublishWeights(version, PlacementWeightsCodec.Encode(weights))]);
        if (written.TryGet(out _, out StoreError error))
        {
            diary.Add(LogLevel.Info, "placement", $"weights {version} are published for {weights.Nodes.Length} nodes");
        }
        else
        {
            diary.Add(LogLevel.Error, "placement", error.ToString());
        }
    }

    /// <summary>What a solution depends on.</summary>
    private readonly record struct Seen(IReadOnlyList<PlacementNode> Nodes, ulong Version)
    {
        /// <summary>Whether a solution for one is a solution for the other; being full for now changes no weight.</summary>
        public bool IsSame(Seen other) =>
            Version == other.Version
            && Nodes.Select(Part).SequenceEqual(other.Nodes.Select(Part));

        private static (NodeId Node, long CapacityBytes, string Zone) Part(PlacementNode node) =>
            (node.Node, node.CapacityBytes, node.Zone);
    }
}
