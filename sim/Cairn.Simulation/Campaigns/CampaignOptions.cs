namespace Cairn.Simulation.Campaigns;

/// <summary>What one run of a campaign does. The same options give the same run, to the byte.</summary>
public sealed record CampaignOptions
{
    /// <summary>How many nodes. Default 20.</summary>
    public int Nodes { get; init; } = 20;

    /// <summary>Virtual time under load, without the time to settle. Default 24 hours.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Decides everything. Default 1.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>What goes wrong. Default everything.</summary>
    public FaultKinds Faults { get; init; } = FaultKinds.All;

    /// <summary>What each node gives to the pool. Default 512 MiB.</summary>
    public long SpaceBytes { get; init; } = 512L << 20;

    /// <summary>The mean pause of a client between two things it does. Default 2 minutes.</summary>
    public TimeSpan ThinkTime { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>A storm lasts so long before everything is healed and checked. Default 4 hours.</summary>
    public TimeSpan StormLength { get; init; } = TimeSpan.FromHours(4);

    /// <summary>How long the healed pool may take to come to rest. Default 2 hours.</summary>
    public TimeSpan SettleMax { get; init; } = TimeSpan.FromHours(2);

    /// <summary>The mean pause between two faults of one kind. Default 6 minutes.</summary>
    public TimeSpan FaultInterval { get; init; } = TimeSpan.FromMinutes(6);

    /// <summary>Whether the volume keeps no past: what is deleted or written over is garbage at once. Default false.</summary>
    public bool KeepsNothing { get; init; }

    /// <summary>
    /// How long a member may be away before it is forgotten: weeks would take days to run, so a part of a storm.
    /// </summary>
    public TimeSpan Horizon =>
        (Faults & (FaultKinds.Away | FaultKinds.Laptops)) != 0 ? StormLength / 4 : TimeSpan.FromDays(90);

    /// <summary>A bug planted on purpose, to prove that the checks see it. Default none.</summary>
    public PlantedBug Bug { get; init; }

    /// <summary>The command that repeats this run; what has its default is left out.</summary>
    public string ReplayCommand
    {
        get
        {
            CampaignOptions usual = new();
            return FormattableString.Invariant($"cairn simulate --nodes {Nodes} --hours {Duration.TotalHours:0.######}")
                + FormattableString.Invariant($" --seed {Seed} --runs 1 --faults {FaultWords.List(Faults)}")
                + Unusual("--storm-minutes", StormLength.TotalMinutes, usual.StormLength.TotalMinutes)
                + Unusual("--think-seconds", ThinkTime.TotalSeconds, usual.ThinkTime.TotalSeconds)
                + Unusual("--fault-seconds", FaultInterval.TotalSeconds, usual.FaultInterval.TotalSeconds)
                + Unusual("--space-mib", SpaceBytes >> 20, usual.SpaceBytes >> 20)
                + (KeepsNothing ? " --keep-nothing" : string.Empty);
        }
    }

    /// <summary>All problems at once; empty when the options can be used.</summary>
    public IReadOnlyList<string> Validate()
    {
        List<string> problems = [];
        if (Nodes is < 1 or > 200)
        {
            problems.Add($"{Nodes} nodes: choose from 1 to 200");
        }

        if (Duration <= TimeSpan.Zero)
        {
            problems.Add("the time must be positive");
        }

        if (StormLength <= TimeSpan.Zero || ThinkTime <= TimeSpan.Zero || FaultInterval <= TimeSpan.Zero)
        {
            problems.Add("storms and pauses must be positive");
        }

        if (SpaceBytes < 80L << 20)
        {
            problems.Add("a node gives at least 80 MiB");
        }

        return problems;
    }

    private static string Unusual(string option, double value, double usual) =>
        value == usual ? string.Empty : FormattableString.Invariant($" {option} {value:0.###}");
}

/// <summary>Bugs that a test plants, to prove that a campaign sees them.</summary>
public enum PlantedBug
{
    /// <summary>None: what every real campaign runs with.</summary>
    None,

    /// <summary>Disks answer a sync without doing it.</summary>
    LyingDisk,

    /// <summary>A node forgets a chunk it had promised to keep.</summary>
    DroppedChunk,
}
