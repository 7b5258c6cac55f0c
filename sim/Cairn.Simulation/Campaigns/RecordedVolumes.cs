using Cairn.Core.Primitives;
using Cairn.Node.Engine;
using Cairn.Node.Pool;
using Cairn.Storage;

namespace Cairn.Simulation.Campaigns;

/// <summary>The real volumes of a node, remembered so that clients and checkers reach them.</summary>
internal sealed class RecordedVolumes : IVolumeFactory
{
    private readonly SortedDictionary<VolumeId, IHostedVolume> _open = [];
    private readonly EngineVolumes? _volumes;

    /// <summary>Opens a node's journal; see <see cref="Failure"/>.</summary>
    public RecordedVolumes(NodeStores stores)
    {
        if (!EngineVolumes.Open(stores).TryGet(out _volumes, out StoreError error))
        {
            Failure = error.ToString();
        }
    }

    /// <summary>Why the journal did not open; null if it did.</summary>
    public string? Failure { get; }

    /// <summary>The volume with the lowest id; null if none is open.</summary>
    public IHostedVolume? First => _open.Count == 0 ? null : _open.Values.First();

    /// <inheritdoc/>
    public Result<IHostedVolume, StoreError> Open(VolumeSetting setting)
    {
        Invariant.That(_volumes is not null, "a volume opened over a journal that did not open");
        Result<IHostedVolume, StoreError> opened = _volumes.Open(setting);
        if (opened.IsOk)
        {
            _open[setting.Volume.Volume] = opened.Value;
        }

        return opened;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _volumes?.DisposeAsync() ?? default;
}
