using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Node.Control;
using Cairn.Node.Pool;
using Cairn.Node.Volumes;
using Cairn.Storage;

namespace Cairn.Node.Owner;

/// <summary>Going away and coming back: what is kept here, and what is here alone.</summary>
internal sealed class OfflineOperations(NodeParts parts, PoolNames names, VolumeOperations volumes)
{
    /// <inheritdoc cref="INodeControl.Evacuate"/>
    public async IAsyncEnumerable<Result<SafetyProgress, ControlError>> Evacuate(
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (parts.HasLeft)
        {
            yield return Answer.Left;
            yield break;
        }

        await foreach (SafetyProgress step in parts.OnlyHere.Evacuate(() => parts.Progress.Next, cancellation))
        {
            yield return step;
        }
    }

    /// <inheritdoc cref="INodeControl.Pin"/>
    public async ValueTask<Result<Unit, ControlError>> Pin(string? path, int recentDays)
    {
        if (recentDays is < 0 or > PinList.DaysMax)
        {
            return new ControlError(ControlErrorKind.InvalidArgument, $"Recent is 1 to {PinList.DaysMax} days.");
        }

        List<Pin> wanted = [];
        IEnumerable<string> everything =
            volumes.Summaries().Where(volume => volume.HasKeys).Select(volume => volume.Name);
        foreach (string place in path is null ? everything : [path])
        {
            Result<Pin, ControlError> found = await PinAt(place);
            if (!found.TryGet(out Pin? pin, out ControlError error))
            {
                return error;
            }

            wanted.Add(pin with { RecentDays = recentDays });
        }

        ImmutableArray<Pin> pins =
        [
            .. parts.Pins.Pins.Where(pin => !wanted.Exists(
                added => added.Object == pin.Object && added.Volume == pin.Volume)),
            .. wanted,
        ];
        string tooMany = $"A node has at most {PinList.CountMax} pins: pin a folder.";
        return pins.Length <= PinList.CountMax
            ? Answer.Of(parts.Pins.Change(pins))
            : new ControlError(ControlErrorKind.Unsuitable, tooMany);
    }

    /// <inheritdoc cref="INodeControl.Unpin"/>
    public async ValueTask<Result<Unit, ControlError>> Unpin(string path)
    {
        // What was removed from the volume is known by the path that the list of pins shows.
        if (parts.Pins.FindRemoved(path) is { } gone)
        {
            return Answer.Of(parts.Pins.Change([.. parts.Pins.Pins.Where(pin => !pin.IsSame(gone))]));
        }

        Result<Pin, ControlError> found = await PinAt(path);
        if (!found.TryGet(out Pin? wanted, out ControlError error))
        {
            return error;
        }

        ImmutableArray<Pin> rest =
            [.. parts.Pins.Pins.Where(pin => pin.Object != wanted.Object || pin.Volume != wanted.Volume)];
        if (rest.Length == parts.Pins.Pins.Length)
        {
            return new ControlError(ControlErrorKind.NotFound, $"{path} is not pinned. `cairn pin ls` lists the pins.");
        }

        Result<Unit, ControlError> changed = Answer.Of(parts.Pins.Change(rest));
        await parts.Pins.Settle();
        return changed;
    }

    /// <inheritdoc cref="INodeControl.Free"/>
    public async ValueTask<Result<FreeReport, ControlError>> Free(string path, CancellationToken cancellation)
    {
        Result<Pin, ControlError> found = await PinAt(path);
        if (!found.TryGet(out Pin? here, out ControlError error))
        {
            return error;
        }

        if (parts.Pins.Pins.Any(pin => pin.Volume == here.Volume && pin.Object == here.Object))
        {
            Result<Unit, ControlError> unpinned = await Unpin(path);
            if (!unpinned.IsOk)
            {
                return unpinned.Error;
            }
        }

        Result<VolumeContents, ControlError> contents = await names.ContentsOf(path, cancellation);
        if (!contents.TryGet(out VolumeContents? below, out error))
        {
            return error;
        }

        Result<FreeReport, StoreError> freed = await parts.Local.Free(below.Chunks);
        return freed.TryGet(out FreeReport? report, out StoreError failure)
            ? report
            : new ControlError(ControlErrorKind.Storage, failure.ToString());
    }

    private async ValueTask<Result<Pin, ControlError>> PinAt(string path)
    {
        if (!names.FindHosted(path).TryGet(out (IHostedVolume Volume, string Below) place, out ControlError error))
        {
            return error;
        }

        Result<Pin, VolumeError> found = await place.Volume.PinAt(place.Below);
        return found.TryGet(out Pin? pin, out VolumeError failed) ? pin : PoolNames.NotThere(path, failed);
    }
}
