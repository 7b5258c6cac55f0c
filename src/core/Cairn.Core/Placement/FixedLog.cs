using System.Numerics;

namespace Cairn.Core.Placement;

/// <summary>
/// Base-2 logarithms in whole numbers, the same bits on every machine: no floating point decides where data lives.
/// </summary>
/// <remarks>
/// Normative: docs/formats/placement.md, "Logarithm". Values are Q44: the low 44 bits are the fraction.
/// The table of log2(1 + i/1024) is computed by repeated squaring in 64-bit arithmetic; between knots the value is
/// interpolated linearly, which is off by at most 1.7e-7 and never decreases as the argument grows.
/// </remarks>
public static class FixedLog
{
    /// <summary>Bits of fraction.</summary>
    public const int FractionBits = 44;

    /// <summary>The value 1.</summary>
    public const ulong One = 1UL << FractionBits;

    private const int TableBits = 10;

    /// <summary>
    /// Bits of the place between two knots; a step of the table has 35, and their product must fit 64.
    /// </summary>
    private const int BetweenBits = 28;

    private static readonly ulong[] Table = BuildTable();

    /// <summary>
    /// -log2(value / 2^64) in Q44; <paramref name="value"/> 0 counts as 1, so the result is at most 64.
    /// </summary>
    public static ulong NegativeLog2(ulong value)
    {
        value |= 1;
        int zeros = BitOperations.LeadingZeroCount(value);
        ulong fraction = (value << zeros) << 1;
        int knot = (int)(fraction >> (64 - TableBits));
        ulong between = (fraction << TableBits) >> (64 - BetweenBits);
        ulong low = Table[knot];
        ulong log = low + (((Table[knot + 1] - low) * between) >> BetweenBits);
        return ((ulong)(zeros + 1) << FractionBits) - log;
    }

    private static ulong[] BuildTable()
    {
        ulong[] table = new ulong[(1 << TableBits) + 1];
        for (int i = 0; i < 1 << TableBits; i++)
        {
            table[i] = Log2OfMantissa((1UL << 63) + ((ulong)i << (63 - TableBits)));
        }

        table[1 << TableBits] = One;
        return table;
    }

    /// <summary>log2 of a Q63 number from 1 up to 2, one bit of result per squaring, truncating.</summary>
    private static ulong Log2OfMantissa(ulong mantissa)
    {
        ulong log = 0;
        for (int bit = FractionBits - 1; bit >= 0; bit--)
        {
            ulong high = Math.BigMul(mantissa, mantissa, out ulong low);
            bool atLeastTwo = high >> 63 != 0;
            mantissa = atLeastTwo ? high : (high << 1) | (low >> 63);
            log |= atLeastTwo ? 1UL << bit : 0;
        }

        return log;
    }
}
