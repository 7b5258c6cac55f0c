using System.Text;
using Cairn.Cli.Commands;

namespace Cairn.Cli.Tests.Commands;

/// <summary>Names are bytes, on the command line, too.</summary>
public sealed class CommandLineBytesTests
{
    [Fact]
    public void A_byte_that_is_no_UTF8_is_taken_as_listings_print_it()
    {
        byte[] typed = [.. "dotnet\0cairn.dll\0mkdir\0v/a"u8, 0xFF, .. "b\0"u8];
        Assert.Equal(["mkdir", "v/a\uEFFFb"], CommandLineBytes.Restore(["mkdir", "v/a\uFFFDb"], () => typed));
    }

    [Fact]
    public void What_was_typed_as_a_mark_stays_one()
    {
        byte[] typed = Encoding.UTF8.GetBytes("cairn\0ls\0v/\uFFFD\0");
        Assert.Equal(["ls", "v/\uFFFD"], CommandLineBytes.Restore(["ls", "v/\uFFFD"], () => typed));
    }

    [Fact]
    public void Nothing_is_read_where_every_word_is_text() =>
        Assert.Equal(["ls", ""], CommandLineBytes.Restore(["ls", ""], () => throw new InvalidOperationException()));
}
