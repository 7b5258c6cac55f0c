using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Cairn.Coding.Chunking;

/// <summary>The inner loop of chunking: the rolling gear hash, four bytes at a time.</summary>
/// <remarks>
/// Four hashes are computed from the one before the group, so the chain from group to group is one shift and one add
/// instead of four; the sum of the four table words is the same number as four single steps.
/// </remarks>
internal static class GearScan
{
    /// <summary>How many bytes up to and with the first whose hash is below the threshold; 0 if there is none.</summary>
    public static int Find(ReadOnlySpan<ulong> gear, ReadOnlySpan<byte> data, ulong threshold, ref ulong hash)
    {
        ref ulong table = ref MemoryMarshal.GetReference(gear[..256]);
        ulong h = hash;
        int i = 0;
        for (; i <= data.Length - sizeof(uint); i += sizeof(uint))
        {
            uint group = Unsafe.ReadUnaligned<uint>(in data[i]);
            group = BitConverter.IsLittleEndian ? group : System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(group);
            ulong g0 = Unsafe.Add(ref table, (byte)group);
            ulong g1 = (g0 << 1) + Unsafe.Add(ref table, (byte)(group >> 8));
            ulong g2 = (g1 << 1) + Unsafe.Add(ref table, (byte)(group >> 16));
            ulong g3 = (g2 << 1) + Unsafe.Add(ref table, group >> 24);
            ulong h1 = (h << 1) + g0;
            ulong h2 = (h << 2) + g1;
            ulong h3 = (h << 3) + g2;
            h = (h << 4) + g3;
            if (h1 < threshold || h2 < threshold || h3 < threshold || h < threshold)
            {
                return i + (h1 < threshold ? 1 : h2 < threshold ? 2 : h3 < threshold ? 3 : 4);
            }
        }

        for (; i < data.Length; i++)
        {
            h = (h << 1) + Unsafe.Add(ref table, data[i]);
            if (h < threshold)
            {
                return i + 1;
            }
        }

        hash = h;
        return 0;
    }
}
