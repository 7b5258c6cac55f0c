using System.CommandLine;
using Cairn.Cli.Output;

namespace Cairn.Cli.Commands;

/// <summary>Changing a volume's names without a mount: <c>mkdir</c>, <c>rm</c>, <c>mv</c>.</summary>
public static class ChangeCommands
{
    /// <summary>Makes a directory.</summary>
    public static Command CreateMakeDirectory()
    {
        Argument<string> path = Names.Path();
        Option<bool> parents = new("--parents", "-p")
        {
            Description = "Make missing parents too; existing directories are fine.",
        };
        Command command = new ManualCommand(
            "mkdir", "Make a directory in a volume.", string.Empty, "cairn mkdir --parents photos/2026/summer")
        {
            path, parents,
        };
        return Sends(command, HttpMethod.Post, parsed =>
        {
            string wanted = parsed.GetValue(path)!;
            (string volume, string below) = VolumePath.Split(wanted);
            string place = below.Trim('/').Length > 0 ? VolumePath.Query(wanted) : throw new CommandException(
                $"{wanted} names no directory in a volume: write VOLUME/PATH; 'cairn volume create {volume}' makes a "
                + "volume")
            {
                Exit = ExitCode.Usage,
            };
            return $"/v1/files/directory{place}{Flag("parents", parsed.GetValue(parents))}";
        });
    }

    /// <summary>Removes.</summary>
    public static Command CreateRemove()
    {
        Argument<string> path = Names.Path();
        Option<bool> recursive = new("--recursive", "-r")
        {
            Description = "A directory goes with everything below it.",
        };
        Command command = new ManualCommand(
            "rm",
            "Remove a file or directory from a volume.",
            "An empty directory goes without --recursive.",
            "cairn rm photos/blurred.jpg",
            "cairn rm --recursive photos/old") { path, recursive };
        return Sends(command, HttpMethod.Delete, parsed =>
        {
            string doomed = parsed.GetValue(path)!;
            (string volume, string below) = VolumePath.Split(doomed);
            return below.Trim('/').Length > 0
                ? "/v1/files" + VolumePath.Query(doomed) + Flag("recursive", parsed.GetValue(recursive))
                : throw new CommandException(
                    $"{doomed} names no file or directory in a volume: write VOLUME/PATH; 'cairn volume rm {volume}' "
                    + "removes a volume with everything in it")
                {
                    Exit = ExitCode.Usage,
                };
        });
    }

    /// <summary>Renames or moves.</summary>
    public static Command CreateMove()
    {
        Argument<string> from = Names.Path("from");
        Argument<string> to = Names.Path("to");
        Command command = new ManualCommand(
            "mv",
            "Rename or move within a volume; no data moves.",
            "A target that is a directory takes the source in.",
            "cairn mv photos/IMG_1.jpg photos/2026/beach.jpg") { from, to };
        return Sends(command, HttpMethod.Post, parsed =>
        {
            string source = parsed.GetValue(from)!;
            (string volume, string target) = VolumePath.Split(parsed.GetValue(to)!);
            return volume == VolumePath.Split(source).Volume
                ? $"/v1/files/move{VolumePath.Query(source)}&target={Uri.EscapeDataString(target)}"
                : throw new CommandException(
                    "both paths must be in the same volume; use get and put to copy between volumes")
                {
                    Exit = ExitCode.Usage,
                };
        });
    }

    private static Command Sends(Command command, HttpMethod method, Func<ParseResult, string> path)
    {
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            using HttpResponseMessage _ = await context.Client.Send(method, path(parsed), null, cancellation);
            return ExitCode.Ok;
        });
        return command;
    }

    private static string Flag(string name, bool isSet) => isSet ? $"&{name}=true" : string.Empty;
}
