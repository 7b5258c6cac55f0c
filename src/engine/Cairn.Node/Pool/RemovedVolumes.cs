using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Peers;
using Cairn.Node.Ports;
using Cairn.Storage;

namespace Cairn.Node.Pool;

/// <summary>The volumes that were removed, as long as this node keeps anything of them.</summary>
/// <remarks>
/// (1) What doors had open is closed, which publishes what was being written. (2) The volume is opened again, for no door:
/// its garbage collector gives all of its chunks back, with the others'. (3) When all members have, an admin's node says
/// in the pool's log that it is purged. (4) Everybody deletes its logs and indexes. Each step follows from what is in the
/// pool's log and on the disk, so a start goes on with the one that is due. Before (3) all members must have heard of the
/// removal: while one is away, a volume in which nothing goes on is closed (<see cref="RestingVolumes"/>).
/// Thread: the engine's loop.
/// </remarks>
internal sealed class RemovedVolumes(
    PoolLog log, PoolView view, LogSync sync, NodeDiary diary, IVolumeFactory factory, IWorkers workers)
{
    private readonly SortedDictionary<VolumeId, IHostedVolume> _open = [];
    private readonly HashSet<VolumeId> _closing = [];
    private readonly HashSet<VolumeId> _emptied = [];
    private readonly HashSet<VolumeId> _settled = [];
    private readonly RestingVolumes _resting = new(sync);

    /// <summary>What of the pool's log was here when a removal was first seen in this life.</summary>
    private readonly Dictionary<VolumeId, LogPositions> _told = [];

    /// <summary>Opens a volume that was removed; null if that is not possible now.</summary>
    public required Func<PoolVolume, IHostedVolume?> OpenOne { get; init; }

    /// <summary>Told when one was closed: something else may be due for it.</summary>
    public required Action Closed { get; init; }

    /// <summary>Who may write to a volume.</summary>
    public required Func<PoolVolume, IEnumerable<NodeId>> Writers { get; init; }

    /// <summary>Those that are open to be emptied.</summary>
    public IEnumerable<IHostedVolume> Open => _open.Values;

    /// <summary>What the indexes of those take that are closed until all have heard of the removal.</summary>
    public long RestingBytes => _resting.IndexBytes;

    /// <summary>Tells, whenever it is asked, whether all who may write to a removed volume said that they heard of that.</summary>
    public Func<bool> HeardOf(PoolVolume volume)
    {
        if (!_told.TryGetValue(volume.Volume, out LogPositions? told))
        {
            _told[volume.Volume] = told = log.Positions;
        }

        return () => Writers(volume).All(
            writer => writer == view.Self || sync.ConfirmedBy(writer, log.Volume).Covers(told));
    }

    /// <summary>Somebody asks for what a closed one keeps: it is opened with the next look.</summary>
    public void Rouse(VolumeId volume) => _resting.Rouse(volume);

    /// <summary>Whether one is open here, or not closed yet: nobody else may open it.</summary>
    public bool Has(VolumeId volume) => _open.ContainsKey(volume) || _closing.Contains(volume);

    /// <summary>(1) Closes a volume that was open for doors.</summary>
    public void Close(VolumeId volume, IHostedVolume hosted)
    {
        sync.Remove(volume);
        _closing.Add(volume);
        workers.Start("close volume", async () =>
        {
            await hosted.DisposeAsync();
            _closing.Remove(volume);
            Closed();
        });
    }

    /// <summary>Does what is due for each.</summary>
    public void Refresh()
    {
        // Its maker was forgotten by somebody who was away, before it made the volume: then there never was one.
        foreach (VolumeId unmade in _open.Keys.Where(id => !log.State.Volumes.ContainsKey(id)).ToArray())
        {
            IHostedVolume hosted = _open[unmade];
            _open.Remove(unmade);
            Close(unmade, hosted);
        }

        _resting.Wake(id => log.State.Volumes.TryGetValue(id, out PoolVolume? volume)
            && volume is { IsRemoved: true, IsPurged: false } && !HeardOf(volume)());
        foreach (PoolVolume volume in log.State.Volumes.Values.Where(volume => !_closing.Contains(volume.Volume)))
        {
            bool isOpen = _open.TryGetValue(volume.Volume, out IHostedVolume? hosted);
            bool isEmptied = volume.IsPurged && hosted is { IsEmptyHere: true };
            if (!volume.IsRemoved)
            {
                _told.Remove(volume.Volume);
            }

            if (isOpen && (isEmptied || !volume.IsRemoved))
            {
                _ = isEmptied && _emptied.Add(volume.Volume);
                _open.Remove(volume.Volume);
                Close(volume.Volume, hosted!);
            }
            else if (!isOpen && volume is { IsRemoved: true, IsComplete: true }
                && !(volume.IsPurged && _settled.Contains(volume.Volume)) && !_resting.Has(volume.Volume))
            {
                OpenOrDelete(volume);
            }
        }
    }

    /// <summary>Does the small work that is due every few seconds, and (3) says what is purged.</summary>
    public void Upkeep()
    {
        foreach ((VolumeId volume, IHostedVolume hosted) in _open.ToArray())
        {
            hosted.Upkeep();
            bool isDue = log.State.Volumes.TryGetValue(volume, out PoolVolume? row)
                && row is { IsRemoved: true, IsPurged: false };
            if (isDue && view.IsAdmin && hosted.IsPurged)
            {
                Result<Unit, StoreError> written = log.Append([new PurgeVolume(volume)]);
                diary.Add(
                    written.IsOk ? LogLevel.Info : LogLevel.Error, "volumes",
                    written.TryGet(out _, out StoreError error)
                        ? $"all nodes have given back what the removed volume {hosted.Volume.Name} took"
                        : error.ToString());
            }
            else if (isDue && _resting.MayRest(hosted, HeardOf(row!)()))
            {
                diary.Add(LogLevel.Info, "volumes", RestingVolumes.Sentence(hosted.Volume.Name));
                _open.Remove(volume);
                _resting.Add(hosted);
                Close(volume, hosted);
            }
        }
    }

    /// <summary>Closes them all.</summary>
    public async ValueTask Stop()
    {
        foreach (IHostedVolume hosted in _open.Values)
        {
            await hosted.DisposeAsync();
        }

        _open.Clear();
    }

    /// <summary>(2) Opens what is to be emptied, or (4) deletes what is left of what is empty.</summary>
    private void OpenOrDelete(PoolVolume volume)
    {
        VolumeId id = volume.Volume;
        if (_emptied.Remove(id))
        {
            Result<Unit, StoreError> deleted = factory.Delete(id);
            diary.Add(
                deleted.IsOk ? LogLevel.Info : LogLevel.Error, "volumes",
                deleted.TryGet(out _, out StoreError error)
                    ? $"nothing is left here of the removed volume {volume.Name}"
                    : $"logs of the removed volume {volume.Name} stay until the next start: {error}");
            Settle(id);
        }
        else if (volume.IsPurged && !factory.Holds(id))
        {
            Settle(id);
        }
        else if (OpenOne(volume) is { } hosted)
        {
            _open.Add(id, hosted);
        }
    }

    private void Settle(VolumeId volume)
    {
        _settled.Add(volume);
        factory.Forget(volume);
        sync.Forget(volume);
    }
}
