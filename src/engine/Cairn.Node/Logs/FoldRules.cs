using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Tree;

namespace Cairn.Node.Logs;

/// <summary>By which version of the rules a table was folded: stands in the table, beside what was folded.</summary>
/// <remarks>
/// A program with other rules would go on from a table that no node can have that folds the same logs from their beginning.
/// So it folds all of it again, once.
/// </remarks>
internal static class FoldRules
{
    /// <summary>Behind <see cref="FoldKeys.Reserved"/>: the version of the rules.</summary>
    internal const byte Tag = (byte)'V';

    private static byte[] Key => [FoldKeys.Reserved, Tag];

    /// <summary>Whether the table was folded by other rules.</summary>
    public static bool IsOutdated(ITreeTable table) => table.Get(Key) is not [TreeApplier.RulesVersion];

    /// <summary>Notes in a new table by which rules it is folded.</summary>
    public static void Note(ITreeTable table) => table.Put(Key, [TreeApplier.RulesVersion]);
}
