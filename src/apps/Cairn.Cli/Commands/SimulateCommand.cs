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

    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        Option<int> nodes = new("--nodes")
        {
            Description = "How many nodes. Default: 20.",
            HelpName = "N",
            DefaultValueFactory = _ => 20,
        };
        Option<double> hours = new("--hours")
        {
            Description = "Virtual hours of work and faults. Default: 24.",
            HelpName = "H",
            DefaultValueFactory = _ => 24,
        };
        Option<ulong> seed = new("--seed")
        {
            Description = "Decides everything; run i of --runs has seed + i. Default: 1.",
            HelpName = "S",
            DefaultValueFactory = _ => 1,
        };
        Option<int> runs = new("--runs")
        {
            Description = "How many runs. Default: 1.",
            HelpName = "R",
            DefaultValueFactory = _ => 1,
        };
        Option<string> faults = new("--faults")
        {
            Description = $"What goes wrong. Default: all of {string.Join(',', FaultWords.All)}.",
            HelpName = "LIST",
            DefaultValueFactory = _ => FaultWords.List(FaultKinds.All),
        };
        Option<bool> calm = new("--no-faults") { Description = "Nothing goes wrong." };
        CampaignOptions usual = new();
        Option<double> storm = Tuning(
            "--storm-minutes", "Virtual minutes of faults between two checks at rest.", usual.StormLength.TotalMinutes);
        Option<double> think = Tuning(
            "--think-seconds", "The mean pause of a client between two things it does.", usual.ThinkTime.TotalSeconds);
        Option<double> pause = Tuning(
            "--fault-seconds", "The mean pause between two faults of one kind.", usual.FaultInterval.TotalSeconds);
        Option<double> space = Tuning("--space-mib", "What each node gives, in MiB.", usual.SpaceBytes >> 20);
        Command command = new ManualCommand(
            "simulate",
            "Run whole pools on virtual time with faults, and check every promise.",
            "The same engine in one thread, on simulated network, disks and clocks that a seed decides. Exit code 1 "
            + "when a promise was broken; the command that replays the run is printed.",
            "cairn simulate --nodes 20 --hours 24 --seed 7 --runs 10",
            "cairn simulate --nodes 4 --hours 1 --no-faults")
        {
            nodes, hours, seed, runs, faults, calm, storm, think, pause, space,
        };
        CommandContext.Attach(command, (context, parsed, cancellation) =>
        {
            string words = parsed.GetValue(calm) ? "none" : parsed.GetValue(faults)!;
            if (!FaultWords.TryParse(words, out FaultKinds kinds, out string unknown))
            {
                string choice = string.Join(',', FaultWords.All);
                throw new CommandException($"'{unknown}' is no fault: choose from {choice}") { Exit = ExitCode.Usage };
            }

            CampaignOptions options = new()
            {
                Nodes = parsed.GetValue(nodes),
                Duration = TimeSpan.FromHours(parsed.GetValue(hours)),
                Seed = parsed.GetValue(seed),
                Faults = kinds,
                StormLength = TimeSpan.FromMinutes(parsed.GetValue(storm)),
                ThinkTime = TimeSpan.FromSeconds(parsed.GetValue(think)),
                FaultInterval = TimeSpan.FromSeconds(parsed.GetValue(pause)),
                SpaceBytes = (long)parsed.GetValue(space) << 20,
            };
            IReadOnlyList<string> problems = options.Validate();
            return problems.Count > 0
                ? throw new CommandException(string.Join("; ", problems)) { Exit = ExitCode.Usage }
                : Run(context, options, parsed.GetValue(runs), cancellation);
        });
        return command;
    }

    private static Option<double> Tuning(string name, string description, double usual) => new(name)
    {
        Description = FormattableString.Invariant($"{description} Default: {usual}."),
        HelpName = "N",
        DefaultValueFactory = _ => usual,
    };

    private static Task<int> Run(
        CommandContext context, CampaignOptions options, int runs, CancellationToken cancellation)
    {
        List<RunReport> reports = [];
        for (int i = 0; i < runs; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            RunReport report = Campaign.Run(options with { Seed = options.Seed + (ulong)i });
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
