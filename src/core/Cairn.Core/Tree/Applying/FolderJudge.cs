using System.Collections.Immutable;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;

namespace Cairn.Core.Tree.Applying;

/// <summary>Which objects of a tree one member may not edit, because of the folders that they are in.</summary>
/// <remarks>
/// An object is limited by the nearest folder above it, itself included, of which anything is said; a file with several
/// names by all of them, or a hard link would be a way in. What was removed is where it was last. What was merged into
/// another keeps its limit there.
/// </remarks>
public sealed class FolderJudge
{
    private const int DepthMax = 1 << 16;

    private readonly ITableSource _table;
    private readonly TreeQueries _tree;
    private readonly FolderVerdicts _verdicts;
    private readonly Dictionary<ObjectId, bool> _mayEdit = [];

    /// <param name="table">The tree, at the place in the order that is asked about.</param>
    /// <param name="verdicts">What is said about the member.</param>
    public FolderJudge(ITableSource table, FolderVerdicts verdicts)
    {
        _table = table;
        _tree = new TreeQueries(table);
        _verdicts = verdicts;
        foreach ((ObjectId folder, bool may) in verdicts.MayEdit)
        {
            ObjectId id = _tree.Get(folder)?.Owner ?? folder;
            _mayEdit[id] = may && _mayEdit.GetValueOrDefault(id, true);
        }
    }

    /// <summary>The objects that a primitive changes; none of something that is made, or that is no folder's.</summary>
    public static ImmutableArray<ObjectId> TouchedBy(Primitive primitive) => primitive switch
    {
        Place { Replaced: { } replaced } place => [place.Parent, place.Object, replaced.Object],
        Place place => [place.Parent, place.Object],
        Unplace unplace => [unplace.Parent, unplace.Object],
        Move { Replaced: { } replaced } move => [move.FromParent, move.ToParent, move.Object, replaced.Object],
        Move move => [move.FromParent, move.ToParent, move.Object],
        Exchange e => [e.FirstParent, e.SecondParent, e.FirstObject, e.SecondObject],
        WriteVersion write => [write.Object],
        DiscardHeads discard => [discard.Object],
        SetAttributes set => [set.Object],
        SetExtendedAttribute set => [set.Object],
        SetRule set => [set.Object],
        _ => [],
    };

    /// <summary>Whether a transaction edits the tree and was written by who had not seen what it must not edit.</summary>
    /// <remarks>
    /// It has no effect, and its author writes it again behind the limits. Rules of what there is not are left out: the
    /// marks of garbage collection are such, and must not wait.
    /// </remarks>
    public bool IsLate(Transaction transaction) =>
        transaction.Primitives.Any(primitive => primitive is SetRule rule
            ? _tree.Get(rule.Object) is not null
            : !TouchedBy(primitive).IsEmpty)
        && !_verdicts.After.All(mark => SeenLimits.HasSeen(_table, mark, transaction.Id));

    /// <summary>Whether any of what is touched may not be edited.</summary>
    public bool Denies(ImmutableArray<Primitive> primitives) => primitives.SelectMany(
        static primitive => (IEnumerable<ObjectId>)TouchedBy(primitive)).Any(Denies);

    /// <summary>Whether an object may not be edited; what does not exist may.</summary>
    public bool Denies(ObjectId id) => _tree.Get(id) is { } view
        && (view.Kind == TreeKind.Directory
            ? DeniesFolder(view)
            : view.Record.Places.Any(place => Denies(place.Parent)));

    private bool DeniesFolder(ObjectView folder)
    {
        ObjectView? up = folder;
        for (int depth = 0; up is not null && depth < DepthMax; depth++)
        {
            if (_mayEdit.TryGetValue(up.Owner, out bool may))
            {
                return !may;
            }

            up = up.Record.Places.Count == 0 ? null : _tree.Get(up.Record.Places[0].Parent);
        }

        return false;
    }
}
