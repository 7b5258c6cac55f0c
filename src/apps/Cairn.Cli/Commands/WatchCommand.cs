using System.CommandLine;
using Cairn.Cli.Output;
using Cairn.Gateway.Control;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn watch</c>: what everybody changes, as it arrives.</summary>
public static class WatchCommand
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(300);

    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        Argument<string> path = Names.Path();
        Option<string?> from = new("--from")
        {
            Description = "Go on behind a position that was printed, or from the start; without it, from now on.",
            HelpName = "POSITION",
        };
        Option<bool> once = new("--once") { Description = "End when there is nothing more for now." };
        Command command = new ManualCommand(
            "watch",
            "Follow the changes of a volume or folder, by all machines, until Ctrl-C.",
            "Nothing comes before what its author had seen. A program that remembers the position of the last change "
            + "it has dealt with, and goes on with --from, sees every change at least once; a position means the same "
            + "on every machine. Changes are seen when they are published; paths are as they are called now. A path "
            + "where nothing is yet is waited for, and that is said on standard error.",
            "cairn watch photos/2026",
            "cairn watch photos --json --from start --once") { path, from, once };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string place = VolumePath.Query(parsed.GetValue(path)!);
            string? position = parsed.GetValue(from);
            for (bool isFirst = true; ; isFirst = false)
            {
                string start = position is null ? string.Empty : "&from=" + Uri.EscapeDataString(position);
                ChangePage page = await context.Client.Get(
                    "/v1/changes" + place + start, ControlJson.Default.ChangePage, cancellation);
                foreach (ChangeSummary change in page.Changes)
                {
                    await Print(context, change);
                }

                position = page.Position.Length == 0 ? "start" : page.Position;
                if (page.IsCaughtUp && parsed.GetValue(once))
                {
                    return ExitCode.Ok;
                }

                if (isFirst)
                {
                    await SayIfNothingIsThere(context, parsed.GetValue(path)!, cancellation);
                }

                if (page.IsCaughtUp)
                {
                    await Task.Delay(LookEvery, cancellation);
                }
            }
        });
        return command;
    }

    /// <summary>A folder may be watched before it is made; one that was mistyped would be waited for without a word.</summary>
    private static async Task SayIfNothingIsThere(CommandContext context, string path, CancellationToken cancellation)
    {
        try
        {
            await context.Client.Get(
                "/v1/files/stat" + VolumePath.Query(path), ControlJson.Default.EntrySummary, cancellation);
        }
        catch (CommandException error) when (error.Exit == ExitCode.NotFound)
        {
            await Console.Error.WriteLineAsync($"cairn: {error.Message}; waiting until something is there");
        }
    }

    private static Task Print(CommandContext context, ChangeSummary change)
    {
        if (context.Json)
        {
            return context.PrintJson(change, ControlJson.Default.ChangeSummary);
        }

        string from = change.FromPath is null ? string.Empty : $" (was {Printable.Of(change.FromPath)})";
        return context.Output.WriteLineAsync(
            $"{change.Time} {Names.Who(change.AuthorUser, change.AuthorName)} "
            + $"{change.Kind.ToString().ToLowerInvariant(),-10} "
            + Printable.Of(change.Path) + from);
    }
}
