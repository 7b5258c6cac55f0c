using System.Security.Cryptography;
using Cairn.Node.Ports;

namespace Cairn.Io.Entropy;

/// <summary>The operating system's random bytes, fit for keys.</summary>
public sealed class SystemEntropy : IEntropy
{
    /// <inheritdoc/>
    public void Fill(Span<byte> destination) => RandomNumberGenerator.Fill(destination);
}
