using Cairn.Core.Placement;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Placement;

public sealed class HonestCapacityTests
{
    [Fact]
    public void The_example_of_the_design_holds_5_67_units()
    {
        long[] sizes = [.. new long[] { 20, 4, 4, 4, 2, 1, 1, 1 }.Select(size => size * 300)];
        Assert.Equal(1700, HonestCapacity.Of(sizes, 4));
    }

    public static TheoryData<int, long[], long> SmallPools => new()
    {
        { 4, [7], 7 },
        { 4, [5, 7], 5 },
        { 4, [9, 9, 9, 1], 1 },
        { 2, [10, 10, 10], 15 },
        { 1, [1, 2, 3], 6 },
        { 4, [0], 0 },
        { 4, [0, 0], 0 },
        { 2, [3, 0, 3, 0], 3 },
        { 2, [long.MaxValue, long.MaxValue], long.MaxValue },
        { 1, [long.MaxValue, long.MaxValue], long.MaxValue },
    };

    [Theory]
    [MemberData(nameof(SmallPools))]
    public void Small_pools_hold(int copies, long[] sizes, long holds) =>
        Assert.Equal(holds, HonestCapacity.Of(sizes, copies));

    [Fact]
    public void It_is_the_largest_that_fits()
    {
        Prng prng = new(2);
        for (int round = 0; round < 500; round++)
        {
            long[] sizes = [.. Enumerable.Range(0, 1 + prng.Next(12)).Select(_ => (long)prng.Next(1000))];
            int copies = 1 + prng.Next(5);
            long held = HonestCapacity.Of(sizes, copies);
            int placed = Math.Min(copies, sizes.Count(size => size > 0));
            bool Fits(long data) => sizes.Sum(size => Math.Min(size, data)) >= placed * data;
            Assert.True(Fits(held));
            Assert.True(placed == 0 || !Fits(held + 1));
        }
    }

    [Fact]
    public void Two_zones_hold_no_more_than_the_smaller_one_allows()
    {
        long[] sizes = [10, 10, 10, 10, 1, 1];
        Assert.Equal(10, HonestCapacity.Of(sizes, 4));
        Assert.Equal(1, HonestCapacity.Of(sizes, [0, 0, 0, 0, 1, 1], 4, zoneCapMax: 2));
    }
}
