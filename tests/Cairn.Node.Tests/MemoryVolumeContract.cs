using Cairn.Node.Tests.Contracts;
using Cairn.Node.Volumes;
using Cairn.Simulation.Volumes;

namespace Cairn.Node.Tests;

/// <summary>The oracle keeps the contract itself.</summary>
public sealed class MemoryVolumeContract : VolumeContract
{
    protected override ValueTask<IVolume> OpenVolume() => new(new MemoryVolume("memory", seed: 1, TimeProvider.System));
}
