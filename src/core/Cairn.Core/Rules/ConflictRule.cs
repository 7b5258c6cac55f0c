using System.Text;
using Cairn.Core.Primitives;

namespace Cairn.Core.Rules;

/// <summary>What becomes of concurrent versions of a file. The numbers are on disk.</summary>
public enum ConflictMode : byte
{
    /// <summary>Both stay and are shown, one under a name that says so.</summary>
    KeepBoth = 0,

    /// <summary>The one with the latest claimed time of the last write stays; the others go into the past.</summary>
    Newest = 1,

    /// <summary>The one that a named node wrote stays; the others go into the past.</summary>
    PreferNode = 2,

    /// <summary>Texts that were changed in different places are merged; all else stays.</summary>
    MergeText = 3,

    /// <summary>What a person wrote stays, of several such the latest; the others go into the past.</summary>
    PreferUser = 4,
}

/// <summary>How conflicts below a folder end by themselves.</summary>
/// <param name="Mode">The way.</param>
/// <param name="Nodes">
/// For <see cref="ConflictMode.PreferNode"/>: names or starts of ids with commas, the most preferred first. For
/// <see cref="ConflictMode.PreferUser"/>: the person's machines when the rule was set, as starts of ids.
/// </param>
/// <param name="User">For <see cref="ConflictMode.PreferUser"/>: who.</param>
public readonly record struct ConflictRule(ConflictMode Mode, string Nodes = "", string User = "")
{
    /// <summary>The longest list of nodes, in bytes.</summary>
    public const int NodesBytesMax = 1024;

    /// <summary>The longest name of a person, in bytes.</summary>
    public const int UserBytesMax = 255;

    /// <summary>How many nodes one rule can name.</summary>
    public const int NodesMax = 16;

    private const int IdDigits = 16;
    private const string Prefer = "prefer-node ";
    private const string PreferPerson = "prefer-user ";

    /// <summary>Whether it may stand in a rule.</summary>
    public bool IsValid => Mode switch
    {
        ConflictMode.PreferNode => HasNodes && User.Length == 0,
        ConflictMode.PreferUser => HasNodes && User.Length > 0 && Encoding.UTF8.GetByteCount(User) <= UserBytesMax,
        ConflictMode.KeepBoth or ConflictMode.Newest or ConflictMode.MergeText => Nodes.Length == 0 && User.Length == 0,
        _ => false,
    };

    /// <summary>The nodes, the most preferred first; of a person's nodes none is before another.</summary>
    public string[] Names => Nodes.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private bool HasNodes => Names.Length is > 0 and <= NodesMax && Encoding.UTF8.GetByteCount(Nodes) <= NodesBytesMax;

    /// <summary>
    /// Reads <c>keep-both</c>, <c>newest</c>, <c>prefer-node NAME[,NAME...]</c>, <c>merge-text</c> or
    /// <c>prefer-user NAME</c>, which still lacks the person's machines.
    /// </summary>
    public static ConflictRule? Parse(string text)
    {
        string trimmed = text.Trim();
        ConflictRule rule = trimmed switch
        {
            "keep-both" => new ConflictRule(ConflictMode.KeepBoth),
            "newest" => new ConflictRule(ConflictMode.Newest),
            "merge-text" => new ConflictRule(ConflictMode.MergeText),
            _ when trimmed.StartsWith(Prefer, StringComparison.Ordinal) =>
                new ConflictRule(ConflictMode.PreferNode, trimmed[Prefer.Length..].Trim()),
            _ when trimmed.StartsWith(PreferPerson, StringComparison.Ordinal) =>
                new ConflictRule(ConflictMode.PreferUser, User: trimmed[PreferPerson.Length..].Trim()),
            _ => new ConflictRule(ConflictMode.PreferNode),
        };
        return rule.IsValid || rule is { Mode: ConflictMode.PreferUser, User.Length: > 0 } ? rule : null;
    }

    /// <summary>The rule with the machines that a person has now: which they are stands in it from then on.</summary>
    public ConflictRule With(IEnumerable<NodeId> machines) =>
        this with { Nodes = string.Join(',', machines.Order().Select(node => node.ToString()[..IdDigits])) };

    /// <inheritdoc/>
    public override string ToString() => Mode switch
    {
        ConflictMode.KeepBoth => "keep-both",
        ConflictMode.Newest => "newest",
        ConflictMode.PreferNode => Prefer + Nodes,
        ConflictMode.MergeText => "merge-text",
        ConflictMode.PreferUser => PreferPerson + User,
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
