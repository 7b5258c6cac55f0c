using System.CommandLine;
using System.Text.Json;
using Cairn.Cli.Output;
using Cairn.Gateway.Control;
using Cairn.Node.Control;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn volume create|ls|rm</c>.</summary>
public static class VolumeCommand
{
    /// <summary>Builds the command and its verbs.</summary>
    public static Command Create() => new("volume", "Make, list and remove volumes (shared drives).")
    {
        CreateVerb(), ListVerb(), RemoveVerb(),
    };

    private static Argument<string> Name() => new("name") { Description = "The volume's name.", HelpName = "VOLUME" };

    private static Command CreateVerb()
    {
        Argument<string> name = Name();
        Command command = new("create", "Make a volume: a shared namespace with its own keys.") { name };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string wanted = parsed.GetValue(name)!;
            using HttpResponseMessage response = await context.Client.Send(
                HttpMethod.Post, "/v1/volumes?name=" + Uri.EscapeDataString(wanted), null, cancellation);
            if (context.Json)
            {
                await context.Output.WriteLineAsync(await response.Content.ReadAsStringAsync(cancellation));
            }

            context.Say($"The volume '{wanted}' is there. Mount it: cairn mount {wanted} DIR");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command ListVerb()
    {
        Command command = new("ls", "List the volumes.");
        CommandContext.Attach(command, async (context, _, cancellation) =>
        {
            IReadOnlyList<VolumeSummary> volumes =
                await context.Client.Get("/v1/volumes", ControlJson.Default.IReadOnlyListVolumeSummary, cancellation);
            if (context.Json)
            {
                await context.Output.WriteLineAsync(JsonSerializer.Serialize(volumes, ControlJson.Default.IReadOnlyListVolumeSummary));
                return ExitCode.Ok;
            }

            context.PrintTable(
                ["NAME", "ID", "KEYS"],
                volumes.Select(volume => (IReadOnlyList<string>)[volume.Name, volume.Id.Short, volume.HasKeys ? "here" : "not here"]));
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command RemoveVerb()
    {
        Argument<string> name = Name();
        Option<bool> yes = new("--yes", "-y") { Description = "Do not ask." };
        Command command = new("rm", "Remove a volume and everything in it, everywhere.") { name, yes };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string doomed = parsed.GetValue(name)!;
            if (!parsed.GetValue(yes) && !Prompt.Confirm($"Remove the volume '{doomed}' and everything in it, on every node?"))
            {
                throw new CommandException("nothing was removed (say --yes to remove without being asked)");
            }

            using HttpResponseMessage _ = await context.Client.Send(
                HttpMethod.Delete, "/v1/volumes?name=" + Uri.EscapeDataString(doomed), null, cancellation);
            context.Say($"The volume '{doomed}' is removed.");
            return ExitCode.Ok;
        });
        return command;
    }
}
