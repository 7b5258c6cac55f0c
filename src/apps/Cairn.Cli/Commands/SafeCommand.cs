using System.CommandLine;
using System.Globalization;
using Cairn.Cli.Output;
using Cairn.Core.Text;
using Cairn.Gateway.Control;
using Cairn.Node.Control;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn safe PATH</c>: how many confirmed copies, on which nodes.</summary>
public static class SafeCommand
{
    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        Argument<string> path = Names.Path();
        Command command = new ManualCommand(
            "safe",
            "Show how many confirmed copies a file or folder has, and where.",
            "The holders are asked now: what is shown is what they have on their disks. Exit code 3 when it is not "
            + "safe yet.",
            "cairn safe photos/2026",
            "cairn safe photos --json") { path };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            SafetyReport report = await context.Client.Get(
                "/v1/safe?path=" + Uri.EscapeDataString(parsed.GetValue(path)!),
                ControlJson.Default.SafetyReport,
                cancellation);
            await (context.Json ? context.PrintJson(report, ControlJson.Default.SafetyReport) : Print(context, report));
            return report.IsSafe ? ExitCode.Ok : ExitCode.NotSafe;
        });
        return command;
    }

    private static async Task Print(CommandContext context, SafetyReport report)
    {
        await context.Output.WriteLineAsync(report.Sentence);
        string files = $"{CountText.Of(report.Files, "file")}, {CountText.Of(report.Chunks, "chunk")}";
        await context.Output.WriteLineAsync(
            $"{Printable.Of(report.Path)}: {files}, {SizeText.Format(report.Bytes)}");
        context.PrintTable(
            ["NODE", "ID", "CHUNKS CONFIRMED"],
            report.Holders.Select(holder => (IReadOnlyList<string>)
            [
                holder.Name, holder.Node.Short, $"{Count(holder.Chunks)} of {Count(report.Chunks)}",
            ]));
        foreach (string lost in report.Lost)
        {
            await context.Output.WriteLineAsync($"No machine of the pool has {Printable.Of(lost)}.");
        }

        if (report.HasUnpublishedWrites)
        {
            await context.Output.WriteLineAsync("Some of it is still being written here.");
        }
    }

    private static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
