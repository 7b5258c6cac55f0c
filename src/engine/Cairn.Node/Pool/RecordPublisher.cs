using System.Collections.Immutable;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Peers;
using Cairn.Storage;

namespace Cairn.Node.Pool;

/// <summary>Tells the others what this node says of itself, when there is something new. Thread: the engine's loop.</summary>
internal sealed class RecordPublisher(
    TimeProvider time, OwnRecord own, PoolView view, GossipLoop gossip, SpaceKeeper space, NodeDiary diary,
    CancellationToken stop)
{
    private static readonly TimeSpan UseUnsaidMax = TimeSpan.FromMinutes(1);

    /// <summary>Whether the disk refused the record: then the next look tries again, and not each chunk that comes or goes.</summary>
    private bool _isRefused;

    private long _useSaid;

    /// <summary>Tells what this node says of its life.</summary>
    public Result<Unit, StoreError> Say(NodeState state) => Change(record => record with { State = state });

    /// <summary>Tells that what is said otherwise now.</summary>
    public Result<Unit, StoreError> Change(Func<NodeRecord, NodeRecord> change)
    {
        Result<SignedNodeRecord, StoreError> changed = own.Change(change);
        _isRefused = !changed.IsOk;
        if (!changed.TryGet(out SignedNodeRecord? record, out StoreError error))
        {
            diary.Add(LogLevel.Error, "node", error.ToString());
            return error;
        }

        view.Merge(record);
        gossip.Publish(record);
        return Unit.Value;
    }

    /// <summary>Tells what is new, and what a refusal of the disk has kept back: once in a while, not at each chunk.</summary>
    public void Look(long owedChunks)
    {
        _isRefused = false;
        PublishOwed(owedChunks);
        PublishUse();
    }

    /// <summary>Tells that this machine is somewhere else now.</summary>
    public void PublishAddresses()
    {
        ImmutableArray<NodeAddress> now = own.AddressesNow;
        if (!now.SequenceEqual(own.Current.Record.Addresses))
        {
            Change(record => record with { Addresses = now });
        }
    }

    /// <summary>Tells that this node began or ceased to owe copies.</summary>
    public void PublishOwed(long chunks)
    {
        if (chunks > 0 != own.Current.Record.OwedChunks > 0)
        {
            Change(record => record with { OwedChunks = chunks });
        }
    }

    /// <summary>
    /// Tells when the fill level moved by a hundredth, or this node became full; a thousandth waits for a minute.
    /// </summary>
    public void PublishUse()
    {
        NodeRecord now = own.Current.Record;
        (long used, bool isFull) = space.Use(now.IsFull);
        long capacity = space.CapacityBytes;
        long moved = Math.Abs(used - now.UsedBytes);
        bool isNews = isFull != now.IsFull || capacity != now.CapacityBytes
            || moved > Math.Max(1 << 20, capacity / 100)
            || (moved > Math.Max(1 << 20, capacity / 1000) && time.GetElapsedTime(_useSaid) > UseUnsaidMax);
        if (isNews && !_isRefused && !stop.IsCancellationRequested)
        {
            _useSaid = time.GetTimestamp();
            Change(record => record with { CapacityBytes = capacity, UsedBytes = used, IsFull = isFull });
        }
    }
}
