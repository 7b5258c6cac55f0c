using Cairn.Core.Rules;
using Cairn.Node.Volumes;

namespace Cairn.Gateway.Control;

/// <summary>What holds for a file or folder (<c>cairn rule show</c>).</summary>
/// <param name="Keep">How long past versions and removed files stay: "all 30d, daily 1y, last 10".</param>
/// <param name="OwnKeep">What is set on this very file or folder; null when it inherits.</param>
/// <param name="Conflicts">How conflicts end: "keep-both", "newest", "prefer-node NAME,...", "merge-text".</param>
/// <param name="OwnConflicts">What is set on this very file or folder; null when it inherits.</param>
public sealed record RuleSummary(string Keep, string? OwnKeep, string Conflicts, string? OwnConflicts)
{
    /// <summary>From what the volume says.</summary>
    public static RuleSummary From(ObjectRule rule) => new(
        (rule.Effective.Keep ?? Rule.Default.Keep!.Value).ToString(),
        rule.Own.Keep?.ToString(),
        (rule.Effective.Conflicts ?? Rule.Default.Conflicts!.Value).ToString(),
        rule.Own.Conflicts?.ToString());
}
