using System.CommandLine;
using Cairn.Cli.Output;
using Cairn.Gateway.Control;

namespace Cairn.Cli.Commands;

/// <summary>Who has files open: <c>who</c>.</summary>
public static class WhoCommand
{
    /// <summary>Builds it.</summary>
    public static Command Create()
    {
        Argument<string> path = Names.Path();
        Command command = new ManualCommand(
            "who",
            "List the files that somebody has open for writing, and where.",
            "It prevents nothing: who writes to a file that another has open too makes a conflict, and both versions "
            + "stay. Machines tell each other within seconds; what one that is away has open is not known. On a drive, "
            + "'getfattr -n user.cairn.open FILE' prints the other machines.",
            "cairn who notes",
            "cairn who notes/plan.odt --json") { path };
        CommandContext.Attach(command, (context, parsed, cancellation) => context.PrintListing(
            "/v1/open" + VolumePath.Query(parsed.GetValue(path)!),
            ControlJson.Default.IReadOnlyListOpenFile,
            ["PATH", "WHO", "FOR"],
            file =>
            [
                [
                    file.Path, Names.Who(file.User, file.IsHere ? "this machine" : file.NodeName),
                    DurationText.Format(file.OpenFor),
                ],
            ],
            cancellation));
        return command;
    }
}
