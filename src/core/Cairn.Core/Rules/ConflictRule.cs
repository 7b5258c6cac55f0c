using System.Text;

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
}

/// <summary>How conflicts below a folder end by themselves.</summary>
/// <param name="Mode">The way.</param>
/// <param name="Nodes">For <see cref="ConflictMode.PreferNode"/>: names or starts of ids with commas, the most preferred first.</param>
public readonly record struct ConflictRule(ConflictMode Mode, string Nodes = "")
{
    /// <summary>The longest list of nodes, in bytes.</summary>
    public const int NodesBytesMax = 1024;

    private const int NodesMax = 16;
    private const string Prefer = "prefer-node ";

    /// <summary>Whether it may stand in a rule.</summary>
    public bool IsValid => Mode == ConflictMode.PreferNode
        ? Names.Length is > 0 and <= NodesMax && Encoding.UTF8.GetByteCount(Nodes) <= NodesBytesMax
        : Nodes.Length == 0 && Mode <= ConflictMode.MergeText;

    /// <summary>The nodes, the most preferred first.</summary>
    public string[] Names => Nodes.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Reads <c>keep-both</c>, <c>newest</c>, <c>prefer-node NAME[,NAME...]</c> or <c>merge-text</c>.</summary>
    public static ConflictRule? Parse(string text)
    {
        string trimmed = text.Trim();
        ConflictRule? rule = trimmed switch
        {
            "keep-both" => new ConflictRule(ConflictMode.KeepBoth),
            "newest" => new ConflictRule(ConflictMode.Newest),
            "merge-text" => new ConflictRule(ConflictMode.MergeText),
            _ when trimmed.StartsWith(Prefer, StringComparison.Ordinal) =>
                new ConflictRule(ConflictMode.PreferNode, trimmed[Prefer.Length..].Trim()),
            _ => null,
        };
        return rule is { IsValid: true } ? rule : null;
    }

    /// <inheritdoc/>
    public override string ToString() => Mode switch
    {
        ConflictMode.KeepBoth => "keep-both",
        ConflictMode.Newest => "newest",
        ConflictMode.PreferNode => Prefer + Nodes,
        ConflictMode.MergeText => "merge-text",
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
