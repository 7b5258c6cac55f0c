using System.Buffers;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Core.Repair;
using Cairn.Node.Control;
using Cairn.Node.Peers;
using Cairn.Node.Ports;
using Cairn.Node.WritePath;
using Cairn.Storage;
using Cairn.Storage.Packs;

namespace Cairn.Node.Replication;

/// <summary>Brings every staged chunk to the nodes that placement names, and keeps it staged until they confirmed it.</summary>
/// <remarks>
/// The queue is the chunk store itself: every record of use Staged is owed; this class only remembers how far each is.
/// (1) A chunk is staged. (2) Its targets are computed; those that may have it already are asked (<see cref="PriorHoldings"/>).
/// (3) It is taken from memory (<see cref="FreshChunks"/>) or read once, and sent to all targets that have room in their window;
/// small ones go together, and on a fast link large ones. (4) Each target confirms after its sync. (5) When all have, the record
/// becomes Replicated if this node is a holder or somebody may count on its copy (<see cref="DropProtocol"/>), else Cached.
/// Thread: the engine's loop; what <see cref="IReplicationQueue"/> has from any, but <see cref="Removed"/>.
/// </remarks>
internal sealed partial class Replicator : IReplicationQueue
{
    private readonly Dictionary<ChunkAddress, OwedChunk> _owed = [];
    private readonly SortedDictionary<NodeId, Lane> _lanes = [];
    private readonly NodePorts _ports;
    private readonly ChunkStore _store;
    private readonly PoolView _view;
    private readonly PeerSet _set;
    private readonly NodeDiary _diary;
    private readonly RateLimiter _limiter;
    private readonly PriorHoldings _prior;
    private readonly DropProtocol _drops;
    private PlacementTable _placement = PlacementTable.Empty;
    private bool _isStopped;

    /// <summary>Starts with what the store says is staged.</summary>
    public Replicator(
        NodePorts ports, ChunkStore store, PoolView view, PeerSet set, NodeDiary diary, RateLimiter limiter,
        DropProtocol drops)
    {
        _drops = drops;
        _ports = ports;
        _store = store;
        _view = view;
        _set = set;
        _diary = diary;
        _limiter = limiter;
        _room = new RoomWatch(view);
        _prior = new PriorHoldings(ports) { Answered = TakePrior, Done = Pump };
        Unreadable = new UnreadableChunks(ports, store, diary);
        set.Connected += OnConnected;
        set.Disconnected += OnDisconnected;
        view.Changed += OnPlacement;
        _placement = view.Placement;
        foreach (StoredRecord record in store.Enumerate(ChunkUse.Staged))
        {
            _drops.CountOn(record.Key);
            Owe(new OwedChunk(record.Key.Address, record.Length, mayBeElsewhere: true));
        }

        OweUnreadable();
    }

    /// <summary>Something was confirmed, staged or lost.</summary>
    public event Action? Progress;

    /// <summary>An owed chunk could not be read to be sent: if another node has it, it is to be fetched.</summary>
    public event Action? Damaged;

    /// <summary>Their stored bytes.</summary>
    public long OwedBytes { get; private set; }

    /// <summary>Chunks that no other node has confirmed since this one started, those just announced among them.</summary>
    public UnconfirmedChunks OnlyHere()
    {
        lock (_lock)
        {
            return UnconfirmedChunks.Of(_owed.Values, _announced.Select(chunk => chunk.Address));
        }
    }

    /// <inheritdoc/>
    public void Removed(ReadOnlySpan<ChunkAddress> addresses)
    {
        foreach (ChunkAddress address in addresses)
        {
            if (_owed.TryGetValue(address, out OwedChunk? chunk))
            {
                Remove(chunk);
            }
        }

        Progress?.Invoke();
    }

    /// <summary>Whether this node is about to bring a chunk to a peer, so that the peer need not fetch it.</summary>
    public bool Brings(ChunkAddress address, NodeId peer) => _owed.TryGetValue(address, out OwedChunk? chunk)
        && !chunk.IsUnreadable
        && chunk.StateOf(peer) is DeliveryState.Unasked or DeliveryState.Waiting or DeliveryState.Sent;

    /// <summary>This node leaves: every copy it answers for is owed to those that placement names without it.</summary>
    public void OweEverything() => OweAgain(
        _store.Enumerate(ChunkUse.Replicated)
            .Where(record => record.Key.Kind == RecordKind.Copy).Select(record => record.Key.Address));

    /// <summary>Copies kept here go to those who should have them, as if they were just written.</summary>
    public void OweAgain(IEnumerable<ChunkAddress> addresses) => OweAgain(addresses, ChunkUse.Replicated);

    /// <summary>Cached copies of what is needed, and nobody else has, go to those who should have them.</summary>
    public void OweCached(IEnumerable<ChunkAddress> addresses) => OweAgain(addresses, ChunkUse.Cached);

