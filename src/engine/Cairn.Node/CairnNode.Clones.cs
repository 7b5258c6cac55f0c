using System.Collections.Immutable;
using System.Text;
using Cairn.Coding.Encryption;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Text;
using Cairn.Node.Control;
using Cairn.Node.Pool;
using Cairn.Node.Volumes;

namespace Cairn.Node;

/// <content>Volumes that begin with a snapshot of another, and removing volumes. docs/decisions/clones.md.</content>
public sealed partial class CairnNode
{
    /// <inheritdoc/>
    public async ValueTask<Result<VolumeSummary, ControlError>> CloneSnapshot(
        string volume, string snapshot, string name, CancellationToken cancellation)
    {
        if (!_view.IsAdmin)
        {
            return NotAdmin("make volumes");
        }

        if (WrongName(name) is { } wrong)
        {
            return wrong;
        }

        if (!_view.State.MayWrite(_view.Self))
        {
            return new ControlError(
                ControlErrorKind.NotPermitted,
                "This node may only read, so it cannot fill a clone: do it on another admin's.");
        }

        if (!_view.State.TryFindVolume(volume, out PoolVolume? origin))
        {
            return new ControlError(
                ControlErrorKind.NotFound, $"There is no volume '{volume}'. `cairn volume ls` lists them.");
        }

        Result<ImmutableArray<CloneOrigin>, ControlError> found = await OriginsOf(origin, snapshot);
        if (!found.TryGet(out ImmutableArray<CloneOrigin> origins, out ControlError error))
        {
            return error;
        }

        // The snapshot is held from here on; the keys are this node's alone until all of it is there.
        VolumeId id = new(Random(VolumeId.Size));
        ReadOnlyMemory<byte> key = _ports.Identity.PublicKey;
        ImmutableArray<Primitive> primitives =
        [
            new CloneVolume(id, Encoding.UTF8.GetBytes(name), origins),
            KeyGrants.Wrap(
                _ports.Identity, _ports.Entropy, _view.Self, key.Span, id, default, Random(DedupSecret.Size)),
            KeyGrants.Wrap(
                _ports.Identity, _ports.Entropy, _view.Self, key.Span, id, new EpochId(Random(EpochId.Size)),
                Random(EpochKey.Size)),
        ];
        if (!Done(_poolLog.Append(primitives)).TryGet(out _, out error)
            || !(await _clones.Fill(_view.State.Volumes[id], _stop.Token)).TryGet(out _, out error))
        {
            return error;
        }

        return Summary(_view.State.Volumes[id]);
    }

    /// <inheritdoc/>
    public ValueTask<Result<Unit, ControlError>> RemoveVolume(string name, CancellationToken cancellation) =>
        ValueTask.FromResult(!_view.IsAdmin ? NotAdmin("remove volumes")
            : !_view.State.TryFindVolume(name, out PoolVolume? volume)
                ? new ControlError(ControlErrorKind.NotFound, $"There is no volume '{name}'.")
            : Remove(volume));

    private Result<Unit, ControlError> Remove(PoolVolume volume)
    {
        if (_view.State.ClonesOf(volume.Volume).Select(clone => clone.Name).ToArray() is { Length: > 0 } clones)
        {
            return new ControlError(
                ControlErrorKind.InvalidArgument,
                $"'{volume.Name}' is needed by the clone '{string.Join("', '", clones)}', which shares its data. "
                + $"Remove that first: `cairn volume rm {clones[0]}`.");
        }

        if (!volume.IsClone)
        {
            return Done(_poolLog.Append([new RemoveVolume(volume.Volume)]));
        }

        List<SeenLogs> seen = [];
        foreach (VolumeId origin in volume.Origins.Select(held => held.Volume).Order())
        {
            if (_volumes.Find(origin) is not { } open)
            {
                return NotOpen(_view.State.Volumes[origin]);
            }

            seen.Add(new SeenLogs(origin, open.Log.Word));
        }

        return Done(_poolLog.Append([new RemoveClone(volume.Volume, [.. seen])]));
    }

    /// <summary>The snapshot, what its volume needs itself if it is a clone, and what is seen of all of them.</summary>
    private async Task<Result<ImmutableArray<CloneOrigin>, ControlError>> OriginsOf(PoolVolume origin, string snapshot)
    {
        if (!origin.IsComplete || _volumes.Find(origin.Volume) is not { } open)
        {
            return NotOpen(origin);
        }

        // A power loss must not take the snapshot and leave the clone. And what was seen is asked for before the snapshot
        // is looked for again: so it is there in all of that.
        Bytes16? sought = open.SnapshotId(snapshot);
        Result<Unit, VolumeError> isSealed = await open.Seal(_stop.Token);
        LogPositions seen = open.Log.Word;
        if (!isSealed.IsOk)
        {
            return new ControlError(
                ControlErrorKind.Storage, $"The log of '{origin.Name}' cannot be written: {isSealed.Error}.");
        }

        if (sought is not { } id || open.SnapshotId(snapshot) != id)
        {
            return new ControlError(
                ControlErrorKind.NotFound,
                $"{snapshot}: no such snapshot of '{origin.Name}'; `cairn snapshot ls {origin.Name}` lists them.");
        }

        var origins = ImmutableArray.CreateBuilder<CloneOrigin>();
        origins.Add(new CloneOrigin(origin.Volume, id, seen));
        foreach (HeldSnapshot held in origin.Origins)
        {
            if (_volumes.Find(held.Volume) is not { } further)
            {
                return NotOpen(_view.State.Volumes[held.Volume]);
            }

            origins.Add(new CloneOrigin(held.Volume, held.Snapshot, further.Log.Word));
        }

        return origins.DrainToImmutable();
    }

    /// <summary>What a clone is a clone of, for people: VOLUME@SNAPSHOT; null for other volumes.</summary>
    private string? CloneOf(PoolVolume volume)
    {
        if (!volume.IsClone)
        {
            return null;
        }

        HeldSnapshot from = volume.Origins[0];
        string snapshot = _volumes.Find(from.Volume)?.SnapshotName(from.Snapshot) ?? from.Snapshot.ToHex(4);
        return $"{_view.State.Volumes[from.Volume].Name}@{snapshot}";
    }

    /// <summary>Why a new volume cannot be called so.</summary>
    private ControlError? WrongName(string name) => !GivenName.IsValid(name)
        ? new ControlError(ControlErrorKind.InvalidArgument, "A volume's name " + GivenName.Rule)
        : _view.State.TryFindVolume(name, out _)
            ? new ControlError(ControlErrorKind.AlreadyExists, $"There is a volume '{name}' already.")
            : null;
}
