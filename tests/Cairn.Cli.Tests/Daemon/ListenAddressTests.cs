using Cairn.Cli.Daemon;

namespace Cairn.Cli.Tests.Daemon;

public sealed class ListenAddressTests
{
    [Theory]
    [InlineData("0.0.0.0:7000", "0.0.0.0:7000")]
    [InlineData("127.0.0.1:0", "127.0.0.1:0")]
    [InlineData("192.168.1.20", "192.168.1.20:7866")]
    [InlineData("[::]:7000", "[::]:7000")]
    [InlineData("[::1]:0", "[::1]:0")]
    [InlineData("[::1]", "[::1]:7866")]
    [InlineData("fe80::1", "[fe80::1]:7866")]
    public void No_port_is_the_usual_one(string text, string address) =>
        Assert.Equal(address, ListenAddress.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("7866")]
    [InlineData(":7866")]
    [InlineData("desk:7866")]
    [InlineData("127.1")]
    [InlineData("127.0.0.1:99999")]
    public void What_is_no_address_is_refused(string text) => Assert.Contains(
        "is not an address and port",
        Assert.Throws<CommandException>(() => ListenAddress.Parse(text)).Message,
        StringComparison.Ordinal);
}
