using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cairn.Cli.Demo;

namespace Cairn.EndToEnd.Tests;

/// <summary>Somebody speaks to the daemon's port who is no node.</summary>
[Collection("pool")]
public sealed class StrangerTests(PoolFixture fixture)
{
    [Fact]
    public async Task Garbage_on_the_port_harms_nobody()
    {
        DemoNode node = fixture.Node(1);
        using JsonDocument status = JsonDocument.Parse(await node.Must("status", "--json"));
        IPEndPoint port = IPEndPoint.Parse(status.RootElement.GetProperty("listenAddress").GetString()!);

        // The start of a TLS 1.3 hello that promises more than it has: record, handshake, length.
        byte[] hello = [0x16, 0x03, 0x01, 0x40, 0x00, 0x01, 0x00, 0x3F, 0xFC, 0x03, 0x03];
        byte[][] words =
        [
            [],
            Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: cairn\r\n\r\n"),
            RandomNumberGenerator.GetBytes(100_000),
            new byte[100_000],
            hello,
            [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
        ];
        List<Socket> silent = [];
        foreach (byte[] said in Enumerable.Repeat(words, 5).SelectMany(round => round))
        {
            Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(port, TestContext.Current.CancellationToken);
            Say(socket, said);
            silent.Add(socket);
        }

        using Socket datagrams = new(SocketType.Dgram, ProtocolType.Udp);
        for (int i = 0; i < 200; i++)
        {
            datagrams.SendTo(RandomNumberGenerator.GetBytes(i * 7), port);
        }

        // With all of them still hanging on: the node answers, its peers stay, files travel.
        string file = Path.Combine(node.Mount, "through garbage");
        await File.WriteAllTextAsync(file, "text", TestContext.Current.CancellationToken);
        string there = Path.Combine(fixture.Node(2).Mount, "through garbage");
        await Eventually.Holds(() => File.ReadAllText(there) == "text", "the file arrives");
        await node.Must("wait", "--online", "4", "--timeout", "30", "--quiet");
        silent.ForEach(socket => socket.Dispose());
        Assert.Equal(4, JsonDocument.Parse(await node.Must("nodes", "--json")).RootElement.GetArrayLength());
    }

    /// <summary>The daemon may have hung up already: that is its right.</summary>
    private static void Say(Socket socket, byte[] bytes)
    {
        try
        {
            socket.Send(bytes);
        }
        catch (SocketException)
        {
            // Refused in the middle.
        }
    }
}
