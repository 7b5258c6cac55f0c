using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Tree;

/// <summary>Ids that are drawn one after the other.</summary>
public sealed class FreshIdsTests
{
    [Fact]
    public void Ids_of_a_run_ascend_and_differ_in_what_inode_numbers_are_made_of()
    {
        var ids = new FreshIds(new Prng(1).Fill);
        Bytes16[] drawn = [.. Enumerable.Range(0, 10_000).Select(_ => ids.Next())];
        Assert.Equal(drawn.Order(), drawn);
        Assert.Equal(drawn.Length, drawn.Select(static id => id.Prefix >> 8).Distinct().Count());
        Assert.Single(drawn.Select(static id => id.Prefix >> 32).Distinct());
        Assert.Equal(drawn.Length, drawn.Select(static id => id.Suffix).Distinct().Count());
    }

    [Fact]
    public void Two_that_draw_are_in_runs_of_their_own()
    {
        var random = new Prng(1);
        Assert.NotEqual(new FreshIds(random.Fill).Next().Prefix >> 32, new FreshIds(random.Fill).Next().Prefix >> 32);
    }
}
