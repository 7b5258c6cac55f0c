using Cairn.Core.Placement;
using Cairn.Core.Primitives;

namespace Cairn.Node.Replication;

/// <summary>How far one owed chunk is with one target.</summary>
internal enum DeliveryState
{
    /// <summary>The target may have it already: it is asked before bytes are sent.</summary>
    Unasked,

    /// <summary>To be sent.</summary>
    Waiting,

    /// <summary>Sent, or being sent.</summary>
    Sent,

    /// <summary>On the target's stable storage.</summary>
    Confirmed,

    /// <summary>The target has no space; another stands in.</summary>
    Full,
}

/// <summary>A chunk written here that is not yet confirmed on enough nodes.</summary>
/// <param name="address">Which.</param>
/// <param name="length">Stored bytes.</param>
/// <param name="mayBeElsewhere">Whether targets may have it from before.</param>
internal sealed class OwedChunk(ChunkAddress address, int length, bool mayBeElsewhere)
{
    private static readonly TimeSpan FirstRest = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LastRest = TimeSpan.FromMinutes(2);

    private long _offered;
    private TimeSpan _rest;

    /// <summary>Which.</summary>
    public ChunkAddress Address { get; } = address;

    /// <summary>Stored bytes.</summary>
    public int Length { get; } = length;

    /// <summary>What becomes of it with a target that nothing is known of.</summary>
    public DeliveryState FirstState { get; } = mayBeElsewhere ? DeliveryState.Unasked : DeliveryState.Waiting;

    /// <summary>Cleared when it is settled: queues that still name it pass it over.</summary>
    public bool IsOwed { get; set; } = true;

    /// <summary>Whether it cannot be read here now: it is sent to nobody until it can.</summary>
    public bool IsUnreadable { get; set; }

    /// <summary>Where it has to go, and how far it is there; this node is not among them.</summary>
    public List<(NodeId Node, DeliveryState State)> Targets { get; } = [];

    /// <summary>Who said that it has it.</summary>
    public IEnumerable<NodeId> ConfirmedBy =>
        Targets.Where(static target => target.State == DeliveryState.Confirmed).Select(static target => target.Node);

    /// <summary>Computes the targets anew, keeping what is known of those that stay; those that refused are asked again.</summary>
    /// <returns>The targets to send to.</returns>
    public List<NodeId> Retarget(PlacementTable placement, NodeId self)
    {
        (NodeId Node, DeliveryState State)[] before = [.. Targets];
        List<NodeId> news = [];
        Targets.Clear();
        Span<NodeId> nodes = stackalloc NodeId[PlacementPolicy.CopiesMax];
        int count = WithFullHolders(placement, PartitionId.Of(Address), nodes);
        foreach (NodeId node in nodes[..count])
        {
            if (node == self)
            {
                continue;
            }

            int known = Array.FindIndex(before, target => target.Node == node);
            bool isNew = known < 0 || before[known].State == DeliveryState.Full;
            Targets.Add(isNew ? (node, FirstState) : before[known]);
            if (isNew)
            {
                news.Add(node);
            }
        }

        return news;
    }

    /// <summary>
    /// Nodes with room, and when the pool has too few of them, full holders: what was acknowledged goes into the reserve that
    /// a node has when it calls itself full.
    /// </summary>
    private static int WithFullHolders(PlacementTable placement, PartitionId partition, Span<NodeId> targets)
    {
        int count = placement.WriteTargets(partition, targets);
        foreach (NodeId holder in placement.Holders(partition))
        {
            if (count < placement.Copies && !targets[..count].Contains(holder))
            {
                targets[count++] = holder;
            }
        }

        return count;
    }

    /// <summary>Where a target stands in the list; -1 if it is none.</summary>
    public int IndexOf(NodeId node) => Targets.FindIndex(target => target.Node == node);

    /// <summary>How far it is with a node.</summary>
    public DeliveryState? StateOf(NodeId node) => IndexOf(node) is >= 0 and int at ? Targets[at].State : null;

    /// <summary>Notes how far it is with a target.</summary>
    public void Set(NodeId node, DeliveryState state)
    {
        if (IndexOf(node) is >= 0 and int at)
        {
            Targets[at] = (node, state);
        }
    }

    /// <summary>Whether it has not been offered to those that refused it for long enough; true if nobody refused it.</summary>
    public bool IsRested(TimeProvider time) => !IsRefused || time.GetElapsedTime(_offered) >= _rest;

    /// <summary>It is offered now to those that refused it; until it is again, it rests twice as long as before.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="isFirst">Whether the rests begin anew, because there may be room now.</param>
    public void Rest(TimeProvider time, bool isFirst)
    {
        if (IsRefused)
        {
            _offered = time.GetTimestamp();
            _rest = isFirst || _rest < FirstRest ? FirstRest : 2 * _rest < LastRest ? 2 * _rest : LastRest;
        }
    }

    private bool IsRefused => Targets.Exists(target => target.State == DeliveryState.Full);

    /// <summary>How many other nodes have confirmed it.</summary>
    public int Confirmed => Targets.Count(target => target.State == DeliveryState.Confirmed);

    /// <summary>Whether every target has it.</summary>
    public bool IsDone => Targets.TrueForAll(target => target.State is DeliveryState.Confirmed or DeliveryState.Full);
}
