using System.CommandLine;
using System.Net.Http.Json;
using Cairn.Cli.Output;
using Cairn.Core.Text;
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
        Argument<long> size = GlobalOptions.Size(new Argument<long>("size")
        {
            Description = "Such as 50GiB.",
            HelpName = "SIZE",
        });
        Command command = new ManualCommand(
            "set",
            "Give so much; what does not fit any more moves to other machines.",
            "Takes effect at once, while the daemon runs. At least 80MiB. It is kept as `spaceBytes` in the "
            + "home's config.json, which may be edited while the daemon is down.",
            "cairn space set 80GiB") { size };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            long bytes = parsed.GetValue(size);
            using HttpResponseMessage response = await context.Client.Send(
                HttpMethod.Put, FormattableString.Invariant($"/v1/space?bytes={bytes}"), null, cancellation);
            SpaceStatus space = await response.Content.ReadFromJsonAsync(ControlJson.Default.SpaceStatus, cancellation);
            if (context.Json)
            {
                await context.PrintJson(space, ControlJson.Default.SpaceStatus);
            }

            context.Say($"{SizeText.Format(space.AllocatedBytes)} given, {SizeText.Format(space.FreeBytes)} free.");
            return ExitCode.Ok;
        });
        return command;
    }
}
