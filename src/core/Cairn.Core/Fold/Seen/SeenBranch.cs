using Cairn.Core.Fold.Tables;
using Cairn.Core.Primitives;

namespace Cairn.Core.Fold.Seen;

/// <summary>
/// The fold up to a place in the order without what some author had not seen of it, as what is otherwise there than in the
/// table.
/// </summary>
/// <remarks>Holds as long as nothing up to its place is undone, and what was not seen is not fixed.</remarks>
/// <param name="Place">The last transaction that it covers.</param>
/// <param name="Witness">Who had seen exactly this much of what is up to the place: a transaction behind it.</param>
/// <param name="First">The first that had not been seen; null if all up to the place had.</param>
/// <param name="Unseen">Of each log of which something had not been seen, the first.</param>
/// <param name="Otherwise">Keys whose value differs from the table's at the place, the fold's own among them.</param>
internal sealed record SeenBranch(
    TransactionOrder Place, TransactionId Witness, TransactionOrder? First, Dictionary<LogId, ulong> Unseen,
    IReadOnlyList<TableChange> Otherwise)
{
    /// <summary>Everything up to a place.</summary>
    internal static SeenBranch Whole(TransactionOrder place, TransactionId witness) =>
        new(place, witness, null, [], []);
}
