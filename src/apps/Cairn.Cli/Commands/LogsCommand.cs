using System.CommandLine;
using Cairn.Cli.Output;
using Cairn.Gateway.Control;
using Cairn.Node.Control;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn logs</c>: the node's diary.</summary>
public static class LogsCommand
{
    private const int LinesDefault = 100;
    private const int LinesAStep = 1000;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(300);

    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        Option<int?> lines = GlobalOptions.Number("--lines", 0, "is not a number of lines");
        lines.Aliases.Add("-n");
        lines.Description = $"How many of the newest lines ({LinesDefault}).";
        lines.HelpName = "N";
        Option<bool> follow = new("--follow", "-f") { Description = "Go on with new lines until Ctrl-C." };
        Command command = new ManualCommand(
            "logs",
            "Show what the node did and met.",
            "The last 2,000 lines since the daemon started are kept. A detached daemon's own output is in daemon.log.",
            "cairn logs",
            "cairn logs --follow",
            "cairn logs --lines 20 --json") { lines, follow };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            long after = await Print(context, 0, parsed.GetValue(lines) ?? LinesDefault, cancellation);
            while (parsed.GetValue(follow))
            {
                await Task.Delay(LookEvery, cancellation);
                after = await Print(context, after, LinesAStep, cancellation);
            }

            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task<long> Print(
        CommandContext context, long after, int countMax, CancellationToken cancellation)
    {
        IReadOnlyList<LogLine> found = await context.Client.Get(
            FormattableString.Invariant($"/v1/logs?after={after}&max={countMax}"),
            ControlJson.Default.IReadOnlyListLogLine,
            cancellation);
        foreach (LogLine line in found)
        {
            await (context.Json
                ? context.PrintJson(line, ControlJson.Default.LogLine)
                : context.Output.WriteLineAsync(
                    $"{line.Time} {line.Level,-7} {line.Source}: {Printable.Of(line.Text)}"));
            after = line.Number;
        }

        return after;
    }
}
