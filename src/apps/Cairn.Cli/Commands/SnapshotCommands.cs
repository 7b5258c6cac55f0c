using System.CommandLine;
using System.Globalization;
using Cairn.Cli.Output;
using Cairn.Core.Text;
using Cairn.Gateway.Control;
using Cairn.Node.Control;
using Cairn.Node.Volumes;

namespace Cairn.Cli.Commands;

/// <summary>A volume as it was: <c>snapshot create|ls|rm|diff|restore|clone|schedule</c> and <c>rewind</c>.</summary>
public static class SnapshotCommands
{
    private const string Route = "/v1/snapshots";

    /// <summary>Snapshots and their verbs.</summary>
    public static Command Create() =>
        new("snapshot", "A folder as it is now, kept for as long as you like.")
        {
            CreateMake(), CreateList(), CreateRemove(), CreateCompare(), CreateRestore(), CreateClone(),
            CreateSchedule(),
        };

    /// <summary>Goes back to a moment.</summary>
    public static Command CreateRewind()
    {
        Argument<string> path = Names.Path();
        path.Description = "VOLUME@TIME, VOLUME/PATH@TIME, or with a snapshot's name in place of the time.";
        path.HelpName = "VOLUME@TIME";
        Option<string?> by = new("--by")
        {
            Description = "Undo only what this machine, or this person on all their machines, did since; what others "
                + "did stays.",
            HelpName = "NODE|USER",
        };
        by.CompletionSources.Add(Completions.Nodes);
        Command command = new ManualCommand(
            "rewind",
            "Make a volume or folder what it was at a moment: a disaster undone in one step.",
            "What came since goes into the trash, what is gone comes back, and no data moves. A snapshot of the volume"
            + " is made first and named in the answer: going back to it undoes the rewind. The moment is what every"
            + " node had written by then, by its own clock; what the retention let go of since stays and is listed.",
            "cairn rewind notes@2026-11-20T10:00",
            "cairn rewind notes@2026-11-20T10:00 --by laptop",
            "cairn rewind notes/diary@before-20261120T100312Z") { path, by };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            (string place, string state) = SplitState(parsed.GetValue(path)!);
            string without = string.Empty;
            if (parsed.GetValue(by) is { } name)
            {
                if (!state.StartsWith('@'))
                {
                    throw new CommandException(
                        "--by needs a time: write VOLUME@TIME, such as notes@2026-11-20T10:00")
                    {
                        Exit = ExitCode.Usage,
                    };
                }

                IReadOnlyList<string> machines = await Machines.Of(context, name, cancellation);
                without = string.Concat(machines.Select(id => "&without=" + id));
            }

            return await GoBack(context, place, state, without, cancellation);
        });
        return command;
    }

    /// <summary>
    /// What stands before the last '@', and the state behind it: '@' and a time in UTC, or a snapshot's name.
    /// </summary>
    /// <exception cref="CommandException">There is no '@'.</exception>
    internal static (string Place, string State) SplitState(string text)
    {
        int at = text.LastIndexOf('@');
        if (at <= 0 || at == text.Length - 1)
        {
            string place = text.TrimEnd('@');
            throw new CommandException($"to which moment? Write {place}@TIME or {place}@SNAPSHOT")
            {
                Exit = ExitCode.Usage,
            };
        }

        return PastPath.Parse(text).Time is { } time
            ? (text[..at], "@" + time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture))
            : (text[..at], text[(at + 1)..]);
    }

    private static Command CreateMake()
    {
        Argument<string> path = Names.Path();
        Argument<string> name = Name();
        Command command = new ManualCommand(
            "create",
            "Keep a volume or folder as it is now.",
            "It costs nothing to make, whatever the size, and stays exactly the same on every node until it is removed."
            + " It is read under VOLUME/.snapshots/NAME, also in every mounted drive (the folder is not listed).",
            "cairn snapshot create notes before-upgrade",
            "cairn snapshot create notes/diary 2026") { path, name };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            VolumeSnapshot made = await context.Client.Post(
                Query(parsed.GetValue(path)!, parsed.GetValue(name)!),
                ControlJson.Default.VolumeSnapshot,
                cancellation);
            string volume = VolumePath.Split(parsed.GetValue(path)!).Volume;
            return await context.Print(
                made,
                ControlJson.Default.VolumeSnapshot,
                one => context.Say($"{one.Name} is kept; read it under {volume}/.snapshots/{one.Name}"));
        });
        return command;
    }

    private static Command CreateList()
    {
        Argument<string> volume = Names.Volume();
        Command command = new ManualCommand(
            "ls",
            "List the snapshots of a volume, the oldest first.",
            string.Empty,
            "cairn snapshot ls notes") { volume };
        CommandContext.Attach(command, (context, parsed, cancellation) => context.PrintListing(
            Route + VolumePath.Query(parsed.GetValue(volume)!),
            ControlJson.Default.IReadOnlyListVolumeSnapshot,
            ["NAME", "TAKEN", "WHO", "FOLDER"],
            snapshot =>
            [
                [
                    snapshot.Name, snapshot.TakenAt.ToString(), Names.Who(snapshot.AuthorUser, snapshot.AuthorName),
                    "/" + snapshot.Folder,
                ],
            ],
            cancellation));
        return command;
    }

    private static Command CreateRemove()
    {
        Argument<string> volume = Names.Volume();
        Argument<string> name = Known();
        Command command = new ManualCommand(
            "rm",
            "Remove a snapshot, on every node.",
            "What only it showed is collected within minutes while all members are online. This cannot be undone. A"
            + " snapshot that a clone needs stays: remove the clone first.",
            "cairn snapshot rm notes before-upgrade") { volume, name };
        CommandContext.Attach(command, (context, parsed, cancellation) => context.Change(
            HttpMethod.Delete, Query(parsed.GetValue(volume)!, parsed.GetValue(name)!), cancellation));
        return command;
    }

    private static Command CreateCompare()
    {
        Argument<string> path = Names.Path();
        Argument<string> name = State();
        Command command = new ManualCommand(
            "diff",
            "List what changed in a volume or folder since a snapshot, or since a moment.",
            "Modified means another content; attributes alone are mode, owner or time. A file that was moved is removed"
            + " in one place and added in another. @refused is the volume as it would be if nothing had been refused:"
            + " what is listed as removed since is what somebody made who may not write there.",
            "cairn snapshot diff notes before-upgrade",
            "cairn snapshot diff notes/diary @2026-11-20T10:00",
            "cairn snapshot diff notes @refused") { path, name };
        CommandContext.Attach(command, (context, parsed, cancellation) => context.PrintListing(
            Query(parsed.GetValue(path)!, StateOf(parsed.GetValue(name)!), "/differences"),
            ControlJson.Default.IReadOnlyListPastDifference,
            ["CHANGE", "BEFORE", "AFTER", "PATH"],
            one =>
            [
                [
                    one.Change.ToString().ToLowerInvariant(), Size(one.SizeBefore), Size(one.SizeAfter), one.Path,
                ],
            ],
            cancellation));
        return command;
    }

    private static Command CreateRestore()
    {
        Argument<string> path = Names.Path();
        Argument<string> name = State();
        Command command = new ManualCommand(
            "restore",
            "Make a volume, folder or file what it was in a snapshot, or at a moment.",
            "The same as 'cairn rewind': a snapshot is made first, so it can be undone. To bring back one file beside"
            + " the present one, copy it: cairn get VOLUME/.snapshots/NAME/FILE.",
            "cairn snapshot restore notes before-upgrade",
            "cairn snapshot restore notes/diary/may.txt before-upgrade") { path, name };
        CommandContext.Attach(command, (context, parsed, cancellation) => GoBack(
            context, parsed.GetValue(path)!, StateOf(parsed.GetValue(name)!), string.Empty, cancellation));
        return command;
    }

    private static Command CreateClone()
    {
        Argument<string> volume = Names.Volume();
        Argument<string> name = Known();
        Argument<string> clone = new("newvolume") { Description = "The new volume's name.", HelpName = "NEWVOLUME" };
        Command command = new ManualCommand(
            "clone",
            "Make a new volume that begins as a snapshot and shares all its data.",
            "No data is copied; 10,000 files take a few seconds. From then on both volumes are written to and removed"
            + " from as any other, and neither sees what is done in the other. The snapshot, and the volume it is of,"
            + " stay until the clone is removed with 'cairn volume rm': its data gives no space back before. Of a"
            + " snapshot of a folder, the folder becomes the root. Files that were in conflict are files of their own."
            + " The new volume opens on the other machines when it is complete. Admins only.",
            "cairn snapshot clone notes before-upgrade notes-test") { volume, name, clone };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string wanted = Uri.EscapeDataString(parsed.GetValue(clone)!);
            VolumeSummary made = await context.Client.Post(
                Query(parsed.GetValue(volume)!, parsed.GetValue(name)!, "/clone") + "&as=" + wanted,
                ControlJson.Default.VolumeSummary,
                cancellation);
            return await context.Print(
                made,
                ControlJson.Default.VolumeSummary,
                one => context.Say(
                    $"The volume '{one.Name}' is there, a clone of {one.CloneOf}."
                    + $" Mount it: cairn mount {one.Name} DIR"));
        });
        return command;
    }

    private static Command CreateSchedule()
    {
        Argument<string> volume = Names.Volume();
        Argument<string[]> schedule = new("schedule")
        {
            Description = "off, or of how many periods they stay: some of hourly 24, daily 30, weekly 8, monthly 12.",
            HelpName = "SCHEDULE",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Command command = new ManualCommand(
            "schedule",
            "Show, or set, which snapshots of a volume are made by themselves.",
            "One node of the pool makes a snapshot of the volume in each hour, day, week (from Monday) or month, and"
            + " another stands in for it when it is away. It is called after its period, in UTC:"
            + " hourly-20261120T1000Z, with the id of who stood in behind it. The oldest periods of each kind go; kinds"
            + " that are not named are neither made nor removed, and your own snapshots are left alone.",
            "cairn snapshot schedule notes hourly 24, daily 30",
            "cairn snapshot schedule notes off",
            "cairn snapshot schedule notes") { volume, schedule };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string query = Route + "/schedule" + VolumePath.Query(parsed.GetValue(volume)!);
            if (parsed.GetValue(schedule) is { Length: > 0 } words)
            {
                _ = await context.Change(
                    HttpMethod.Put, $"{query}&schedule={Uri.EscapeDataString(string.Join(' ', words))}", cancellation);
            }

            ScheduleSummary shown = await context.Client.Get(
                query, ControlJson.Default.ScheduleSummary, cancellation);
            return await context.Print(
                shown, ControlJson.Default.ScheduleSummary, one => context.Output.WriteLine(one.Schedule));
        });
        return command;
    }

    private static async Task<int> GoBack(
        CommandContext context, string place, string state, string more, CancellationToken cancellation)
    {
        RestoreOutcome outcome = await context.Client.Post(
            Query(place, state, "/restore") + more, ControlJson.Default.RestoreOutcome, cancellation);
        return await Tell(context, VolumePath.Split(place).Volume, outcome);
    }

    /// <summary>Says what was changed, how it is undone, and what did not come back.</summary>
    internal static async Task<int> Tell(CommandContext context, string volume, RestoreOutcome outcome)
    {
        if (context.Json)
        {
            await context.PrintJson(outcome, ControlJson.Default.RestoreOutcome);
        }

        string changed = CountText.Of(outcome.Changed, "entry", "entries");
        context.Say(outcome.Undo.Length == 0
            ? "Nothing changed: it is so already."
            : $"{changed} changed. To undo it: cairn rewind {volume}@{outcome.Undo}");
        foreach (string lost in outcome.Lost)
        {
            context.Say($"not brought back, its data is no longer kept: {lost}");
        }

        return outcome.Lost.Count == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    private static string Query(string place, string name, string verb = "") =>
        $"{Route}{verb}{VolumePath.Query(place)}&name={Uri.EscapeDataString(name)}";

    /// <summary>A snapshot's name as it is; a time in UTC, because the daemon may think in another zone.</summary>
    private static string StateOf(string text) =>
        text.StartsWith('@') && text != PastState.Refused ? SplitState("v" + text).State : text;

    private static string Size(long? bytes) => bytes is { } size ? SizeText.Format(size) : "-";

    private static Argument<string> Name() => new("name") { Description = "The snapshot's name.", HelpName = "NAME" };

    /// <summary>The name of one that is there.</summary>
    private static Argument<string> Known() => Completed(Name());

    private static Argument<string> State() => Completed(new Argument<string>("name")
    {
        Description = "The snapshot's name, or '@' and a time (local unless it says).",
        HelpName = "NAME",
    });

    private static Argument<string> Completed(Argument<string> name)
    {
        name.CompletionSources.Add(Completions.Snapshots);
        return name;
    }
}
