using System.CommandLine;
using System.Globalization;
using Cairn.Cli.Output;
using Cairn.Core.Text;
using Cairn.Gateway.Control;
using Cairn.Node.Control;

namespace Cairn.Cli.Commands;

/// <summary>What this machine keeps for itself: <c>pin</c>, <c>pin ls</c>, <c>unpin</c>, <c>free</c>.</summary>
public static class PinCommands
{
    private const string Route = "/v1/pins";
    private const int RecentDaysDefault = 14;

    /// <summary>Keeps a file or folder here.</summary>
    public static Command CreatePin()
    {
        Argument<string?> path = Names.OptionalPath();
        Option<int?> recent = GlobalOptions.Number(
            "--recent", 1, "is not a number of days, 1 or more; without --recent everything is pinned");
        recent.Description =
            $"Only files that anybody wrote in the last DAYS ({RecentDaysDefault}); without a path, in all volumes.";
        recent.HelpName = "DAYS";
        recent.Arity = ArgumentArity.ZeroOrOne;
        Command command = new ManualCommand(
            "pin",
            "Keep a file or folder on this machine, to be read without the others.",
            "It is fetched in the background and stays until 'cairn unpin', also over restarts; new versions and new "
            + "files follow as they arrive. A pin goes along when what it pins is renamed. Pinned copies take of the "
            + "space that this machine gives.",
            "cairn pin notes/travel",
            "cairn pin --recent",
            "cairn pin photos --recent 30",
            "cairn pin ls") { path, recent, CreateList() };
        command.Validators.Add(result =>
        {
            if (result.GetValue(path) is null && result.GetResult(recent) is null)
            {
                result.AddError("say what to pin: VOLUME/PATH, or --recent");
            }
        });
        CommandContext.Attach(command, (context, parsed, cancellation) =>
        {
            int days = parsed.GetResult(recent) is null ? 0 : parsed.GetValue(recent) ?? RecentDaysDefault;
            string place = parsed.GetValue(path) is { } given ? "&path=" + Uri.EscapeDataString(given) : string.Empty;
            string request = Route + "?recent=" + days.ToString(CultureInfo.InvariantCulture) + place;
            return context.Change(HttpMethod.Post, request, cancellation);
        });
        return command;
    }

    /// <summary>Lets go of a pin.</summary>
    public static Command CreateUnpin()
    {
        Argument<string> path = Names.Path();
        Command command = new ManualCommand(
            "unpin",
            "Let go of a pin: its copies yield when space is wanted.",
            "'cairn free' gives the space back at once.",
            "cairn unpin notes/travel") { path };
        CommandContext.Attach(command, (context, parsed, cancellation) => context.Change(
            HttpMethod.Delete, Route + "?path=" + Uri.EscapeDataString(parsed.GetValue(path)!), cancellation));
        return command;
    }

    /// <summary>Gives local space back.</summary>
    public static Command CreateFree()
    {
        Argument<string> path = Names.Path();
        Command command = new ManualCommand(
            "free",
            "Unpin a file or folder and give the space of its local copies back.",
            "Only copies that enough other machines confirm now are given up. The copies that the pool's rule wants on "
            + "this machine stay: to give less to the pool use 'cairn space set'. Exit code 3 when something stays "
            + "because it is not confirmed.",
            "cairn free photos/2019") { path };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string request = "/v1/free?path=" + Uri.EscapeDataString(parsed.GetValue(path)!);
            FreeReport report = await context.Client.Post(request, ControlJson.Default.FreeReport, cancellation);
            await (context.Json
                ? context.PrintJson(report, ControlJson.Default.FreeReport)
                : context.Output.WriteLineAsync(report.Sentence));
            return report.UnconfirmedBytes == 0 ? ExitCode.Ok : ExitCode.NotSafe;
        });
        return command;
    }

    private static Command CreateList()
    {
        Command command = new ManualCommand(
            "ls",
            "List the pins and how far each is fetched.",
            "'Waiting': no machine that has the rest can be reached. 'NoRoom': this machine's space is full. "
            + "'Lacking': no machine of the pool has the rest; 'cairn status' and 'cairn safe' name the files.",
            "cairn pin ls",
            "cairn pin ls --json");
        CommandContext.Attach(command, (context, _, cancellation) => context.PrintListing(
            Route,
            ControlJson.Default.IReadOnlyListPinSummary,
            ["PATH", "WHAT", "STATE", "FILES", "HERE", "OF"],
            pin =>
            [
                [
                    pin.Path,
                    pin.RecentDays == 0 ? "all" : "last " + DurationText.Format(TimeSpan.FromDays(pin.RecentDays)),
                    pin.State.ToString(),
                    pin.Files.ToString("N0", CultureInfo.InvariantCulture),
                    SizeText.Format(pin.BytesHere),
                    SizeText.Format(pin.Bytes),
                ],
            ],
            cancellation));
        return command;
    }
}
