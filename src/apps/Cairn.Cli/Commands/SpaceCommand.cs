using System.CommandLine;
using System.Net.Http.Json;
using System.Text.Json;
using Cairn.Cli.Daemon;
using Cairn.Cli.Output;
using Cairn.Gateway.Control;
using Cairn.Node.Control;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn space set SIZE</c>: changes what this machine gives, live.</summary>
public static class SpaceCommand
{
    /// <summary>Builds the command.</summary>
    public static Command Create() => new("space", "Change what this machine gives to the pool.") { SetVerb() };

    private static Command SetVerb()
    {
        Argument<string> size = new("size") { Description = "Such as 50GiB.", HelpName = "SIZE" };
        Command command = new("set", "Give so much; what does not fit any more moves to other machines.") { size };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string text = parsed.GetValue(size)!;
            if (!SizeText.TryParse(text, out long bytes) || bytes <= 0)
            {
                throw new CommandException($"'{text}' is not a size: write a number and a unit, such as 50GiB") { Exit = ExitCode.Usage };
            }

            using HttpResponseMessage response = await context.Client.Send(
                HttpMethod.Put, FormattableString.Invariant($"/v1/space?bytes={bytes}"), null, cancellation);
            SpaceStatus space = await response.Content.ReadFromJsonAsync(ControlJson.Default.SpaceStatus, cancellation);
            (HomeConfig.Load(context.Home) with { SpaceBytes = bytes }).Save(context.Home);
            if (context.Json)
            {
                await context.Output.WriteLineAsync(JsonSerializer.Serialize(space, ControlJson.Default.SpaceStatus));
            }

            context.Say($"{SizeText.Format(space.AllocatedBytes)} given, {SizeText.Format(space.FreeBytes)} free.");
            return ExitCode.Ok;
        });
        return command;
    }
}
