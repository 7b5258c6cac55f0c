using System.CommandLine;
using System.Text.Json;
using Cairn.Cli.Output;
using Cairn.Gateway.Control;
using Cairn.Node.Control;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn logs</c>: the node's diary.</summary>
public static class LogsCommand
{
    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        Option<int> lines = new("--lines", "-n") { Description = "How many of the newest lines.", HelpName = "N", DefaultValueFactory = _ => 100 };
        Option<bool> follow = new("--follow", "-f") { Description = "Go on with new lines until Ctrl-C." };
        Command command = new("logs", "Show what the node did and met.") { lines, follow };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            long after = await Print(context, 0, parsed.GetValue(lines), cancellation);
            while (parsed.GetValue(follow))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(300), cancellation);
                after = await Print(context, after, 1000, cancellation);
            }

            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task<long> Print(CommandContext context, long after, int countMax, CancellationToken cancellation)
    {
        IReadOnlyList<LogLine> found = await context.Client.Get(
            FormattableString.Invariant($"/v1/logs?after={after}&max={countMax}"), ControlJson.Default.IReadOnlyListLogLine, cancellation);
        foreach (LogLine line in found)
        {
            await context.Output.WriteLineAsync(context.Json
                ? JsonSerializer.Serialize(line, ControlJson.Default.LogLine)
                : $"{line.Time} {line.Level,-7} {line.Source}: {line.Text}");
            after = line.Number;
        }

        return after;
    }
}
