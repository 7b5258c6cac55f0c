using System.Collections.Immutable;
using Cairn.Core.Placement;

namespace Cairn.Core.Rules;

/// <summary>Whether a node keeps extra copies of what it reads.</summary>
public enum CacheMode : byte
{
    /// <summary>As long as there is space.</summary>
    Auto = 0,

    /// <summary>Every node that opens it keeps it.</summary>
    Keep = 1,

    /// <summary>Not at all.</summary>
    Never = 2,
}

/// <summary>
/// An erasure code: a stripe of <paramref name="DataShards"/> chunks survives the loss of <paramref
/// name="ParityShards"/>.
/// </summary>
/// <param name="DataShards">1 to 32.</param>
/// <param name="ParityShards">1 to 16.</param>
public readonly record struct CodingRule(byte DataShards, byte ParityShards)
{
    /// <summary>Whether the numbers may stand in a rule.</summary>
    public bool IsValid => DataShards is > 0 and <= 32 && ParityShards is > 0 and <= 16;
}

/// <summary>Policy on a folder or file. What it leaves unsaid (null) it inherits from the folder above.</summary>
/// <remarks>Format: docs/formats/rule.md. Fields a newer program wrote are kept as they came and passed on.</remarks>
public sealed record Rule
{
    /// <summary>Says nothing: all is inherited.</summary>
    public static Rule Empty { get; } = new();

    /// <summary>What holds where no rule says anything.</summary>
    public static Rule Default { get; } = new()
    {
        Copies = PlacementPolicy.CopiesDefault,
        RequiredTags = [],
        ForbiddenTags = [],
        Zones = [],
        SpreadOverZones = true,
        Cache = CacheMode.Auto,
        Keep = new Retention(AllDays: 30, DailyDays: 0, Last: 0),
        Conflicts = new ConflictRule(ConflictMode.KeepBoth),
    };

    /// <summary>Whole copies, 1 to <see cref="PlacementPolicy.CopiesMax"/>. Default 4.</summary>
    public int? Copies { get; init; }

    /// <summary>An erasure code in place of whole copies once a file is cold. Default none.</summary>
    public CodingRule? Coding { get; init; }

    /// <summary>Nodes must carry all of these tags. Default none.</summary>
    public ImmutableArray<string>? RequiredTags { get; init; }

    /// <summary>Nodes must carry none of these tags. Default none.</summary>
    public ImmutableArray<string>? ForbiddenTags { get; init; }

    /// <summary>Nodes must be in one of these zones. Default any.</summary>
    public ImmutableArray<string>? Zones { get; init; }

    /// <summary>Whether copies spread over zones. Default true.</summary>
    public bool? SpreadOverZones { get; init; }

    /// <summary>Whether readers keep copies. Default auto.</summary>
    public CacheMode? Cache { get; init; }

    /// <summary>Which past versions and deleted files stay. Default all of the last 30 days.</summary>
    public Retention? Keep { get; init; }

    /// <summary>What becomes of concurrent versions. Default both are kept and shown.</summary>
    public ConflictRule? Conflicts { get; init; }

    /// <summary>Fields of newer programs, by tag, ascending.</summary>
    public ImmutableArray<RuleField> Unknown { get; init; } = [];

    /// <summary>This rule where it says something, else what it inherits.</summary>
    public Rule Over(Rule inherited) => new()
    {
        Copies = Copies ?? inherited.Copies,
        Coding = Coding ?? inherited.Coding,
        RequiredTags = RequiredTags ?? inherited.RequiredTags,
        ForbiddenTags = ForbiddenTags ?? inherited.ForbiddenTags,
        Zones = Zones ?? inherited.Zones,
        SpreadOverZones = SpreadOverZones ?? inherited.SpreadOverZones,
        Cache = Cache ?? inherited.Cache,
        Keep = Keep ?? inherited.Keep,
        Conflicts = Conflicts ?? inherited.Conflicts,
        Unknown = [.. Unknown.Concat(inherited.Unknown).DistinctBy(field => field.Tag).OrderBy(field => field.Tag)],
    };

    /// <summary>What holds for a file, given the rules from the root down to it.</summary>
    public static Rule Resolve(IEnumerable<Rule> fromRootDown) =>
        fromRootDown.Aggregate(Default, (inherited, rule) => rule.Over(inherited));

    /// <summary>Why this rule must not be written; null when it may.</summary>
    public string? FindProblem() => this switch
    {
        { Copies: < 1 or > PlacementPolicy.CopiesMax } => $"copies must be from 1 to {PlacementPolicy.CopiesMax}",
        { Coding: { IsValid: false } } => "a code has 1 to 32 data and 1 to 16 parity shards",
        { Keep: { IsValid: false } } => $"a retention has 0 to {Retention.DaysMax} days and no negative count",
        { Conflicts: { IsValid: false } } =>
            "prefer-node and prefer-user name one to sixteen nodes, the other ways none",
        _ when !AreLabels(RequiredTags) || !AreLabels(ForbiddenTags) =>
            "a tag is empty, too long, doubled or out of order",
        _ when !AreLabels(Zones) => "a zone is empty, too long, doubled or out of order",
        _ => null,
    };

    private static bool AreLabels(ImmutableArray<string>? labels) => labels is not { } all
        || (all.Length <= 64
            && all.All(label => label.Length > 0
                && System.Text.Encoding.UTF8.GetByteCount(label) <= Membership.NodeRecord.TextBytesMax)
            && all.SequenceEqual(Membership.NodeRecord.SortTags(all)));
}

/// <summary>A field that this program does not know.</summary>
/// <param name="Tag">Its number.</param>
/// <param name="Value">Its bytes.</param>
public readonly record struct RuleField(byte Tag, ImmutableArray<byte> Value);
