using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Peers;
using Cairn.Node.Volumes;
using Cairn.Storage;

namespace Cairn.Node.Pool;

/// <summary>Fills the clones that this node began, and then gives their keys to everybody.</summary>
/// <remarks>
/// Until a clone is complete its keys are this node's alone: nobody sees half of it. What a crash or a full disk
/// interrupted goes on by itself. Thread: the engine's loop.
/// </remarks>
internal sealed class CloneKeeper(
    NodePorts ports, PoolView view, PoolLog log, VolumeSet volumes, NodeDiary diary)
{
    private readonly SortedDictionary<VolumeId, Task<Result<Unit, ControlError>>> _filling = [];
    private readonly SortedSet<VolumeId> _told = [];

    /// <summary>Goes on with what was begun; not while this node is forgotten, for nobody would obey that it is complete.</summary>
    public void Look(CancellationToken stop)
    {
        if (!view.IsAdmin)
        {
            return;
        }

        foreach (PoolVolume clone in log.State.LiveVolumes)
        {
            if (!clone.IsComplete && volumes.Find(clone.Volume) is not null && !_filling.ContainsKey(clone.Volume))
            {
                ports.Workers.Start("clone " + clone.Name, () => Fill(clone, stop));
            }
        }
    }

    /// <summary>Fills one; who asks while it is being filled waits for the same.</summary>
    public Task<Result<Unit, ControlError>> Fill(PoolVolume clone, CancellationToken stop)
    {
        if (!_filling.TryGetValue(clone.Volume, out Task<Result<Unit, ControlError>>? filling))
        {
            filling = FillAndTell(clone, stop);
            if (!filling.IsCompleted)
            {
                _filling.Add(clone.Volume, filling);
            }
        }

        return filling;
    }

    private async Task<Result<Unit, ControlError>> FillAndTell(PoolVolume clone, CancellationToken stop)
    {
        try
        {
            Result<Unit, ControlError> filled = await FillNow(clone, stop);
            if (filled.IsOk)
            {
                diary.Add(LogLevel.Info, "volumes", $"the clone {clone.Name} is complete");
            }
            else if (_told.Add(clone.Volume))
            {
                diary.Add(LogLevel.Warning, "volumes", filled.Error.Message);
            }

            return filled;
        }
        catch (OperationCanceledException)
        {
            return new ControlError(
                ControlErrorKind.Stopping, $"The daemon stops; '{clone.Name}' is completed after its next start.");
        }
        finally
        {
            _filling.Remove(clone.Volume);
        }
    }

    private async Task<Result<Unit, ControlError>> FillNow(PoolVolume clone, CancellationToken stop)
    {
        HeldSnapshot from = clone.Origins[0];
        if (volumes.Find(clone.Volume) is not { } into || volumes.Find(from.Volume) is not { } origin)
        {
            return new ControlError(
                ControlErrorKind.Storage,
                $"'{clone.Name}' or what it is a clone of is not open here; see `cairn status`.");
        }

        Result<Unit, VolumeError> filled = await into.FillFrom(origin, from.Snapshot, stop);
        if (!filled.IsOk)
        {
            return new ControlError(
                filled.Error == VolumeError.NoSpace ? ControlErrorKind.NoSpace : ControlErrorKind.Storage,
                $"'{clone.Name}' cannot be completed now ({filled.Error}). This goes on by itself; "
                + $"`cairn volume rm {clone.Name}` gives it up.");
        }

        IEnumerable<Primitive> grants = KeyGrants.Keyring(ports.Identity, log.State, clone.Volume) is { } ring
            ? [
                .. KeyGrants.ToAll(ports.Identity, ports.Entropy, log.State, clone.Volume, default, ring.Dedup.Bytes),
                .. KeyGrants.ToAll(
                    ports.Identity, ports.Entropy, log.State, clone.Volume, ring.Current.Id, ring.Current.Bytes),
            ]
            : [];
        NodeId self = ports.Identity.Node;
        Result<Unit, StoreError> written = log.Append(
            [new CompleteClone(clone.Volume), .. grants.Where(one => one is not GrantKey own || own.Member != self)]);
        return written.IsOk ? Unit.Value : new ControlError(ControlErrorKind.Storage, written.Error.ToString());
    }
}
