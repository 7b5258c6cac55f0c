using Cairn.Core.Primitives;

namespace Cairn.Core.Placement;

/// <summary>How much data a pool can really hold when no node may hold two copies of one chunk.</summary>
/// <remarks>
/// The largest K with sum(min(size, K)) at least copies * K. Sizes 20, 4, 4, 4, 2, 1, 1, 1 with four copies hold 5.67
/// units, not 37 / 4 = 9.25: most of the big node is of no use.
/// </remarks>
public static class HonestCapacity
{
    /// <summary>Bytes of data (before copying) that fit.</summary>
    /// <param name="sizes">Bytes each node gives; nodes that give nothing do not count.</param>
    /// <param name="copies">Copies asked for; with fewer nodes, as many as there are nodes.</param>
    public static long Of(ReadOnlySpan<long> sizes, int copies)
    {
        int[] zones = new int[sizes.Length];
        for (int i = 0; i < zones.Length; i++)
        {
            zones[i] = i;
        }

        return Of(sizes, zones, copies, zoneCapMax: 1);
    }

    /// <summary>The same when at most <paramref name="zoneCapMax"/> copies of a chunk may lie in one zone.</summary>
    /// <param name="sizes">Bytes each node gives.</param>
    /// <param name="zones">The zone number of each node, 0 up to the number of nodes.</param>
    /// <param name="copies">Copies asked for.</param>
    /// <param name="zoneCapMax">Copies of one chunk per zone, at most.</param>
    public static long Of(ReadOnlySpan<long> sizes, ReadOnlySpan<int> zones, int copies, int zoneCapMax)
    {
        Invariant.That(copies > 0 && sizes.Length == zones.Length, $"{copies} copies, {sizes.Length}, {zones.Length}");
        int givers = 0;
        Int128 total = 0;
        foreach (long size in sizes)
        {
            Invariant.That(size >= 0, $"a size of {size}");
            givers += size > 0 ? 1 : 0;
            total += size;
        }

        copies = Math.Min(copies, givers);
        Int128[] perZone = new Int128[sizes.Length];
        long fits = 0;
        long most = copies == 0 ? 0 : (long)Int128.Min(long.MaxValue, total / copies);
        while (fits < most)
        {
            long middle = most - ((most - fits) / 2);
            bool holds = Usable(sizes, zones, zoneCapMax, middle, perZone) >= (Int128)copies * middle;
            (fits, most) = holds ? (middle, most) : (fits, middle - 1);
        }

        return fits;
    }

    /// <summary>
    /// Bytes the nodes can hold of <paramref name="dataBytes"/> of data. Concave in it, so bisection works.
    /// </summary>
    private static Int128 Usable(
        ReadOnlySpan<long> sizes, ReadOnlySpan<int> zones, int zoneCapMax, long dataBytes, Int128[] perZone)
    {
        Array.Clear(perZone);
        for (int i = 0; i < sizes.Length; i++)
        {
            perZone[zones[i]] += Math.Min(sizes[i], dataBytes);
        }

        Int128 total = 0;
        foreach (Int128 zone in perZone)
        {
            total += Int128.Min(zone, (Int128)zoneCapMax * dataBytes);
        }

        return total;
    }
}
