using System.Security.Cryptography;
using System.Text;

namespace Cairn.Cli;

/// <summary>Where a node keeps what it has, and the names of the files in there.</summary>
public static class HomeFolder
{
    /// <summary>sockaddr_un.sun_path holds 108 bytes with the final zero (unix(7)).</summary>
    private const int SocketPathBytesMax = 107;

    /// <summary>The home named on the command line, else <c>CAIRN_HOME</c>, else the user's data folder.</summary>
    public static string Resolve(string? given)
    {
        string? home = given ?? Environment.GetEnvironmentVariable("CAIRN_HOME");
        if (string.IsNullOrEmpty(home))
        {
            string data = Environment.GetFolderPath(
                Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
            home = Path.Combine(data, "cairn");
        }

        return Path.GetFullPath(home);
    }

    /// <summary>The node's settings.</summary>
    public static string Config(string home) => Path.Combine(home, "config.json");

    /// <summary>The log of a detached daemon.</summary>
    public static string Log(string home) => Path.Combine(home, "daemon.log");

    /// <summary>The folder of the node's disk: journal, packs, logs, keys.</summary>
    public static string Store(string home) => Path.Combine(home, "store");

    /// <summary>The folder of the node's keys.</summary>
    public static string Keys(string home) => Path.Combine(home, "keys");

    /// <summary>The folder of the node's indexes.</summary>
    public static string Index(string home) => Path.Combine(home, "index");

    /// <summary>The daemon's control socket: in the home, or in a private folder for sockets if that path is too long.</summary>
    public static string ControlSocket(string home)
    {
        string path = Path.Combine(home, "control.sock");
        if (Encoding.UTF8.GetByteCount(path) <= SocketPathBytesMax)
        {
            return path;
        }

        string name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(home)).AsSpan(0, 10));
        string folder = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } runtime
            ? Path.Combine(runtime, "cairn")
            : Path.Combine(Path.GetTempPath(), "cairn-" + Environment.UserName);
        return Path.Combine(folder, name + ".sock");
    }

    /// <summary>Whether a node was made in this home.</summary>
    public static bool IsInitialized(string home) => File.Exists(Config(home));
}
