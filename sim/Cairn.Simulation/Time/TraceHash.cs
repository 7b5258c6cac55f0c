using Cairn.Storage.Checksums;

namespace Cairn.Simulation.Time;

/// <summary>A running hash of everything a simulation did, in order.</summary>
/// <remarks>Not for security: two different runs have the same hash once in 2^64.</remarks>
public sealed class TraceHash
{
    private ulong _state = 0x9E3779B97F4A7C15;

    /// <summary>The hash so far.</summary>
    public ulong Value => _state;

    /// <summary>Adds two numbers.</summary>
    public void Add(ulong first, ulong second)
    {
        _state = (ulong.RotateLeft(_state, 5) ^ first) * 0x9FB21C651E98DF25;
        _state = (ulong.RotateLeft(_state, 5) ^ second) * 0x9FB21C651E98DF25;
    }

    /// <summary>Adds bytes.</summary>
    public void Add(ReadOnlySpan<byte> bytes) => Add((ulong)bytes.Length, Crc32C.Compute(bytes));
}
