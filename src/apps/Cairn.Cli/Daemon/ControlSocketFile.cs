using Cairn.Core.Primitives;
using Cairn.Io.Host;
using Cairn.Storage.Ports;

namespace Cairn.Cli.Daemon;

/// <summary>The control socket as a file: whoever may open it owns the node.</summary>
internal static class ControlSocketFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Makes room for the socket. The caller holds the home's lock, so whoever left one there is dead.</summary>
    /// <exception cref="CommandException">It would lie in a folder that somebody else has.</exception>
    public static void Clear(string home, string socket)
    {
        string folder = Path.GetDirectoryName(socket)!;
        if (folder != home)
        {
            Must(folder, PrivateFolder.Make(folder));
        }

        File.Delete(socket);
    }

    /// <summary>Before a command says anything to a socket that is not in the home: it may be told the passphrase.</summary>
    /// <exception cref="CommandException">It lies in a folder that somebody else has.</exception>
    public static void Check(string home, string socket)
    {
        string folder = Path.GetDirectoryName(socket)!;
        if (folder != home && Path.Exists(folder))
        {
            Must(folder, PrivateFolder.Check(folder));
        }
    }

    private static void Must(string folder, Result<Unit, DiskError> isOurs)
    {
        if (!isOurs.TryGet(out _, out DiskError error))
        {
            throw new CommandException(
                $"the control socket cannot be in {folder}: {error.Detail}. Choose a home with a shorter path, or set "
                + "XDG_RUNTIME_DIR to a folder of yours.");
        }
    }

    /// <summary>Lets only its owner open it.</summary>
    public static void Protect(string socket) => File.SetUnixFileMode(socket, OwnerOnly);
}