    private void OweAgain(IEnumerable<ChunkAddress> addresses, ChunkUse kept)
    {
        foreach (ChunkAddress address in addresses)
        {
            RecordKey key = RecordKey.Copy(address);
            if (!_owed.ContainsKey(address) && _store.TryGet(key, out StoredRecord record)
                && record.Use == kept && _store.SetUse(key, ChunkUse.Staged).IsOk)
            {
                _drops.CountOn(key);
                Owe(new OwedChunk(address, record.Length, mayBeElsewhere: true));
            }
        }

        PumpAll();
    }

    /// <summary>Stops sending.</summary>
    public void Stop() => _isStopped = true;

    private void Owe(OwedChunk chunk)
    {
        _owed.Add(chunk.Address, chunk);
        OwedBytes += chunk.Length;
        Target(chunk);
        FinishIfDone(chunk);
    }

    /// <summary>(2) Computes the targets.</summary>
    private void Target(OwedChunk chunk)
    {
        foreach (NodeId node in chunk.Retarget(_placement, _view.Self))
        {
            LaneOf(node).Enqueue(chunk);
        }
    }

    private void OnPlacement()
    {
        if (ReferenceEquals(_placement, _view.Placement))
        {
            return;
        }

        _placement = _view.Placement;
        foreach (OwedChunk chunk in InOrder())
        {
            Target(chunk);
            FinishIfDone(chunk);
        }

        PumpAll();
    }

    private void OnConnected(PeerLink link)
    {
        Lane lane = LaneOf(link.Peer);
        lane.Link = link;
        lane.InFlightBytes = 0;
        Pump(lane);
    }

    private void OnDisconnected(PeerLink link)
    {
        Lane lane = LaneOf(link.Peer);
        if (lane.Link == link)
        {
            lane.Link = null;
        }
    }

    private void PumpAll()
    {
        foreach (Lane lane in _lanes.Values)
        {
            Pump(lane);
        }
    }

    private void Pump(Lane lane)
    {
        _prior.Ask(lane);
        if (!lane.IsPumping && lane.Link is not null && lane.HasWaiting)
        {
            lane.IsPumping = true;
            _ports.Workers.Start("replicate", () => PumpLoop(lane));
        }
    }

    /// <summary>(3) Sends while there is something to send and room in the window.</summary>
    private async Task PumpLoop(Lane lane)
    {
        try
        {
            while (!_isStopped && lane.HasRoom)
            {
                List<OwedChunk> chunks = lane.NextParcel(_limiter.BytesPerSecond is null);
                if (chunks.Count == 0)
                {
                    return;
                }

                // Marked at once, so that no other lane reads the same chunks for this peer.
                List<Lane> takers = [.. _lanes.Values.Where(other => other == lane || other.CanTake(chunks))];
                foreach (Lane taker in takers)
                {
                    taker.Mark(chunks, DeliveryState.Sent);
                }

                Parcel? parcel = await _ports.Workers.Run(
                    WorkPriority.Foreground, () => Parcel.Load(_store, Fresh, chunks));
                if (parcel is null)
                {
                    await LoadFailed(takers, chunks);
                    continue;
                }

                await _limiter.Wait((long)parcel.Length * takers.Count);
                foreach (Lane taker in takers)
                {
                    Send(taker, parcel.Share(), chunks);
                }

                parcel.Done();
            }
        }
        finally
        {
            lane.IsPumping = false;
        }
    }

    private void Send(Lane lane, Parcel parcel, List<OwedChunk> chunks)
    {
        if (lane.Link is not { IsClosed: false } link)
        {
            parcel.Done();
            Requeue(lane, chunks);
            return;
        }

        (ulong number, Task<PeerReply> reply) = link.Expect();
        ArrayBufferWriter<byte> head = new(16 + (parcel.Addresses.Length * 36));
        PeerMessageCodec.EncodePutHead(number, parcel.Addresses, parcel.Lengths, head);
        lane.InFlightBytes += parcel.Length;
        link.SendBody(head.WrittenMemory, parcel.Body, parcel.Done);
        _ports.Workers.Start("confirm", () => Await(lane, link, reply, chunks, parcel.Length));
    }

    /// <summary>(4) A target answers.</summary>
    private async Task Await(Lane lane, PeerLink link, Task<PeerReply> answer, List<OwedChunk> chunks, int bytes)
    {
        using PeerReply reply = await answer;
        if (lane.Link == link)
        {
            lane.InFlightBytes -= bytes;
        }

        if (reply.Message is ChunkPutReply outcomes && outcomes.Outcomes.Count == chunks.Count)
        {
            for (int i = 0; i < chunks.Count; i++)
            {
                Take(lane, chunks[i], outcomes.Outcomes[i]);
            }
        }
        else
        {
            Requeue(lane, chunks);
        }

        Progress?.Invoke();
        Pump(lane);
    }

