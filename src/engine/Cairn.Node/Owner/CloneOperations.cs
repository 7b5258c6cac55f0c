using System.Collections.Immutable;
using System.Text;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Pool;
using Cairn.Node.Volumes;

namespace Cairn.Node.Owner;

/// <summary>Volumes that begin with a snapshot of another. docs/decisions/clones.md.</summary>
internal sealed class CloneOperations(NodeParts parts, PoolNames names, VolumeOperations volumes)
{
    /// <inheritdoc cref="INodeControl.CloneSnapshot"/>
    public async ValueTask<Result<VolumeSummary, ControlError>> CloneSnapshot(
        string volume, string snapshot, string name)
    {
        if (!parts.View.IsAdmin)
        {
            return names.NotAdmin("make volumes");
        }

        if (names.WrongName(name) is { } wrong)
        {
            return wrong;
        }

        if (!parts.View.State.MayWrite(parts.View.Self))
        {
            return new ControlError(
                ControlErrorKind.NotPermitted,
                "This node may only read, so it cannot fill a clone: do it on another admin's.");
        }

        if (!names.FindVolume(volume).TryGet(out PoolVolume? origin, out ControlError error))
        {
            return error;
        }

        Result<ImmutableArray<CloneOrigin>, ControlError> found = await OriginsOf(origin, snapshot);
        if (!found.TryGet(out ImmutableArray<CloneOrigin> origins, out error))
        {
            return error;
        }

        // The snapshot is held from here on; the keys are this node's alone until all of it is there.
        VolumeId id = new(parts.Ports.RandomBytes(VolumeId.Size));
        ImmutableArray<Primitive> primitives =
        [
            new CloneVolume(id, Encoding.UTF8.GetBytes(name), origins), .. KeyGrants.FirstKeysOfOwn(parts.Ports, id),
        ];
        if (!Answer.Of(parts.PoolLog.Append(primitives)).TryGet(out _, out error)
            || !(await parts.Clones.Fill(parts.View.State.Volumes[id], parts.Stop)).TryGet(out _, out error))
        {
            return error;
        }

        return volumes.Summary(parts.View.State.Volumes[id]);
    }

    /// <summary>The snapshot, what its volume needs itself if it is a clone, and what is seen of all of them.</summary>
    private async Task<Result<ImmutableArray<CloneOrigin>, ControlError>> OriginsOf(PoolVolume origin, string snapshot)
    {
        if (!origin.IsComplete || parts.Volumes.Find(origin.Volume) is not { } open)
        {
            return names.NotOpen(origin);
        }

        // A power loss must not take the snapshot and leave the clone. And what was seen is asked for before the snapshot
        // is looked for again: so it is there in all of that.
        Bytes16? sought = open.SnapshotId(snapshot);
        Result<Unit, VolumeError> isSealed = await open.Seal(parts.Stop);
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
            if (parts.Volumes.Find(held.Volume) is not { } further)
            {
                return names.NotOpen(parts.View.State.Volumes[held.Volume]);
            }

            origins.Add(new CloneOrigin(held.Volume, held.Snapshot, further.Log.Word));
        }

        return origins.DrainToImmutable();
    }
}
