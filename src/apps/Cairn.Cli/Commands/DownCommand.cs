using System.CommandLine;
using Cairn.Cli.Daemon;
using Cairn.Cli.Output;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn down</c>: stops the daemon.</summary>
public static class DownCommand
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);

    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        Command command = new ManualCommand(
            "down",
            "Stop this machine's daemon; what was written is kept.",
            "Drives are unmounted, also while programs use them; they are mounted again at the next 'cairn up'. "
            + "The command returns when the daemon has ended.",
            "cairn down");
        CommandContext.Attach(command, async (context, _, cancellation) =>
        {
            using HttpResponseMessage asked = await context.Client.Send(
                HttpMethod.Post, "/v1/stop", null, cancellation);
            while (HomeLock.IsTaken(context.Home))
            {
                await Task.Delay(LookEvery, cancellation);
            }

            context.Say("The daemon has stopped.");
            return ExitCode.Ok;
        });
        return command;
    }
}
