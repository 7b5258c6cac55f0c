using Cairn.Cli.Output;

namespace Cairn.Cli.Tests.Output;

/// <summary>Names in a listing: one line each, and nothing that a terminal obeys.</summary>
public sealed class PrintableTests
{
    [Theory]
    [InlineData("photo 🪨 é.jpg", "photo 🪨 é.jpg")]
    [InlineData("with\nnewline\ttab", "with\\nnewline\\ttab")]
    [InlineData("\e[2Jcleared\u009b", "\\x1b[2Jcleared\\x9b")]
    [InlineData("invoice\u202Efdp.exe", "invoice\\u202efdp.exe")]
    [InlineData("inv\uEFFFalid", "inv\\xffalid")]
    public void Names_are_shown_in_one_line(string name, string shown) => Assert.Equal(shown, Printable.Of(name));
}
