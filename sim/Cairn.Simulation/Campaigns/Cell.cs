using System.Buffers.Binary;
using Cairn.Core.Primitives;

namespace Cairn.Simulation.Campaigns;

/// <summary>What a cell of a file was found to be.</summary>
public enum CellState
{
    /// <summary>Zeros: never written.</summary>
    Hole,

    /// <summary>Whole, with the number of the write that made it.</summary>
    Written,

    /// <summary>Neither: bytes were lost, mixed or moved.</summary>
    Damaged,
}

/// <summary>The unit in which the workload writes: it says which write made it, and proves that it is whole.</summary>
/// <remarks>
/// 8 bytes write number, 4 bytes place in the file (in cells), then bytes that follow from both: a cell that is torn,
/// mixed with another or in the wrong place is seen.
/// </remarks>
public static class Cell
{
    /// <summary>Bytes of a cell that many write alike.</summary>
    public const int EchoBytes = 4096;

    /// <summary>No write of the oracle's has such a number.</summary>
    private const ulong EchoWrites = 1UL << 62;

    private const int HeaderBytes = 12;

    /// <summary>Makes a cell's bytes.</summary>
    public static void Fill(Span<byte> cell, ulong write, int index)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(cell, write);
        BinaryPrimitives.WriteInt32LittleEndian(cell[8..], index);
        new Prng(write ^ ((ulong)index << 40)).Fill(cell[HeaderBytes..]);
    }

    /// <summary>Makes a cell's bytes that say which content they belong to, not who wrote them.</summary>
    public static void FillEcho(Span<byte> cell, int content, int index) =>
        Fill(cell, EchoWrites + (ulong)content, index);

    /// <summary>Whether a file, or the folder of such files, has cells that many write alike.</summary>
    public static bool IsEcho(ReadOnlySpan<byte> name) => !name.IsEmpty && name[0] == (byte)'e';

    /// <summary>Whether the number is that of a content that many write alike.</summary>
    public static bool IsEcho(ulong write) => write >= EchoWrites;

    /// <summary>Says what a cell is, and which write made it.</summary>
    public static CellState Read(ReadOnlySpan<byte> cell, int index, out ulong write)
    {
        write = BinaryPrimitives.ReadUInt64LittleEndian(cell);
        if (write == 0)
        {
            return cell.ContainsAnyExcept((byte)0) ? CellState.Damaged : CellState.Hole;
        }

        byte[] expected = new byte[cell.Length];
        Fill(expected, write, index);
        return cell.SequenceEqual(expected) ? CellState.Written : CellState.Damaged;
    }

    /// <summary>The cell size of a file of the workload: its name's first letter says the class.</summary>
    /// <returns>0 for a file the workload did not make.</returns>
    public static int SizeOf(ReadOnlySpan<byte> name) => name.IsEmpty ? 0 : (char)name[0] switch
    {
        's' => 128,
        'f' => 1024,
        'b' => 16384,
        'e' => EchoBytes,
        _ => 0,
    };
}
