using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Node.Logs.Checkpoints;
using Cairn.Node.Pool;
using Cairn.Storage;

namespace Cairn.Simulation.Campaigns;

/// <summary>The real volumes of a node, remembered so that clients and checkers reach them.</summary>
internal sealed class RecordedVolumes(IVolumeFactory volumes) : IVolumeFactory
{
    private readonly SortedDictionary<VolumeId, IHostedVolume> _open = [];

    /// <summary>The volume with the lowest id that is no clone; null if none is open.</summary>
    public IHostedVolume? First => _open.Count == 0 ? null : _open.Values.First();

    /// <inheritdoc/>
    public Result<IHostedVolume, StoreError> Open(VolumeSetting setting)
    {
        Result<IHostedVolume, StoreError> opened = volumes.Open(setting);
        if (opened.IsOk && !setting.Volume.IsClone)
        {
            _open[setting.Volume.Volume] = opened.Value;
        }

        return opened;
    }

    /// <inheritdoc/>
    public SlotFill? Lacks(VolumeSetting setting, MadeCheckpoint checkpoint) => volumes.Lacks(setting, checkpoint);

    /// <inheritdoc/>
    /// <remarks>What a purged volume leaves stays on the disk here: docs/decisions/garbage.md, "a removal that comes to nothing".</remarks>
    public void Forget(VolumeId volume) => volumes.Forget(volume);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => volumes.DisposeAsync();
}
