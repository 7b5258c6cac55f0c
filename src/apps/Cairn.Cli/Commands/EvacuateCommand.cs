using System.CommandLine;
using Cairn.Gateway.Control;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn evacuate</c>: pushes out what is on this machine alone, before it leaves.</summary>
public static class EvacuateCommand
{
    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        Option<TimeSpan?> timeout =
            GlobalOptions.Seconds("--timeout", "Give up after so many seconds; exit code 3.");
        Command command = new ManualCommand(
            "evacuate",
            "Push out what is on this machine alone, before it leaves.",
            "What is being written is published, and everything that no other machine has yet is sent. When it ends "
            + "well, losing this machine would lose nothing; further copies are made later ('cairn wait --safe' waits "
            + "for all). Exit code 3 when that cannot be: no other machine can be reached, or those that can are full. "
            + "'cairn status' shows what is only here.",
            "cairn evacuate",
            "cairn evacuate --timeout 600") { timeout };
        CommandContext.Attach(command, (context, parsed, cancellation) => ProgressStream.Follow(
            context,
            context.Client.Stream(HttpMethod.Post, "/v1/evacuate", ControlJson.Default.ProgressLine, cancellation),
            parsed.GetValue(timeout),
            cancellation));
        return command;
    }
}
