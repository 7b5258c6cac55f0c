using Cairn.Core.Rules;
using Cairn.Node.Control;
using Cairn.Node.Volumes;

namespace Cairn.Gateway.Control;

/// <summary>What holds for a file or folder (<c>cairn rule show</c>).</summary>
/// <param name="Keep">How long past versions and removed files stay: "all 30d, daily 1y, last 10".</param>
/// <param name="OwnKeep">What is set on this very file or folder; null when it inherits.</param>
/// <param name="Conflicts">
/// How conflicts end: "keep-both", "newest", "prefer-node NAME,...", "prefer-user NAME", "merge-text".
/// </param>
/// <param name="OwnConflicts">What is set on this very file or folder; null when it inherits.</param>
/// <param name="UserNodes">For "prefer-user", the machines that were the person's when it was set; else empty.</param>
public sealed record RuleSummary(
    string Keep, string? OwnKeep, string Conflicts, string? OwnConflicts, IReadOnlyList<string> UserNodes)
{
    /// <summary>From what the volume says.</summary>
    public static RuleSummary From(ObjectRule rule, IReadOnlyList<NodeSummary> nodes)
    {
        ConflictRule conflicts = rule.Effective.Conflicts ?? Rule.Default.Conflicts!.Value;
        return new RuleSummary(
            (rule.Effective.Keep ?? Rule.Default.Keep!.Value).ToString(),
            rule.Own.Keep?.ToString(),
            conflicts.ToString(),
            rule.Own.Conflicts?.ToString(),
            conflicts.Mode == ConflictMode.PreferUser ? [.. conflicts.Names.Select(id => NameOf(id, nodes))] : []);
    }

    private static string NameOf(string id, IReadOnlyList<NodeSummary> nodes) =>
        nodes.FirstOrDefault(node => node.Node.ToString().StartsWith(id, StringComparison.Ordinal))?.Name ?? id;
}
