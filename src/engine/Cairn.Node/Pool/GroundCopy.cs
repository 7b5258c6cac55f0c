using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Control;
using Cairn.Node.Logs.Checkpoints;
using Cairn.Node.Peers;

namespace Cairn.Node.Pool;

/// <summary>Volumes that cannot be opened, because old history was dropped here and what was made of it is lost.</summary>
/// <remarks>
/// (1) The opening was refused: there is no tree that could be shown or written into. (2) The settled checkpoint is taken, by
/// its hash, from whoever keeps it, as often as it takes. (3) The volume is opened; if that is refused once more, the
/// checkpoint does not go far enough, and the next is waited for. A restart begins with (1). docs/decisions/compaction.md.
/// Thread: the engine's loop.
/// </remarks>
internal sealed class GroundCopy(
    NodePorts ports, PoolView view, PeerSet peers, NodeDiary diary, VolumeTransfers transfers)
{
    private readonly CheckpointCopy _copy = new(ports, peers, transfers);
    private readonly SortedDictionary<VolumeId, Wait> _waiting = [];

    /// <summary>One was taken: its volume can be opened.</summary>
    public event Action? Taken;

    /// <summary>Whether any volume waits.</summary>
    public bool IsAny => _waiting.Count > 0;

    /// <summary>Whether one waits.</summary>
    public bool IsWaiting(VolumeId volume) => _waiting.ContainsKey(volume);

    /// <summary>What the owner should know of each.</summary>
    public IEnumerable<NodeProblem> Problems => _waiting.Keys.Select(volume => ProblemOf(volume)!.Value);

    /// <summary>What the owner should know of one; null: it does not wait.</summary>
    public NodeProblem? ProblemOf(VolumeId volume)
    {
        if (!_waiting.ContainsKey(volume))
        {
            return null;
        }

        string name = view.State.Volumes.TryGetValue(volume, out PoolVolume? known) ? known.Name : volume.Short;
        string why = $"{name} is not open here: its old history was dropped, "
            + "and the checkpoint that stands for it is lost.";
        NodeId[] keepers = [.. Keepers(volume)];
        string[] there = [.. GiversOf(volume).Select(link => view.NameOf(link.Peer)).Order(StringComparer.Ordinal)];
        string all = string.Join(", ", keepers.Select(view.NameOf).Order(StringComparer.Ordinal));
        (string from, string advice) = there.Length > 0
            ? ($"It is asked for from {string.Join(", ", there)}.", "Nothing to do: the volume opens when it is here.")
            : keepers.Length > 0
                ? ($"None of those who keep it can be reached: {all}.", $"Start one of them: {all}.")
                : ("No other member keeps it.", "If a machine that had this volume is left, let it in again.");
        return new NodeProblem("awaits-checkpoint", $"{why} {from}", advice);
    }

    /// <summary>(1) The opening was refused.</summary>
    public void Await(VolumeId volume)
    {
        if (_waiting.TryAdd(volume, new Wait()))
        {
            diary.Add(LogLevel.Warning, "volumes", ProblemOf(volume)!.Value.Message);
        }
    }

    /// <summary>It is open, or there is none any more.</summary>
    public void Forget(VolumeId volume) => _waiting.Remove(volume);

    /// <summary>Forgets all but these.</summary>
    public void Keep(Func<VolumeId, bool> isThere)
    {
        foreach (VolumeId gone in _waiting.Keys.Where(volume => !isThere(volume)).ToArray())
        {
            _waiting.Remove(gone);
        }
    }

    /// <summary>
    /// Whether the opening of a volume waits; (2) begins to take its checkpoint, if anybody is there who may have it.
    /// </summary>
    /// <param name="volume">Not open; this node has its keys.</param>
    /// <param name="lacks">What takes a checkpoint in; null if it is kept here.</param>
    public bool IsAwaited(VolumeId volume, Func<MadeCheckpoint, SlotFill?> lacks)
    {
        if (!_waiting.TryGetValue(volume, out Wait? wait))
        {
            return false;
        }

        if (transfers.IsRunning(volume) || transfers.IsStopped
            || view.State.Settled.GetValueOrDefault(volume) is not { } settled)
        {
            return true;
        }

        bool isNews = wait.LookedFor != settled.Checkpoint.Hash;
        NodeId[] there = [.. GiversOf(volume).Select(static link => link.Peer)];
        if (!isNews && (wait.IsKept || there.Length == 0))
        {
            return true;
        }

        wait.LookedFor = settled.Checkpoint.Hash;
        SlotFill? fill = lacks(settled.Checkpoint);
        wait.IsKept = fill is null;
        if (fill is null || there.Length == 0)
        {
            fill?.Dispose();
            return !wait.IsKept;
        }

        // What several gave was not it, perhaps: then one after the other is asked for all of it.
        NodeId[] from = wait.Failures == 0 ? [.. Keepers(volume)] : [there[wait.Failures % there.Length]];
        transfers.Start(
            "lost checkpoint", volume, () => Take(volume, settled with { Members = [.. from] }, fill),
            isWhole => OnEnded(volume, wait, settled, isWhole));
        return true;
    }

    /// <summary>
    /// All that can open a volume and are counted on: whoever came later keeps it, too, and its hash says that it is the one.
    /// </summary>
    private IEnumerable<NodeId> Keepers(VolumeId volume) => view.State.ActiveNodes
        .Select(static member => member.Node).Where(node => node != view.Self && view.CanRead(volume, node));

    private IEnumerable<PeerLink> GiversOf(VolumeId volume)
    {
        NodeId[] keepers = [.. Keepers(volume)];
        return peers.Links.Where(link =>
            !link.IsClosed && link.Version >= ProtocolVersion.Checkpoints && keepers.Contains(link.Peer));
    }

    private async Task<bool> Take(VolumeId volume, StandingCheckpoint settled, SlotFill fill)
    {
        using (fill)
        {
            return await _copy.Run(volume, settled, fill);
        }
    }

    private void OnEnded(VolumeId volume, Wait wait, StandingCheckpoint settled, bool isWhole)
    {
        wait.Failures++;
        if (isWhole)
        {
            // (3) It is looked for here, and found.
            wait.LookedFor = null;
            diary.Add(
                LogLevel.Info, "volumes",
                $"took the lost checkpoint of volume {volume.Short}: {settled.Checkpoint.Records} records");
            Taken?.Invoke();
        }
    }

    /// <summary>One volume's.</summary>
    private sealed class Wait
    {
        /// <summary>Which it was last looked for on the disk.</summary>
        public Bytes32? LookedFor { get; set; }

        /// <summary>Whether it was there: if the opening is refused nevertheless, only another will help.</summary>
        public bool IsKept { get; set; }

        /// <summary>How often that ended.</summary>
        public int Failures { get; set; }
    }
}
