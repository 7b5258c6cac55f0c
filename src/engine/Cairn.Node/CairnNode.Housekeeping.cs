using System.Collections.Immutable;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Repair;
using Cairn.Storage;

namespace Cairn.Node;

/// <content>What is looked at every few seconds, and what others are told of this node.</content>
public sealed partial class CairnNode
{
    private static readonly TimeSpan UseUnsaidMax = TimeSpan.FromMinutes(1);

    /// <summary>Whether the disk refused the record: then housekeeping tries again, and not each chunk that comes or goes.</summary>
    private bool _isRecordRefused;

    private long _useSaid;

    private async Task Housekeeping()
    {
        long reconciled = _ports.Time.GetTimestamp();
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(_options.HousekeepingInterval, _ports.Time, _stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            _isRecordRefused = false;
            _peers.CloseStuck();
            _volumes.Refresh();
            _volumes.Upkeep();
            _tables.Upkeep();
            _keys.Look();
            _clones.Look(_stop.Token);
            _horizon.Look();
            _returns.Look();
            _ownReturn.Look(_stop.Token);
            _space.Divide();
            _replicator.RetryRefused();
            _badCopies.LookIfDue();
            _lastCached.LookIfDue();
            PublishOwed();
            PublishUse();
            await _weights.Look(_stop.Token);
            await _marks.Look(_stop.Token);
            bool isRound = _ports.Time.GetElapsedTime(reconciled) > TimeSpan.FromSeconds(30);
            if (isRound || _sync.HasLostPeer)
            {
                // Not each time: in a busy pool it changes with every file, and it is as long as members times volumes.
                Warn(_sync.Save());
            }

            if (isRound)
            {
                reconciled = _ports.Time.GetTimestamp();
                _sync.Reconcile();
                PublishAddresses();
            }
        }
    }

    private LastCached NewLastCached() => new(
        _ports, _chunks, _view, _peers, _census, _volumes, _replicator.OweCached, _stop.Token)
    {
        IsCondemned = address => AnyCondemned(garbage => garbage.Contains(address)),
    };

    /// <summary>Tells the others that this node began or ceased to owe copies: looked at every few seconds, not at each chunk.</summary>
    private void PublishOwed()
    {
        long owed = _replicator.OwedCount;
        if (owed > 0 != _record.Current.Record.OwedChunks > 0)
        {
            ChangeRecord(record => record with { OwedChunks = owed });
        }
    }

    /// <summary>Tells the others that this machine is somewhere else now.</summary>
    private void PublishAddresses()
    {
        ImmutableArray<NodeAddress> now = _record.AddressesNow;
        if (!now.SequenceEqual(_record.Current.Record.Addresses))
        {
            ChangeRecord(record => record with { Addresses = now });
        }
    }

    /// <summary>What a node uses: this one now, others when they last said so.</summary>
    private long UsedBy(NodeRecord record) =>
        record.Node == _view.Self ? _space.Use(record.IsFull).UsedBytes : record.UsedBytes;

    private long OthersBytes() => _logs.Bytes + _volumes.IndexBytes;

    /// <summary>
    /// Tells the others when the fill level moved by a hundredth, or this node became full; a thousandth waits for a minute.
    /// </summary>
    private void PublishUse()
    {
        NodeRecord now = _record.Current.Record;
        (long used, bool isFull) = _space.Use(now.IsFull);
        long capacity = _space.CapacityBytes;
        long moved = Math.Abs(used - now.UsedBytes);
        bool isNews = isFull != now.IsFull || capacity != now.CapacityBytes
            || moved > Math.Max(1 << 20, capacity / 100)
            || (moved > Math.Max(1 << 20, capacity / 1000) && _ports.Time.GetElapsedTime(_useSaid) > UseUnsaidMax);
        if (isNews && !_isRecordRefused && !_stop.IsCancellationRequested)
        {
            _useSaid = _ports.Time.GetTimestamp();
            ChangeRecord(record => record with { CapacityBytes = capacity, UsedBytes = used, IsFull = isFull });
        }
    }

    /// <summary>Tells the others what this node says of its life.</summary>
    private Result<Unit, StoreError> Say(NodeState state) => ChangeRecord(record => record with { State = state });

    private Result<Unit, StoreError> ChangeRecord(Func<NodeRecord, NodeRecord> change)
    {
        Result<SignedNodeRecord, StoreError> changed = _record.Change(change);
        _isRecordRefused = !changed.IsOk;
        if (!changed.TryGet(out SignedNodeRecord? record, out StoreError error))
        {
            _diary.Add(LogLevel.Error, "node", error.ToString());
            return error;
        }

        _view.Merge(record);
        _gossip.Publish(record);
        return Unit.Value;
    }
}
