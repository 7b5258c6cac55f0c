using System.CommandLine;
using Cairn.Core.Text;
using Cairn.Gateway.Control;

namespace Cairn.Cli.Commands;

/// <summary>What was changed apart: <c>conflicts</c>, <c>resolve</c>.</summary>
public static class ConflictCommands
{
    /// <summary>Lists conflicts.</summary>
    public static Command CreateList()
    {
        Argument<string> path = Names.Path();
        Command command = new ManualCommand(
            "conflicts",
            "List the names that were changed apart, with every side.",
            "Both sides are in the drive already, one under a name that says so; 'cairn resolve' ends a conflict.",
            "cairn conflicts notes") { path };
        CommandContext.Attach(command, (context, parsed, cancellation) => context.PrintListing(
            "/v1/history/conflicts" + VolumePath.Query(parsed.GetValue(path)!),
            ControlJson.Default.IReadOnlyListConflictSummary,
            ["PATH", "SHOWN AS", "WHO", "MODIFIED", "SIZE"],
            conflict => conflict.Sides.Select(side => (IReadOnlyList<string>)
            [
                conflict.Path, side.ShownName, Names.Who(side.AuthorUser, side.AuthorName),
                side.Modified.ToString(), SizeText.Format(side.SizeBytes),
            ]),
            cancellation));
        return command;
    }

    /// <summary>Ends conflicts.</summary>
    public static Command CreateResolve()
    {
        Argument<string> path = Names.Path();
        path.Description = "A name in conflict, or a folder or VOLUME for all below it.";
        Option<string> keep = new("--keep")
        {
            Description = "mine: what this node wrote; theirs: what another wrote; newest: by the claimed time of the "
                + "last write; both: each side as a file of its own; merge: of a text, what either side changed.",
            HelpName = "SIDE",
            Required = true,
        };
        keep.AcceptOnlyFromAmong("mine", "theirs", "newest", "both", "merge");
        Command command = new ManualCommand(
            "resolve",
            "End a conflict, or all below a folder.",
            "What is not kept goes into the history of the name, or into the trash if it was a file of its own. Texts "
            + "are merged when the two sides changed different lines of the version they began with; else the conflict "
            + "stays, and the exit code is 1.",
            "cairn resolve notes/todo.txt --keep mine",
            "cairn resolve notes --keep newest",
            "cairn resolve notes --keep merge") { path, keep };
        CommandContext.Attach(command, (context, parsed, cancellation) => new ConflictResolver(context).Run(
            PastPath.Present(parsed.GetValue(path)!), parsed.GetValue(keep)!, cancellation));
        return command;
    }
}
