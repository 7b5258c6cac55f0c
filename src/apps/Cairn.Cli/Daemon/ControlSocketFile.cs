namespace Cairn.Cli.Daemon;

/// <summary>The control socket as a file: whoever may open it owns the node.</summary>
internal static class ControlSocketFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Makes room for the socket. The caller holds the home's lock, so whoever left one there is dead.</summary>
    public static void Clear(string socket)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(socket)!, OwnerOnly | UnixFileMode.UserExecute);
        File.Delete(socket);
    }

    /// <summary>Lets only its owner open it.</summary>
    public static void Protect(string socket) => File.SetUnixFileMode(socket, OwnerOnly);
}
