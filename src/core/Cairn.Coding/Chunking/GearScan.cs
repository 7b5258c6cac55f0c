using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Cairn.Coding.Chunking;

/// <summary>The inner loop of chunking: finds the first byte whose rolling gear hash is below a threshold.</summary>
/// <remarks>
/// One step needs the hash of the step before, so a single loop waits for itself. But a hash is settled by the 64 bytes
/// before it: four lanes walk four neighbouring stretches side by side, which is some three times as fast and finds
/// exactly the same. Only when one of them finds something is the block walked again, in order, to find the first.
/// </remarks>
internal static class GearScan
{
    private const int Lanes = 4;
    private const int LaneBytes = 4096;
    private const int BlockBytes = Lanes * LaneBytes;

    /// <summary>
    /// How many bytes from <paramref name="start"/> up to and with the first that ends a chunk; 0 if none does.
    /// </summary>
    /// <param name="gear">256 words.</param>
    /// <param name="data">At least <see cref="FastCdc.WindowBytes"/> bytes lie before the start.</param>
    /// <param name="start">The first byte that may end a chunk.</param>
    /// <param name="threshold">A hash below it ends a chunk.</param>
    public static int Find(ReadOnlySpan<ulong> gear, ReadOnlySpan<byte> data, int start, ulong threshold)
    {
        int at = start;
        ulong hash = WarmUp(gear, data, at);
        while (data.Length - at >= BlockBytes && !AnyIn(gear, data, at, threshold, ref hash))
        {
            at += BlockBytes;
        }

        hash = WarmUp(gear, data, at);
        for (; at < data.Length; at++)
        {
            hash = (hash << 1) + gear[data[at]];
            if (hash < threshold)
            {
                return at + 1 - start;
            }
        }

        return 0;
    }

    /// <summary>The hash after the byte before <paramref name="at"/>.</summary>
    private static ulong WarmUp(ReadOnlySpan<ulong> gear, ReadOnlySpan<byte> data, int at)
    {
        ulong hash = 0;
        foreach (byte value in data.Slice(at - FastCdc.WindowBytes, FastCdc.WindowBytes))
        {
            hash = (hash << 1) + gear[value];
        }

        return hash;
    }

    /// <summary>
    /// Whether any of the block's hashes is below the threshold; if not, the hash moves behind the block.
    /// </summary>
    private static bool AnyIn(
        ReadOnlySpan<ulong> gear, ReadOnlySpan<byte> data, int at, ulong threshold, ref ulong hash)
    {
        ulong h1 = WarmUp(gear, data, at + LaneBytes);
        ulong h2 = WarmUp(gear, data, at + (2 * LaneBytes));
        ulong h3 = WarmUp(gear, data, at + (3 * LaneBytes));
        ref ulong table = ref MemoryMarshal.GetReference(gear[..256]);
        ref byte first = ref MemoryMarshal.GetReference(data.Slice(at, BlockBytes));
        return Walk(ref table, ref first, threshold, ref hash, h1, h2, h3);
    }

    // Alone, because a method without calls keeps all eleven values in registers: twice as fast.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool Walk(
        ref ulong table, ref byte lane0, ulong threshold, ref ulong hash, ulong h1, ulong h2, ulong h3)
    {
        ref byte lane1 = ref Unsafe.Add(ref lane0, LaneBytes);
        ref byte lane2 = ref Unsafe.Add(ref lane0, 2 * LaneBytes);
        ref byte lane3 = ref Unsafe.Add(ref lane0, 3 * LaneBytes);
        ulong h0 = hash;
        nint i = 0;
        do
        {
            h0 = h0 + h0 + Unsafe.Add(ref table, Unsafe.Add(ref lane0, i));
            h1 = h1 + h1 + Unsafe.Add(ref table, Unsafe.Add(ref lane1, i));
            h2 = h2 + h2 + Unsafe.Add(ref table, Unsafe.Add(ref lane2, i));
            h3 = h3 + h3 + Unsafe.Add(ref table, Unsafe.Add(ref lane3, i));
            if (h0 < threshold || h1 < threshold || h2 < threshold || h3 < threshold)
            {
                break;
            }
        }
        while (++i < LaneBytes);

        hash = h3;
        return i < LaneBytes;
    }
}
