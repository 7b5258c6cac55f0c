using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Ports;
using Cairn.Storage;
using Cairn.Storage.Packs;

namespace Cairn.Node.Replication;

/// <content>What is owed and cannot be read.</content>
internal sealed partial class Replicator
{
    /// <summary>What is owed and cannot be read here.</summary>
    public UnreadableChunks Unreadable { get; }

    /// <summary>What was set aside as bad before this node started is owed as before.</summary>
    private void OweUnreadable()
    {
        foreach (StoredRecord bad in _store.Aside.Records
            .Where(bad => bad.Use == ChunkUse.Staged && bad.Key.Kind == RecordKind.Copy && !Owes(bad.Key.Address)))
        {
            OwedChunk chunk = new(bad.Key.Address, bad.Length, mayBeElsewhere: true);
            Unreadable.Add(chunk, new StoreError(StoreErrorKind.Corrupt, bad.Key.Address.Short, "found bad before"));
            Owe(chunk);
        }
    }

    /// <summary>What could not be read may be readable now, or is fetched from whoever has it.</summary>
    private async Task ReadAgain()
    {
        foreach (OwedChunk chunk in await Unreadable.TryAgain())
        {
            // A copy that came back by repair, or from the cache, is owed as this node's own was.
            RecordKey key = RecordKey.Copy(chunk.Address);
            _drops.CountOn(key);
            _ = _store.SetUse(key, ChunkUse.Staged);
            foreach ((NodeId node, DeliveryState state) in chunk.Targets.ToArray())
            {
                if (state == DeliveryState.Waiting)
                {
                    chunk.Set(node, DeliveryState.Unasked);
                    LaneOf(node).Enqueue(chunk);
                }
            }

            FinishIfDone(chunk);
        }

        PumpAll();
    }

    /// <summary>One of them cannot be read: it waits, the others are tried again.</summary>
    private async Task LoadFailed(List<Lane> takers, List<OwedChunk> chunks)
    {
        await Unreadable.Look(chunks);
        foreach (Lane taker in takers)
        {
            Requeue(taker, chunks);
        }

        Damaged?.Invoke();
        Progress?.Invoke();
    }

    /// <summary>A target says that the bytes are wrong: they may be so here.</summary>
    private async Task Suspect(Lane lane, OwedChunk chunk)
    {
        bool isGood = await _ports.Workers.Run(
            WorkPriority.Background, () => _store.Verify(RecordKey.Copy(chunk.Address)).IsOk);
        if (!isGood)
        {
            chunk.Set(lane.Peer, DeliveryState.Waiting);
            await Unreadable.Look([chunk]);
            Progress?.Invoke();
            return;
        }

        Refuse(lane, chunk, ChunkOutcome.Corrupt);
        Pump(lane);
    }
}
