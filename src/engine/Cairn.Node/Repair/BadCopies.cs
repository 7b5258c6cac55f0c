using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Peers;
using Cairn.Node.Pool;
using Cairn.Node.Ports;
using Cairn.Node.Replication;
using Cairn.Storage.Packs;

namespace Cairn.Node.Repair;

/// <summary>Reads copies that were set aside as bad again from time to time, and lets go of those that enough others hold.</summary>
/// <remarks>
/// Those that placement wants here are brought by repair, owed ones by the <see cref="Replicator"/>; the rest is here, where
/// nobody would ever bring a good one. What is named to the owner is that and what no member has. Thread: the engine's loop.
/// </remarks>
internal sealed class BadCopies(
    NodePorts ports, ChunkStore store, PoolView view, CopyCensus census, VolumeSet volumes, NowhereChunks nowhere,
    CancellationToken stop)
{
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(1);
    private readonly LostFiles _lost = new(ports, volumes);
    private long? _last;
    private bool _isLooking;

    /// <summary>The files that lost a chunk for good, as far as is known; null for none.</summary>
    public NodeProblem? Problem => _lost.Problem;

    /// <summary>Begins a look, if it is time. Others are asked: nobody waits for that.</summary>
    public void LookIfDue()
    {
        bool isTime = _last is not { } last || ports.Time.GetElapsedTime(last) >= Every;
        bool isAny = store.Aside.Count + nowhere.All.Count > 0 || Problem is not null;
        if (isAny && isTime && !_isLooking)
        {
            _isLooking = true;
            ports.Workers.Start("bad copies", Look);
        }
    }

    private async Task Look()
    {
        try
        {
            await LookOnce();
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The node stops: nobody asks any more.
        }
        finally
        {
            _last = ports.Time.GetTimestamp();
            _isLooking = false;
        }
    }

    /// <summary>Of what is still bad here, that which nobody else has either; and what was asked for and is nowhere.</summary>
    private async Task NameLost()
    {
        ChunkAddress[] bad =
        [
            .. store.Aside.Records.Where(static one => one.Key.Kind == RecordKind.Copy)
                .Select(static one => one.Key.Address).Union(nowhere.All)
                .Where(address => !store.Contains(RecordKey.Copy(address))),
        ];
        int[] elsewhere = await census.Elsewhere(bad, []);
        foreach (ChunkAddress found in nowhere.All.Except(bad).Concat(bad.Where((_, i) => elsewhere[i] > 0)).ToArray())
        {
            nowhere.Remove(found);
        }

        await _lost.Look([.. bad.Where((_, i) => elsewhere[i] == 0)], stop);
        if (_lost.Problem is null)
        {
            nowhere.Clear();
        }
    }

    private async Task LookOnce()
    {
        await ports.Workers.Run(WorkPriority.Background, store.Aside.TryAgain);
        StoredRecord[] strays =
        [
            .. store.Aside.Records.Where(bad => bad.Key.Kind == RecordKind.Copy && bad.Use == ChunkUse.Replicated
                && !view.Placement.AnswersFor(bad.Key.Partition, view.Self)),
        ];
        int[] copies = await census.Elsewhere([.. strays.Select(bad => bad.Key.Address)], []);
        for (int i = 0; i < strays.Length; i++)
        {
            if (copies[i] >= view.CopiesWanted && !store.Contains(strays[i].Key))
            {
                _ = store.Remove(strays[i].Key);
            }
        }

        await NameLost();
    }
}
