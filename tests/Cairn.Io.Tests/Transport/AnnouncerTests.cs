using System.Net;
using System.Net.Sockets;
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

    [Fact]
    public async Task A_new_address_of_the_same_interface_is_announced_from()
    {
        // The interface was joined by the address before, and the system refuses to join it twice.
        IPAddress[] addresses = [IPAddress.Loopback];
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using var inbox = new DatagramPort(socket);
        int port = 40_000 + (Environment.ProcessId % 20_000);
        await using var announcer = new Announcer(port, 7, inbox, () => addresses);
        addresses = [IPAddress.Parse("127.0.0.2")];
        announcer.Announce("moved"u8);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        Datagram heard = await inbox.Receive(patience.Token);
        Assert.Equal(new IPEndPoint(addresses[0], 7), heard.From);
    }
}
