using System.CommandLine;
using System.Diagnostics;
using Cairn.Cli.Output;
using Cairn.Gateway.Control;
using Cairn.Io.FuseDevice;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn mount</c>, <c>cairn umount</c>, <c>cairn mounts</c>.</summary>
public static class MountCommands
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    /// <summary>Mounts a volume.</summary>
    public static Command CreateMount()
    {
        Argument<string> volume = Names.Volume();
        Argument<string> directory = new("directory")
        {
            Description = "An empty directory; made if absent.",
            HelpName = "DIR",
        };
        Option<TimeSpan?> wait = GlobalOptions.Seconds(
            "--wait", "Seconds to wait for a volume this node has not heard of yet, or has no keys of.");
        Command command = new ManualCommand(
            "mount",
            "Mount a volume at a directory, now and whenever the daemon starts.",
            "The daemon mounts it, not this command: as root for everybody on the machine, else with fusermount3 "
            + "(package fuse3) for its own user alone.",
            "cairn mount photos ~/photos",
            "cairn mount photos /srv/photos --wait 10") { volume, directory, wait };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string name = parsed.GetValue(volume)!;
            string target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(parsed.GetValue(directory)!));
            bool isNew = MakeDirectory(target);
            try
            {
                await Mount(context, name, target, parsed.GetValue(wait) ?? TimeSpan.Zero, cancellation);
            }
            catch when (isNew)
            {
                Directory.Delete(target);
                throw;
            }

            context.Say($"{name} is mounted at {target}.");
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>Unmounts a drive.</summary>
    public static Command CreateUnmount()
    {
        Argument<string> directory = new("directory") { Description = "Where it is mounted.", HelpName = "DIR" };
        Option<bool> force = new("--force") { Description = "Detach it even though programs still use it." };
        Command command = new ManualCommand(
            "umount",
            "Unmount a drive; what was written is kept.",
            "It is not mounted again when the daemon starts.",
            "cairn umount ~/photos",
            "cairn umount ~/photos --force") { directory, force };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string target = Path.GetFullPath(parsed.GetValue(directory)!);
            string query = $"?directory={Uri.EscapeDataString(target)}"
                + (parsed.GetValue(force) ? "&force=true" : string.Empty);
            using HttpResponseMessage _ = await context.Client.Send(
                HttpMethod.Delete, "/v1/mounts" + query, null, cancellation);
            context.Say($"{target} is unmounted.");
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>Lists the drives.</summary>
    public static Command CreateList()
    {
        Command command = new ManualCommand(
            "mounts", "List the mounted drives.", string.Empty, "cairn mounts", "cairn mounts --json");
        CommandContext.Attach(command, (context, _, cancellation) => context.PrintListing(
            "/v1/mounts",
            ControlJson.Default.IReadOnlyListMountSummary,
            ["VOLUME", "DIRECTORY"],
            mount => [[mount.Volume, mount.Directory]],
            cancellation));
        return command;
    }

    /// <summary>Makes the mount point, if its parent is there. A dead mount on it counts as being there.</summary>
    private static bool MakeDirectory(string target)
    {
        bool isThere = Path.Exists(target) || MountTable.Find(target) is not null;
        if (isThere || !Directory.Exists(Path.GetDirectoryName(target)))
        {
            return false;
        }

        Directory.CreateDirectory(target);
        return true;
    }

    private static async Task Mount(
        CommandContext context, string volume, string directory, TimeSpan patience, CancellationToken cancellation)
    {
        string path = $"/v1/mounts?volume={Uri.EscapeDataString(volume)}&directory={Uri.EscapeDataString(directory)}";
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                using HttpResponseMessage _ = await context.Client.Send(HttpMethod.Post, path, null, cancellation);
                return;
            }
            catch (CommandException error) when (
                error.Exit is ExitCode.NotFound or ExitCode.Locked && Stopwatch.GetElapsedTime(start) < patience)
            {
                await Task.Delay(LookEvery, cancellation);
            }
        }
    }
}