    /// <summary>A target said what it has: what it does not answer for is sent.</summary>
    private void TakePrior(Lane lane, OwedChunk chunk, ChunkOutcome outcome)
    {
        if (outcome is ChunkOutcome.Held or ChunkOutcome.Dropping)
        {
            Take(lane, chunk, outcome);
            return;
        }

        chunk.Set(lane.Peer, DeliveryState.Waiting);
        lane.Enqueue(chunk);
    }

    private void Take(Lane lane, OwedChunk chunk, ChunkOutcome outcome)
    {
        switch (outcome)
        {
            case ChunkOutcome.Held:
                chunk.Set(lane.Peer, DeliveryState.Confirmed);
                FinishIfDone(chunk);
                break;
            case ChunkOutcome.Absent or ChunkOutcome.Dropping:
                // Every member agreed that it is garbage, and the peer is further: it goes here, too. Or the peer is
                // about to give its copy up, by another placement than this node's. It is offered again in any case.
                chunk.Set(lane.Peer, DeliveryState.Full);
                break;
            case ChunkOutcome.NoSpace:
                chunk.Set(lane.Peer, DeliveryState.Full);
                Spill(chunk);
                break;
            case ChunkOutcome.Corrupt:
                _ports.Workers.Start("replicate", () => Suspect(lane, chunk));
                break;
            default:
                Refuse(lane, chunk, outcome);
                break;
        }
    }

    private void Refuse(Lane lane, OwedChunk chunk, ChunkOutcome outcome)
    {
        string peer = _view.NameOf(lane.Peer);
        _diary.Add(LogLevel.Warning, "replicate", $"{peer} did not take {chunk.Address.Short}: {outcome}");
        chunk.Set(lane.Peer, DeliveryState.Full);
        Spill(chunk);
    }

    /// <summary>A target is full: the next node in the partition's order stands in.</summary>
    private void Spill(OwedChunk chunk)
    {
        foreach (NodeId node in _placement.Order(PartitionId.Of(chunk.Address)))
        {
            if (node != _view.Self && chunk.IndexOf(node) < 0)
            {
                chunk.Targets.Add((node, chunk.FirstState));
                LaneOf(node).Enqueue(chunk);
                Pump(LaneOf(node));
                return;
            }
        }

        // Nobody is left: it stays staged here, and is tried again when the pool changes, and from time to time.
    }

    /// <summary>(5) Every target has it: what is kept here is a copy like any other, or a cached one.</summary>
    private void FinishIfDone(OwedChunk chunk)
    {
        PartitionId partition = PartitionId.Of(chunk.Address);
        bool holds = _placement.IsHolder(partition, _view.Self);
        if (!chunk.IsOwed || _placement.NodeCount == 0 || !chunk.IsDone
            || chunk.Confirmed + (holds && !chunk.IsUnreadable ? 1 : 0) < _view.CopiesWanted)
        {
            return;
        }

        RecordKey key = RecordKey.Copy(chunk.Address);
        bool isFree = _drops.EndStaging(key);
        bool isKept = holds || _view.KeepsAll || !isFree || !chunk.ConfirmedBy.All(_view.IsLevel);
        ChunkUse use = isKept ? ChunkUse.Replicated : ChunkUse.Cached;
        Result<Unit, StoreError> changed = chunk.IsUnreadable ? _store.Remove(key) : _store.SetUse(key, use);
        bool isGone = chunk.IsUnreadable && !changed.IsOk && changed.Error.Kind == StoreErrorKind.NotFound;
        if (!changed.TryGet(out _, out StoreError error) && !isGone)
        {
            _diary.Add(LogLevel.Error, "replicate", error.ToString());
        }

        Remove(chunk);
    }

    private void Remove(OwedChunk chunk)
    {
        if (_owed.Remove(chunk.Address))
        {
            _drops.EndStaging(RecordKey.Copy(chunk.Address));
            Unreadable.Remove(chunk);
            OwedBytes -= chunk.Length;
            chunk.IsOwed = false;
        }
    }

    /// <summary>Whether they arrived is not known: the peer is asked, so that what it stored is not sent again.</summary>
    private void Requeue(Lane lane, List<OwedChunk> chunks)
    {
        foreach (OwedChunk chunk in chunks)
        {
            if (chunk.IsOwed && chunk.StateOf(lane.Peer) == DeliveryState.Sent)
            {
                chunk.Set(lane.Peer, DeliveryState.Unasked);
                lane.Enqueue(chunk);
            }
        }

        Pump(lane);
    }

    private OwedChunk[] InOrder() => [.. _owed.Values.OrderBy(chunk => chunk.Address)];

    private Lane LaneOf(NodeId node)
    {
        if (!_lanes.TryGetValue(node, out Lane? lane))
        {
            lane = new Lane(node) { Link = _set.Find(node) };
            _lanes.Add(node, lane);
        }

        return lane;
    }
}
