using System.Collections.Immutable;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Node.Control;
using Cairn.Node.Pool;
using Cairn.Node.Volumes;
using Cairn.Storage;

namespace Cairn.Node;

/// <content>Going away and coming back.</content>
public sealed partial class CairnNode
{
    /// <inheritdoc/>
    public IAsyncEnumerable<Result<SafetyProgress, ControlError>> Evacuate(CancellationToken cancellation) =>
        _onlyHere.Evacuate(() => _progress.Task, cancellation);

    /// <inheritdoc/>
    public async ValueTask<Result<Unit, ControlError>> Pin(
        string? path, int recentDays, CancellationToken cancellation)
    {
        if (recentDays is < 0 or > PinList.DaysMax)
        {
            return new ControlError(ControlErrorKind.InvalidArgument, $"Recent is 1 to {PinList.DaysMax} days.");
        }

        List<Pin> wanted = [];
        IEnumerable<string> everything = Summaries().Where(volume => volume.HasKeys).Select(volume => volume.Name);
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
            .. _pins.Pins.Where(pin => !wanted.Exists(
                added => added.Object == pin.Object && added.Volume == pin.Volume)),
            .. wanted,
        ];
        string tooMany = $"A node has at most {PinList.CountMax} pins: pin a folder.";
        return pins.Length <= PinList.CountMax
            ? Done(_pins.Change(pins))
            : new ControlError(ControlErrorKind.InvalidArgument, tooMany);
    }

    /// <inheritdoc/>
    public async ValueTask<Result<Unit, ControlError>> Unpin(string path, CancellationToken cancellation)
    {
        // What was removed from the volume is known by the path that the list of pins shows.
        if (_pins.FindRemoved(path) is { } gone)
        {
            return Done(_pins.Change([.. _pins.Pins.Where(pin => !pin.IsSame(gone))]));
        }

        Result<Pin, ControlError> found = await PinAt(path);
        if (!found.TryGet(out Pin? wanted, out ControlError error))
        {
            return error;
        }

        ImmutableArray<Pin> rest =
            [.. _pins.Pins.Where(pin => pin.Object != wanted.Object || pin.Volume != wanted.Volume)];
        if (rest.Length == _pins.Pins.Length)
        {
            return new ControlError(ControlErrorKind.NotFound, $"{path} is not pinned. `cairn pin ls` lists the pins.");
        }

        Result<Unit, ControlError> changed = Done(_pins.Change(rest));
        await _pins.Settle();
        return changed;
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<PinSummary>> Pins(CancellationToken cancellation) => new(_pins.Summaries);

    /// <inheritdoc/>
    public async ValueTask<Result<FreeReport, ControlError>> Free(string path, CancellationToken cancellation)
    {
        Result<Pin, ControlError> found = await PinAt(path);
        if (!found.TryGet(out Pin? here, out ControlError error))
        {
            return error;
        }

        if (_pins.Pins.Any(pin => pin.Volume == here.Volume && pin.Object == here.Object))
        {
            Result<Unit, ControlError> unpinned = await Unpin(path, cancellation);
            if (!unpinned.IsOk)
            {
                return unpinned.Error;
            }
        }

        Result<VolumeContents, ControlError> contents = await ContentsOf(path, cancellation);
        if (!contents.TryGet(out VolumeContents? below, out error))
        {
            return error;
        }

        Result<FreeReport, StoreError> freed = await _local.Free(below.Chunks);
        return freed.TryGet(out FreeReport? report, out StoreError failure)
            ? report
            : new ControlError(ControlErrorKind.Storage, failure.ToString());
    }

    private async ValueTask<Result<Pin, ControlError>> PinAt(string path)
    {
        if (!FindHosted(path).TryGet(out (IHostedVolume Volume, string Below) place, out ControlError error))
        {
            return error;
        }

        Result<Pin, VolumeError> found = await place.Volume.PinAt(place.Below);
        return found.TryGet(out Pin? pin, out VolumeError failed) ? pin : NotThere(path, failed);
    }
}
