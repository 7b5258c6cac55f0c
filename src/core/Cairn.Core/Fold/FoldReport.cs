using Cairn.Core.Fold.Tables;
using Cairn.Core.Primitives;

namespace Cairn.Core.Fold;

/// <summary>What became of transactions given to a fold.</summary>
/// <param name="Applied">How many took their place, those that had waited included.</param>
/// <param name="Undone">How many were undone and applied again to make room.</param>
/// <param name="BelowCut">
/// Transactions that belong before the stable cut and were left out. It cannot happen while members tell the truth
/// about what they have; it is answered by rebuilding the fold from the logs.
/// </param>
/// <param name="ChangedKeys">Keys whose value differs from before, in the order they were touched.</param>
public sealed record FoldReport(
    int Applied, int Undone, IReadOnlyList<TransactionId> BelowCut, IReadOnlyList<TableBytes> ChangedKeys)
{
    /// <summary>Nothing happened.</summary>
    public static FoldReport Nothing { get; } = new(0, 0, [], []);
}
