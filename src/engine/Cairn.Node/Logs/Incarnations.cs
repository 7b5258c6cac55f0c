using System.Buffers.Binary;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;

namespace Cairn.Node.Logs;

/// <summary>Numbers of new incarnations.</summary>
/// <remarks>
/// Drawn, not counted: who lost the newest log whole (a deleted file, a home brought back from an old backup) would count to
/// the number that its peers know already. docs/decisions/own-log-damage.md.
/// </remarks>
internal static class Incarnations
{
    /// <summary>131,072 incarnations fit a number of 32 bits on average; a lost one is hit once in 65,536 losses.</summary>
    private const uint StepMax = 1 << 16;

    /// <summary>An incarnation above all that are known.</summary>
    /// <param name="last">The highest known one; 0 when none is.</param>
    /// <param name="entropy">Draws the distance.</param>
    public static uint After(uint last, IEntropy entropy)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        entropy.Fill(bytes);
        uint step = 1 + (BinaryPrimitives.ReadUInt32LittleEndian(bytes) % StepMax);
        Invariant.That(last < uint.MaxValue, "a node has used up its incarnations: take it out and let it join anew");
        return last + Math.Min(step, uint.MaxValue - last);
    }
}
