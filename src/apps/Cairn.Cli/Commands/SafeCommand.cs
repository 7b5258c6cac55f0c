using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Cairn.Cli.Output;
using Cairn.Gateway.Control;
using Cairn.Node.Control;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn safe PATH</c>: how many confirmed copies, on which nodes.</summary>
public static class SafeCommand
{
    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        Argument<string> path = new("path") { Description = "VOLUME, or VOLUME/path below it.", HelpName = "PATH" };
        Command command = new(
            "safe", "Show how many confirmed copies a file or folder has, and where. Exit code 3 when it is not safe yet.") { path };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            SafetyReport report = await context.Client.Get(
                "/v1/safe?path=" + Uri.EscapeDataString(parsed.GetValue(path)!), ControlJson.Default.SafetyReport, cancellation);
            if (context.Json)
            {
                await context.Output.WriteLineAsync(JsonSerializer.Serialize(report, ControlJson.Default.SafetyReport));
            }
            else
            {
                await Print(context, report);
            }

            return report.IsSafe ? ExitCode.Ok : ExitCode.NotSafe;
        });
        return command;
    }

    private static async Task Print(CommandContext context, SafetyReport report)
    {
        await context.Output.WriteLineAsync(report.Sentence);
        await context.Output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{report.Path}: {report.Files:N0} files, {report.Chunks:N0} chunks, {SizeText.Format(report.Bytes)}"));
        context.PrintTable(
            ["NODE", "ID", "CHUNKS CONFIRMED"],
            report.Holders.Select(holder => (IReadOnlyList<string>)
            [
                holder.Name, holder.Node.Short, string.Create(CultureInfo.InvariantCulture, $"{holder.Chunks:N0} of {report.Chunks:N0}"),
            ]));
        if (report.HasUnpublishedWrites)
        {
            await context.Output.WriteLineAsync("Some of it is still being written here.");
        }
    }
}
