using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;

namespace Cairn.Core.Tree;

/// <summary>One side of a conflict, as a rule looks at it.</summary>
/// <param name="Id">The object or branch.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Author">Who wrote it.</param>
/// <param name="AuthorName">What that node calls itself.</param>
/// <param name="Modified">The claimed time of the last write.</param>
/// <param name="Version">The version; zeros for none.</param>
public readonly record struct ConflictCandidate(
    ObjectId Id, TreeKind Kind, NodeId Author, string AuthorName, WallTime Modified, VersionId Version);

/// <summary>Which side of a conflict a rule keeps.</summary>
/// <remarks>
/// The greatest side in a total order that depends on the sides alone. So nodes that see different sides can each give up
/// the lesser ones: nobody gives up the greatest of all, and what is left in the end is the same whoever acted when.
/// </remarks>
public static class ConflictChooser
{
    private const int IdDigitsMin = 4;

    /// <summary>The side to keep; null when the rule leaves it to people.</summary>
    public static ObjectId? Choose(ConflictRule rule, IReadOnlyList<ConflictCandidate> sides)
    {
        bool prefers = rule.Mode is ConflictMode.PreferNode or ConflictMode.PreferUser;
        bool isAutomatic = (rule.Mode == ConflictMode.Newest || prefers)
            && sides.Count > 1 && sides.All(side => side.Kind == TreeKind.File);
        if (!isAutomatic)
        {
            return null;
        }

        string[] nodes = rule.Names;
        int Rank(ConflictCandidate side)
        {
            bool isOfUser = rule.Mode == ConflictMode.PreferUser;
            int found = Array.FindIndex(nodes, node => HasId(side, node) || (!isOfUser && HasName(side, node)));
            return found < 0 ? nodes.Length : isOfUser ? 0 : found;
        }

        ConflictCandidate best = sides
            .OrderBy(Rank)
            .ThenByDescending(side => side.Modified)
            .ThenByDescending(side => side.Version)
            .ThenByDescending(side => side.Id)
            .First();
        return prefers && Rank(best) == nodes.Length ? null : best.Id;
    }

    private static bool HasName(ConflictCandidate side, string name) =>
        string.Equals(name, side.AuthorName, StringComparison.OrdinalIgnoreCase);

    private static bool HasId(ConflictCandidate side, string start) => start.Length >= IdDigitsMin
        && side.Author.ToString().StartsWith(start, StringComparison.OrdinalIgnoreCase);
}
