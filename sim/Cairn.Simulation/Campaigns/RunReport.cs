namespace Cairn.Simulation.Campaigns;

/// <summary>Something that must never be, and was.</summary>
/// <param name="Invariant">Which promise.</param>
/// <param name="Detail">What was found instead.</param>
/// <param name="At">Virtual time.</param>
public sealed record BrokenInvariant(string Invariant, string Detail, TimeSpan At);

/// <summary>What one run did and found.</summary>
public sealed record RunReport
{
    /// <summary>The run's seed.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Virtual time that passed.</summary>
    public required TimeSpan VirtualTime { get; init; }

    /// <summary>Callbacks that ran.</summary>
    public required long Events { get; init; }

    /// <summary>File operations that clients were answered.</summary>
    public required long Operations { get; init; }

    /// <summary>Writes whose survival was promised at the end.</summary>
    public required long PromisedWrites { get; init; }

    /// <summary>How often snapshots, rules and pins were made, and equal bytes written while their chunks were condemned.</summary>
    public required IReadOnlyList<KeyValuePair<string, long>> Deeds { get; init; }

    /// <summary>How often each kind of fault happened.</summary>
    public required IReadOnlyList<KeyValuePair<string, long>> Faults { get; init; }

    /// <summary>Conflict names in the final tree.</summary>
    public required long Conflicts { get; init; }

    /// <summary>Chunk copies that repair made.</summary>
    public required long ChunksRemade { get; init; }

    /// <summary>The longest a healed pool took to come to rest.</summary>
    public required TimeSpan WorstConvergence { get; init; }

    /// <summary>Real time the run took.</summary>
    public required TimeSpan WallTime { get; init; }

    /// <summary>Says that two runs were the same: a hash of every callback, frame and datagram in order.</summary>
    public required ulong TraceHash { get; init; }

    /// <summary>What broke; empty for a good run.</summary>
    public required IReadOnlyList<BrokenInvariant> Broken { get; init; }

    /// <summary>What happened last, in virtual time, when something broke.</summary>
    public required IReadOnlyList<string> Diary { get; init; }

    /// <summary>The command that repeats the run.</summary>
    public required string ReplayCommand { get; init; }
}
