using System.CommandLine;
using System.Net.Http.Json;
using Cairn.Cli.Output;
using Cairn.Gateway.Control;
using Cairn.Node.Control;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn volume create|ls|writers|rm</c>.</summary>
public static class VolumeCommand
{
    /// <summary>Builds the command and its verbs.</summary>
    public static Command Create() => new("volume", "Make, list and remove volumes (shared drives).")
    {
        CreateVerb(), ListVerb(), VolumeWritersCommand.Create(), RemoveVerb(),
    };

    private static ManualCommand CreateVerb()
    {
        Argument<string> name = new("name") { Description = "The new volume's name.", HelpName = "VOLUME" };
        ManualCommand command = new(
            "create",
            "Make a volume: a shared namespace with its own keys.",
            "It is usable here at once, and on the other machines as soon as they hear of it.",
            "cairn volume create photos") { name };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string wanted = parsed.GetValue(name)!;
            using HttpResponseMessage response = await context.Client.Send(
                HttpMethod.Post, "/v1/volumes?name=" + Uri.EscapeDataString(wanted), null, cancellation);
            if (context.Json)
            {
                VolumeSummary made = await response.Content.ReadFromJsonAsync(
                    ControlJson.Default.VolumeSummary, cancellation);
                await context.PrintJson(made, ControlJson.Default.VolumeSummary);
            }

            context.Say($"The volume '{wanted}' is there. Mount it: cairn mount {wanted} DIR");
            return ExitCode.Ok;
        });
        return command;
    }

    private static ManualCommand ListVerb()
    {
        ManualCommand command = new(
            "ls",
            "List the volumes.",
            "KEYS says whether this machine has been given the volume's keys; without them it cannot open it. WRITERS "
            + "are the machines that alone may change it. A clone shares the data of the snapshot in CLONE OF.",
            "cairn volume ls",
            "cairn volume ls --json");
        CommandContext.Attach(command, async (context, _, cancellation) =>
        {
            IReadOnlyList<VolumeSummary> volumes =
                await context.Client.Get("/v1/volumes", ControlJson.Default.IReadOnlyListVolumeSummary, cancellation);
            if (context.Json)
            {
                await context.PrintJson(volumes, ControlJson.Default.IReadOnlyListVolumeSummary);
                return ExitCode.Ok;
            }

            context.PrintTable(
                ["NAME", "ID", "KEYS", "WRITERS", "CLONE OF"],
                volumes.Select(volume => (IReadOnlyList<string>)
                [
                    volume.Name, volume.Id.Short, volume.HasKeys ? "here" : "not here",
                    volume.Writers is { } writers ? string.Join(", ", writers) : "everyone",
                    volume.CloneOf is { } origin ? origin + (volume.IsComplete ? string.Empty : " (being made)") : "-",
                ]));
            return ExitCode.Ok;
        });
        return command;
    }

    private static ManualCommand RemoveVerb()
    {
        Argument<string> name = Names.Volume();
        Option<bool> yes = new("--yes", "-y") { Description = "Do not ask." };
        ManualCommand command = new(
            "rm",
            "Remove a volume and everything in it, everywhere.",
            "It cannot be undone. Its space comes back within minutes once every machine has heard of it: one that is"
            + " away is waited for, as with deleted files. Without a terminal to ask on, --yes is needed. A volume with"
            + " clones of its snapshots stays until those are removed.",
            "cairn volume rm scratch",
            "cairn volume rm scratch --yes") { name, yes };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string doomed = parsed.GetValue(name)!;
            string question = $"Remove the volume '{doomed}' and everything in it, on every node?";
            if (!parsed.GetValue(yes) && !Prompt.Confirm(question))
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
