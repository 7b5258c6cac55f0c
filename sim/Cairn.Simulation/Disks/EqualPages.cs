using System.Runtime.InteropServices;

namespace Cairn.Simulation.Disks;

/// <summary>Finds pages that are the same on several simulated disks, so that memory has them once.</summary>
/// <remarks>
/// Every member's log is on every node's disk, byte for byte, and is written there within seconds: so it is enough to remember
/// some thousand of the last pages. Thread: one at a time.
/// </remarks>
public sealed class EqualPages
{
    private const int Remembered = 1 << 13;

    private readonly byte[]?[] _last = new byte[]?[Remembered];

    /// <summary>The same bytes, as they were seen before or as they are given. They must not be changed any more.</summary>
    internal byte[] Of(byte[] page)
    {
        ulong hash = 0;
        foreach (ulong part in MemoryMarshal.Cast<byte, ulong>(page))
        {
            hash = (hash ^ part) * 0x9E3779B97F4A7C15;
            hash ^= hash >> 29;
        }

        ref byte[]? known = ref _last[hash % Remembered];
        if (known is null || !known.AsSpan().SequenceEqual(page))
        {
            known = page;
        }

        return known;
    }
}
