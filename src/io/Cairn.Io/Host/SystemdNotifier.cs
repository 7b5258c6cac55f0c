using System.Net.Sockets;
using System.Text;

namespace Cairn.Io.Host;

/// <summary>Tells systemd how the daemon is doing; without systemd it does nothing.</summary>
/// <remarks>Source: sd_notify(3): one datagram of <c>KEY=value</c> lines to the socket named by NOTIFY_SOCKET.</remarks>
public sealed class SystemdNotifier
{
    private readonly UnixDomainSocketEndPoint? _target;

    /// <summary>Speaks to a notification socket.</summary>
    /// <param name="socketPath">A path, or '@' and an abstract name; null or empty when systemd did not start us.</param>
    public SystemdNotifier(string? socketPath)
    {
        if (!string.IsNullOrEmpty(socketPath))
        {
            string name = socketPath[0] == '@' ? "\0" + socketPath[1..] : socketPath;
            _target = new UnixDomainSocketEndPoint(name);
        }
    }

    /// <summary>The one that this process was started with.</summary>
    public static SystemdNotifier FromEnvironment() => new(Environment.GetEnvironmentVariable("NOTIFY_SOCKET"));

    /// <summary>The daemon serves: units ordered after it may start.</summary>
    public void Ready() => Send("READY=1");

    /// <summary>The daemon is ending.</summary>
    public void Stopping() => Send("STOPPING=1");

    /// <summary>A sentence for <c>systemctl status</c>.</summary>
    public void Status(string sentence) => Send("STATUS=" + sentence.ReplaceLineEndings(" "));

    private void Send(string message)
    {
        if (_target is null)
        {
            return;
        }

        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            socket.SendTo(Encoding.UTF8.GetBytes(message), _target);
        }
        catch (SocketException)
        {
            // systemd went away: nobody is left to be told.
        }
    }
}
