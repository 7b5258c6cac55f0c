using Cairn.Cli.Output;

namespace Cairn.Cli.Commands;

/// <summary>"VOLUME/path/below" as people type it, for the daemon's routes.</summary>
internal static class VolumePath
{
    /// <summary>The volume, and what is below it ("" for all of it).</summary>
    /// <exception cref="CommandException">No volume is named.</exception>
    public static (string Volume, string Path) Split(string text) => text.Split('/', 2) switch
    {
        ["", ..] => throw new CommandException(
            $"'{text}' names no volume: write VOLUME or VOLUME/path; 'cairn volume ls' lists the volumes")
        {
            Exit = ExitCode.Usage,
        },
        [string volume, string path] => (volume, path),
        _ => (text, string.Empty),
    };

    /// <summary>The query that names the place.</summary>
    public static string Query(string text)
    {
        (string volume, string path) = Split(text);
        return $"?volume={Uri.EscapeDataString(volume)}&path={Uri.EscapeDataString(path)}";
    }
}
