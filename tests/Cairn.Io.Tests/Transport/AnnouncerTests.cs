using System.Net;
using Cairn.Io.Identity;
using Cairn.Io.Transport;
using Cairn.Node.Ports;

namespace Cairn.Io.Tests.Transport;

public sealed class AnnouncerTests
{
    private static readonly IPEndPoint Source = new(IPAddress.Parse("192.0.2.7"), 4000);

    [Fact]
    public void An_announcement_carries_the_port_its_node_listens_on()
    {
        // Golden: version 1, port 0x1234, "abc".
        byte[] packet = Convert.FromHexString("43524e41013412616263");
        var parsed = Announcer.Parse(Source, packet);
        Assert.Equal(new IPEndPoint(Source.Address, 0x1234), parsed!.Value.From);
        Assert.Equal("abc"u8.ToArray(), parsed.Value.Bytes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("43524e410134")]
    [InlineData("43524e42013412616263")]
    [InlineData("43524e41023412616263")]
    public void Anything_else_is_dropped(string hex) =>
        Assert.Null(Announcer.Parse(Source, Convert.FromHexString(hex)));

    [Fact]
    public async Task Nodes_on_one_machine_hear_each_other_over_loopback()
    {
        int port = 20_000 + (Environment.ProcessId % 20_000);
        TransportOptions options = TransportPair.Loopback with { AnnouncePort = port };
        using var first = FileIdentity.Generate();
        using var second = FileIdentity.Generate();
        await using TlsTransport a = TlsTransport.Listen(options, first).Value;
        await using TlsTransport b = TlsTransport.Listen(options, second).Value;
        a.Announce("here I am"u8);
        foreach (TlsTransport hearer in new[] { a, b })
        {
            Datagram heard = await hearer.ReceiveDatagram(default).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
            Assert.True(heard.IsAnnouncement);
            Assert.Equal(a.ListenAddress, heard.From);
            Assert.Equal("here I am"u8.ToArray(), heard.Bytes.ToArray());
        }
    }
}
