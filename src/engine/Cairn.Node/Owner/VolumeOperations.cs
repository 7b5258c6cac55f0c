using System.Collections.Immutable;
using System.Text;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Pool;
using Cairn.Node.Volumes;

namespace Cairn.Node.Owner;

/// <summary>Which volumes there are: making, finding and removing them.</summary>
internal sealed class VolumeOperations(NodeParts parts, PoolNames names)
{
    /// <inheritdoc cref="INodeControl.CreateVolume"/>
    public Result<VolumeSummary, ControlError> CreateVolume(string name)
    {
        if (!parts.View.IsAdmin)
        {
            return names.NotAdmin("make volumes");
        }

        if (names.WrongName(name) is { } wrong)
        {
            return wrong;
        }

        VolumeId id = new(parts.Ports.RandomBytes(VolumeId.Size));
        ImmutableArray<Primitive> primitives =
        [
            new CreateVolume(id, Encoding.UTF8.GetBytes(name), default),
            .. KeyGrants.FirstKeys(parts.Ports, parts.View.State, id),
        ];
        Result<Unit, ControlError> written = Answer.Of(parts.PoolLog.Append(primitives));
        return written.TryGet(out _, out ControlError error)
            ? Summary(parts.View.State.Volumes[id])
            : error;
    }

    /// <inheritdoc cref="INodeControl.Volume"/>
    public Result<IVolume, ControlError> Volume(string name)
    {
        if (!names.FindVolume(name).TryGet(out PoolVolume? volume, out ControlError error))
        {
            return error;
        }

        if (!volume.IsComplete)
        {
            return new ControlError(
                ControlErrorKind.Locked,
                $"'{name}' is still being made of {CloneOf(volume)}. It is there for everybody when it is complete.");
        }

        if (parts.Volumes.Find(volume.Volume) is { } hosted)
        {
            return Result<IVolume, ControlError>.Ok(hosted.Volume);
        }

        return parts.Volumes.WhyClosed(volume.Volume) is not null
            ? names.NotOpen(volume)
            : new ControlError(
                ControlErrorKind.Locked,
                $"This node has no keys of '{name}' yet. Wait until an admin's node is online.");
    }

    /// <inheritdoc cref="INodeControl.RemoveVolume"/>
    public Result<Unit, ControlError> RemoveVolume(string name) =>
        !parts.View.IsAdmin ? names.NotAdmin("remove volumes")
            : !names.FindVolume(name).TryGet(out PoolVolume? volume, out ControlError error) ? error
            : Remove(volume);

    /// <summary>The volumes that there are, by name.</summary>
    public IReadOnlyList<VolumeSummary> Summaries() =>
        [
            .. parts.View.State.LiveVolumes
                .Select(Summary)
                .OrderBy(volume => volume.Name, StringComparer.Ordinal),
        ];

    /// <summary>One volume, for people.</summary>
    public VolumeSummary Summary(PoolVolume volume) => new(
        volume.Volume, volume.Name, parts.Volumes.Find(volume.Volume) is not null)
    {
        IsReadOnly = !parts.View.State.EditingIn(volume.Volume).MayWrite(parts.View.Self),
        Writers = parts.View.State.WritersOf(volume.Volume) is { } writers
            ? [.. writers.Select(parts.View.NameOf)]
            : null,
        CloneOf = CloneOf(volume),
        IsComplete = volume.IsComplete,
    };

    private Result<Unit, ControlError> Remove(PoolVolume volume)
    {
        if (parts.View.State.ClonesOf(volume.Volume).Select(clone => clone.Name).ToArray() is { Length: > 0 } clones)
        {
            return new ControlError(
                ControlErrorKind.Unsuitable,
                $"'{volume.Name}' is needed by the clone '{string.Join("', '", clones)}', which shares its data. "
                + $"Remove that first: `cairn volume rm {clones[0]}`.");
        }

        if (!volume.IsClone)
        {
            return Answer.Of(parts.PoolLog.Append([new RemoveVolume(volume.Volume)]));
        }

        List<SeenLogs> seen = [];
        foreach (VolumeId origin in volume.Origins.Select(held => held.Volume).Order())
        {
            if (parts.Volumes.Find(origin) is not { } open)
            {
                return names.NotOpen(parts.View.State.Volumes[origin]);
            }

            seen.Add(new SeenLogs(origin, open.Log.Word));
        }

        return Answer.Of(parts.PoolLog.Append([new RemoveClone(volume.Volume, [.. seen])]));
    }

    /// <summary>What a clone is a clone of, for people: VOLUME@SNAPSHOT; null for other volumes.</summary>
    private string? CloneOf(PoolVolume volume)
    {
        if (!volume.IsClone)
        {
            return null;
        }

        HeldSnapshot from = volume.Origins[0];
        string snapshot = parts.Volumes.Find(from.Volume)?.SnapshotName(from.Snapshot) ?? from.Snapshot.ToHex(4);
        return $"{parts.View.State.Volumes[from.Volume].Name}@{snapshot}";
    }
}
