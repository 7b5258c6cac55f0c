using System.Net.Sockets;
using System.Text;
using Cairn.Io.Host;

namespace Cairn.Io.Tests.Host;

public sealed class SystemdNotifierTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void States_reach_the_socket_as_lines()
    {
        using var systemd = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        systemd.Bind(new UnixDomainSocketEndPoint(_folder["notify"]));
        var notifier = new SystemdNotifier(_folder["notify"]);
        notifier.Ready();
        notifier.Status("two\nlines");
        notifier.Stopping();
        Assert.Equal(["READY=1", "STATUS=two lines", "STOPPING=1"], Enumerable.Range(0, 3).Select(_ => Next(systemd)));
    }

    [Fact]
    public void Without_systemd_nothing_happens()
    {
        new SystemdNotifier(null).Ready();
        new SystemdNotifier(_folder["gone"]).Ready();
        new SystemdNotifier("@cairn-nobody-listens").Stopping();
    }

    private static string Next(Socket socket)
    {
        byte[] buffer = new byte[256];
        return Encoding.UTF8.GetString(buffer, 0, socket.Receive(buffer));
    }
}
