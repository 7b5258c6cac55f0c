using Cairn.Core.Placement;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Placement;

public sealed class FixedLogTests
{
    [Fact]
    public void It_is_the_logarithm_and_never_rises()
    {
        Prng prng = new(1);
        List<ulong> values = [1, 2, 3, ulong.MaxValue, ulong.MaxValue - 1, 1UL << 63, (1UL << 63) - 1, (1UL << 63) + 1];
        for (int i = 0; i < 20_000; i++)
        {
            values.Add(prng.NextUInt64() >> prng.Next(64));
        }

        values.Sort();
        ulong before = ulong.MaxValue;
        foreach (ulong value in values)
        {
            ulong log = FixedLog.NegativeLog2(value);
            Assert.Equal(64 - Math.Log2(value | 1), log / (double)FixedLog.One, 5e-7);
            Assert.True(log <= before);
            before = log;
        }

        Assert.Equal(64 * FixedLog.One, FixedLog.NegativeLog2(0));
        Assert.Equal(FixedLog.One, FixedLog.NegativeLog2(1UL << 63));
    }

    /// <summary>docs/formats/placement.md: values of an independent integer implementation.</summary>
    [Theory]
    [InlineData(0x8000000000000001, 17592186044416)]
    [InlineData(0x123456789ABCDEF0, 67092748971098)]
    [InlineData(0xFFFFFFFFFFFFFFFF, 47)]
    [InlineData(0xC000000000000000, 7301416902723)]
    public void The_golden_values_hold(ulong value, ulong log) => Assert.Equal(log, FixedLog.NegativeLog2(value));
}
