using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Cli.Output;
using Cairn.Simulation.Campaigns;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn simulate</c>: whole pools in one thread on virtual time, with faults from a seed.</summary>
public static class SimulateCommand
{
    private static readonly JsonSerializerOptions Style = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter() },
        WriteIndented = true,
    };

    private static readonly CampaignOptions Usual = new();

    private static readonly Option<int> Nodes = Setting("--nodes", "How many nodes.", Usual.Nodes);

    private static readonly Option<double> Hours =
        Setting("--hours", "Virtual hours of work and faults.", Usual.Duration.TotalHours);

    private static readonly Option<ulong> Seed =
        Setting("--seed", "Decides everything; run i of --runs has seed + i.", Usual.Seed);

    private static readonly Option<int> Runs = Setting("--runs", "How many runs.", 1);

    private static readonly Option<int> Threads = Setting(
        "--threads", "How many runs at once; with --log one after the other.", Environment.ProcessorCount);

    private static readonly Option<string> Faults =
        Setting("--faults", "What goes wrong, with commas between.", FaultWords.List(FaultKinds.All));

    private static readonly Option<bool> Calm = new("--no-faults") { Description = "Nothing goes wrong." };

    private static readonly Option<double> Storm = Setting(
        "--storm-minutes", "Virtual minutes of faults between two checks at rest.", Usual.StormLength.TotalMinutes);

    private static readonly Option<double> Think = Setting(
        "--think-seconds", "The mean pause of a client between two things it does.", Usual.ThinkTime.TotalSeconds);

    private static readonly Option<double> Pause = Setting(
        "--fault-seconds", "The mean pause between two faults of one kind.", Usual.FaultInterval.TotalSeconds);

    private static readonly Option<long> Space =
        Setting("--space-mib", "What each node gives, in MiB.", Usual.SpaceBytes >> 20);

    private static readonly Option<bool> KeepNothing = new("--keep-nothing")
    {
        Description = "The volume keeps no past: what is deleted or written over is garbage at once.",
    };

    private static readonly Option<string?> Log = new("--log")
    {
        Description = "Write to this file what happens: faults, and what the nodes' diaries say, in virtual time.",
        HelpName = "FILE",
    };

    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        Command command = new ManualCommand(
            "simulate",
            "Run whole pools on virtual time with faults, and check every promise.",
            "The same engine in one thread, on simulated network, disks and clocks that a seed decides. Exit code 1 "
            + "when a promise was broken; the command that replays the run is printed.",
            "cairn simulate --nodes 20 --hours 24 --seed 7 --runs 10",
            "cairn simulate --nodes 4 --hours 1 --no-faults")
        {
            Nodes, Hours, Seed, Runs, Threads, Faults, Calm, Storm, Think, Pause, Space, KeepNothing, Log,
        };
        CommandContext.Attach(command, (context, parsed, cancellation) =>
            Run(context, RunsOf(parsed), parsed.GetValue(Threads), parsed.GetValue(Log), cancellation));
        return command;
    }

    private static CampaignOptions[] RunsOf(ParseResult parsed)
    {
        CampaignOptions first = OptionsOf(parsed);
        return [.. Enumerable.Range(0, parsed.GetValue(Runs)).Select(i => first with { Seed = first.Seed + (ulong)i })];
    }

    private static CampaignOptions OptionsOf(ParseResult parsed)
    {
        string words = parsed.GetValue(Calm) ? "none" : parsed.GetValue(Faults)!;
        if (!FaultWords.TryParse(words, out FaultKinds kinds, out string unknown))
        {
            string choice = string.Join(',', FaultWords.All);
            throw new CommandException($"'{unknown}' is no fault: choose from {choice}") { Exit = ExitCode.Usage };
        }

        CampaignOptions options = new()
        {
            Nodes = parsed.GetValue(Nodes),
            Duration = TimeSpan.FromHours(parsed.GetValue(Hours)),
            Seed = parsed.GetValue(Seed),
            Faults = kinds,
            StormLength = TimeSpan.FromMinutes(parsed.GetValue(Storm)),
            ThinkTime = TimeSpan.FromSeconds(parsed.GetValue(Think)),
            FaultInterval = TimeSpan.FromSeconds(parsed.GetValue(Pause)),
            SpaceBytes = parsed.GetValue(Space) << 20,
            KeepsNothing = parsed.GetValue(KeepNothing),
        };
        IReadOnlyList<string> problems = options.Validate();
        return problems.Count == 0
            ? options
            : throw new CommandException(string.Join("; ", problems)) { Exit = ExitCode.Usage };
    }

    private static Option<T> Setting<T>(string name, string description, T usual) => new(name)
    {
        Description = FormattableString.Invariant($"{description} Default: {usual}."),
        HelpName = "VALUE",
        DefaultValueFactory = _ => usual,
    };

    private static Task<int> Run(
        CommandContext context, CampaignOptions[] runs, int threads, string? log, CancellationToken cancellation)
    {
        using StreamWriter? file = log is null ? null : new StreamWriter(log);
        List<RunReport> reports = [];
        int atOnce = file is null ? Math.Max(1, threads) : 1;
        Action<string>? listener = file is null ? null : file.WriteLine;
        foreach (RunReport report in CampaignBatch.Run(
            runs, atOnce, listener, context.ShowsProgress ? Tell : null, cancellation))
        {
            reports.Add(report);
            if (!context.Json)
            {
                Print(context, report);
            }
        }

        int broken = reports.Count(report => report.Broken.Count > 0);
        if (context.Json)
        {
            context.Output.WriteLine(JsonSerializer.Serialize(new { runs = reports, broken }, Style));
        }
        else
        {
            context.Output.WriteLine($"{reports.Count} runs, {broken} with a broken invariant.");
        }

        return Task.FromResult(broken == 0 ? ExitCode.Ok : ExitCode.Failed);
    }

    /// <summary>Each virtual hour, on a terminal: a day of twenty nodes takes an hour.</summary>
    private static void Tell(RunProgress run) => Console.Error.WriteLine(
        FormattableString.Invariant($"seed {run.Seed}: {run.Done.TotalHours:0.#} of {run.Duration.TotalHours:0.#} ")
        + FormattableString.Invariant($"virtual hours in {run.WallTime:h\\:mm\\:ss}"));

    private static void Print(CommandContext context, RunReport report)
    {
        TextWriter output = context.Output;
        output.WriteLine(FormattableString.Invariant(
            $"seed {report.Seed}: {report.VirtualTime:d\\.hh\\:mm\\:ss} virtual ")
            + FormattableString.Invariant($"in {report.WallTime.TotalSeconds:0.0} s, ")
            + $"{report.Events} events, {report.Operations} operations, {report.PromisedWrites} promised writes, "
            + $"{report.Conflicts} conflicts, {report.ChunksRemade} chunks remade, "
            + FormattableString.Invariant($"worst convergence {report.WorstConvergence.TotalSeconds:0} s, ")
            + $"trace {report.TraceHash:x16}");
        output.WriteLine("  deeds: " + string.Join(", ", report.Deeds.Select(deed => $"{deed.Key} {deed.Value}")));
        output.WriteLine("  faults: " + string.Join(", ", report.Faults.Select(fault => $"{fault.Key} {fault.Value}")));
        foreach (BrokenInvariant broken in report.Broken)
        {
            output.WriteLine($"  BROKEN at {broken.At:d\\.hh\\:mm\\:ss}: {broken.Invariant}: {broken.Detail}");
        }

        if (report.Broken.Count > 0)
        {
            foreach (string line in report.Diary)
            {
                context.Say("    " + line);
            }

            output.WriteLine($"  replay: {report.ReplayCommand}");
        }
    }
}
