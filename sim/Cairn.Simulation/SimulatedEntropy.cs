using Cairn.Core.Primitives;
using Cairn.Node.Ports;

namespace Cairn.Simulation;

/// <summary>Entropy from a seed.</summary>
public sealed class SimulatedEntropy(ulong seed) : IEntropy
{
    private readonly Prng _random = new(seed);

    /// <inheritdoc/>
    public void Fill(Span<byte> destination) => _random.Fill(destination);
}
