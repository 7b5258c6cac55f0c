using Cairn.Node.Tests.Contracts;
using Cairn.Node.Volumes;
using Cairn.Simulation.Disks;

namespace Cairn.Node.Tests.Engine;

/// <summary>The real engine keeps the same contract as the oracle.</summary>
public sealed class EngineVolumeContract : VolumeContract
{
    private EngineNode _node = null!;

    protected override ValueTask<IVolume> OpenVolume()
    {
        _node = new EngineNode(new SimulatedDisk()).Open();
        return new(_node.Engine);
    }

    protected override async ValueTask CloseVolume() => await _node.Close();
}
