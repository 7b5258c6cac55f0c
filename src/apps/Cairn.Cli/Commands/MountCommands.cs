using System.CommandLine;
using System.Text.Json;
using Cairn.Cli.Output;
using Cairn.Gateway.Control;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn mount</c>, <c>cairn umount</c>, <c>cairn mounts</c>.</summary>
public static class MountCommands
{
    /// <summary>Mounts a volume.</summary>
    public static Command CreateMount()
    {
        Argument<string> volume = new("volume") { Description = "The volume's name.", HelpName = "VOLUME" };
        Argument<string> directory = new("directory") { Description = "An empty directory; made if absent.", HelpName = "DIR" };
        Option<double> wait = new("--wait")
        {
            Description = "Seconds to wait for a volume this node has not heard of yet.",
            HelpName = "SECONDS",
        };
        Command command = new("mount", "Mount a volume at a directory, now and whenever the daemon starts.") { volume, directory, wait };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string name = parsed.GetValue(volume)!;
            string target = Path.GetFullPath(parsed.GetValue(directory)!);
            string path = $"/v1/mounts?volume={Uri.EscapeDataString(name)}&directory={Uri.EscapeDataString(target)}";
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            while (true)
            {
                try
                {
                    using HttpResponseMessage _ = await context.Client.Send(HttpMethod.Post, path, null, cancellation);
                    context.Say($"{name} is mounted at {target}.");
                    return ExitCode.Ok;
                }
                catch (CommandException error) when (error.Exit == ExitCode.NotFound
                    && System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds < parsed.GetValue(wait))
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(50), cancellation);
                }
            }
        });
        return command;
    }

    /// <summary>Unmounts a drive.</summary>
    public static Command CreateUnmount()
    {
        Argument<string> directory = new("directory") { Description = "Where it is mounted.", HelpName = "DIR" };
        Option<bool> force = new("--force") { Description = "Detach it even though programs still use it." };
        Command command = new("umount", "Unmount a drive; what was written is kept.") { directory, force };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string target = Path.GetFullPath(parsed.GetValue(directory)!);
            string query = $"?directory={Uri.EscapeDataString(target)}" + (parsed.GetValue(force) ? "&force=true" : string.Empty);
            using HttpResponseMessage _ = await context.Client.Send(HttpMethod.Delete, "/v1/mounts" + query, null, cancellation);
            context.Say($"{target} is unmounted.");
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>Lists the drives.</summary>
    public static Command CreateList()
    {
        Command command = new("mounts", "List the mounted drives.");
        CommandContext.Attach(command, async (context, _, cancellation) =>
        {
            IReadOnlyList<MountSummary> mounts =
                await context.Client.Get("/v1/mounts", ControlJson.Default.IReadOnlyListMountSummary, cancellation);
            if (context.Json)
            {
                await context.Output.WriteLineAsync(JsonSerializer.Serialize(mounts, ControlJson.Default.IReadOnlyListMountSummary));
                return ExitCode.Ok;
            }

            context.PrintTable(["VOLUME", "DIRECTORY"], mounts.Select(mount => (IReadOnlyList<string>)[mount.Volume, mount.Directory]));
            return ExitCode.Ok;
        });
        return command;
    }
}
