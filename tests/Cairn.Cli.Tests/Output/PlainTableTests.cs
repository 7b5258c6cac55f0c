using Cairn.Cli.Output;

namespace Cairn.Cli.Tests.Output;

public sealed class PlainTableTests
{
    [Fact]
    public void Columns_stand_below_their_headings() => Assert.Equal(
        ["SIZE    NAME", "1 B     a", "1000 B  日本", "日本    long one"],
        PlainTable.Lines(["SIZE", "NAME"], [["1 B", "a"], ["1000 B", "日本"], ["日本", "long one"]]));

    /// <summary>A path of thousands of bytes takes its own line out of step, and no column or line away from the others.</summary>
    [Fact]
    public void A_very_long_cell_leaves_the_other_lines_as_they_are()
    {
        string path = new('d', 5_000);
        string[] lines = [.. PlainTable.Lines(["PATH", "WHO", "SIZE"], [[path, "one", "1 B"], ["a\nb", "two", "2 B"]])];
        Assert.Equal(3, lines.Length);
        Assert.Equal(path + "  one  1 B", lines[1]);
        Assert.Equal(@"a\nb" + new string(' ', 56) + "  two  2 B", lines[2]);
    }
}
