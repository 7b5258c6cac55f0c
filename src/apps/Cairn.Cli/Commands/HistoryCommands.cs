using System.CommandLine;
using Cairn.Core.Text;
using Cairn.Core.Tree;
using Cairn.Gateway.Control;

namespace Cairn.Cli.Commands;

/// <summary>The past of files: <c>log</c>, <c>restore</c>, <c>undelete</c>, <c>trash</c>.</summary>
public static class HistoryCommands
{
    /// <summary>Lists versions.</summary>
    public static Command CreateLog()
    {
        Argument<string> path = Names.Path();
        Command command = new ManualCommand(
            "log",
            "List the versions of a file: when, by whom, how large, how it came to be.",
            "The history follows the name, also when an editor saves by renaming; the path of a removed file works too."
            + " WHO is the machine, behind the person who uses it if an admin said so ('cairn node user'). How "
            + "long versions stay: docs/operations/history.md.",
            "cairn log notes/todo.txt",
            "cairn log notes/todo.txt --json") { path };
        CommandContext.Attach(command, (context, parsed, cancellation) => context.PrintListing(
            "/v1/history/versions" + VolumePath.Query(parsed.GetValue(path)!),
            ControlJson.Default.IReadOnlyListVersionSummary,
            ["VERSION", "PUBLISHED", "WHO", "SIZE", "HOW", "SHOWN"],
            version =>
            [
                [
                    version.Version.Short, version.Published.ToString(),
                    Names.Who(version.AuthorUser, version.AuthorName),
                    SizeText.Format(version.SizeBytes), How(version.Origin),
                    version.IsShown ? "yes" : "until " + version.ReplacedAt,
                ],
            ],
            cancellation));
        return command;
    }

    /// <summary>Brings a version back.</summary>
    public static Command CreateRestore()
    {
        Argument<string> path = Names.Path();
        path.Description = "VOLUME/PATH@VERSION or VOLUME/PATH@TIME.";
        path.HelpName = "VOLUME/PATH@VERSION";
        Command command = new ManualCommand(
            "restore",
            "Make a past version the content of its file again.",
            "No data moves, and what is replaced stays a version: a restore can be undone by another. A removed file "
            + "comes back with it.",
            "cairn restore notes/todo.txt@1a2b3c4d",
            "cairn restore notes/todo.txt@2026-11-20T10:00") { path };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            PastPath place = PastPath.ParsePast(parsed.GetValue(path)!);
            return await context.Change(HttpMethod.Post, "/v1/history/restore" + place.Query, cancellation);
        });
        return command;
    }

    /// <summary>Brings back what was removed.</summary>
    public static Command CreateUndelete()
    {
        Argument<string> path = Names.Path();
        path.Description = "What was removed, by the path it had.";
        Option<string?> name = new("--as") { Description = "Another name, in the same directory.", HelpName = "NAME" };
        Command command = new ManualCommand(
            "undelete",
            "Bring a removed file or directory back.",
            "A directory comes back with what was removed together with it; what was removed from it earlier stays "
            + "in the trash. Removed directories above it come back, too. 'cairn trash ls' lists what can be brought "
            + "back.",
            "cairn undelete notes/todo.txt",
            "cairn undelete notes/travel",
            "cairn undelete notes/todo.txt --as todo.old.txt") { path, name };
        CommandContext.Attach(command, (context, parsed, cancellation) => context.Change(
            HttpMethod.Post,
            "/v1/history/undelete" + VolumePath.Query(parsed.GetValue(path)!)
                + (parsed.GetValue(name) is { } other ? "&name=" + Uri.EscapeDataString(other) : string.Empty),
            cancellation));
        return command;
    }

    /// <summary>The trash and its verbs.</summary>
    public static Command CreateTrash() =>
        new("trash", "What was removed and can be brought back.") { CreateTrashList(), CreateTrashEmpty() };

    private static Command CreateTrashList()
    {
        Argument<string> path = Names.Path();
        Command command = new ManualCommand(
            "ls",
            "List what was removed and can be brought back, the latest first.",
            string.Empty,
            "cairn trash ls notes") { path };
        CommandContext.Attach(command, (context, parsed, cancellation) => context.PrintListing(
            "/v1/history/trash" + VolumePath.Query(parsed.GetValue(path)!),
            ControlJson.Default.IReadOnlyListTrashSummary,
            ["REMOVED", "WHO", "SIZE", "PATH"],
            entry =>
            [
                [
                    entry.RemovedAt.ToString(), Names.Who(entry.RemovedByUser, entry.RemovedByName),
                    SizeText.Format(entry.SizeBytes), entry.Path,
                ],
            ],
            cancellation));
        return command;
    }

    private static Command CreateTrashEmpty()
    {
        Argument<string> volume = Names.Volume();
        Command command = new ManualCommand(
            "empty",
            "Let go of everything removed from a volume up to now, on every node.",
            "It is not in 'cairn trash ls' any more; its space comes back within minutes while all members are online. "
            + "What 'cairn brake' holds stays. Past versions of files that are still there stay.",
            "cairn trash empty notes") { volume };
        CommandContext.Attach(command, (context, parsed, cancellation) => context.Change(
            HttpMethod.Delete, "/v1/history/trash" + VolumePath.Query(parsed.GetValue(volume)!), cancellation));
        return command;
    }

    private static string How(VersionOrigin origin) => origin switch
    {
        VersionOrigin.Created => "created",
        VersionOrigin.Edited => "edited",
        VersionOrigin.SavedByRename => "saved by rename",
        VersionOrigin.Merged => "merged",
        VersionOrigin.Restored => "restored",
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
