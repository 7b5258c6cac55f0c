using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Applying;

namespace Cairn.Core.Tree.Past;

/// <summary>Which side of a conflict stays under the name.</summary>
public enum ConflictChoice
{
    /// <summary>All stay: each conflict becomes a file of its own, under the name it is shown with.</summary>
    Both,

    /// <summary>The one given; the others go into its history.</summary>
    One,
}

/// <summary>Turns the wish to bring something back, or to end a conflict, into primitives.</summary>
/// <remarks>
/// Nothing here destroys: what is given up is in the history or the trash afterwards, like after any other edit.
/// The primitives of one intent are one transaction.
/// </remarks>
public sealed class HistoryEdits(TreeQueries queries, Func<Bytes16> fresh)
{
    private readonly Solidifier _solid = new(queries, fresh);
    private readonly FileHistory _history = new(queries);

    /// <summary>
    /// Makes a past version the content of its file again. Costs no data: the version's manifest is named anew.
    /// </summary>
    /// <param name="id">The file, or a conflict's branch.</param>
    /// <param name="version">A version of its history.</param>
    /// <param name="now">The claimed time of the change.</param>
    public Result<ImmutableArray<Primitive>, TreeError> Restore(ObjectId id, VersionId version, WallTime now)
    {
        if (queries.Get(id) is not { IsDetached: false, Kind: TreeKind.File } view)
        {
            return TreeError.NotFound;
        }

        HistoricVersion? past = _history.Of(id).FirstOrDefault(known => known.Version.Is(version));
        if (past is null)
        {
            return TreeError.NotFound;
        }

        if (view.Head is { } head && head.Is(version))
        {
            return ImmutableArray<Primitive>.Empty;
        }

        HeadView content = past.Version;
        ImmutableArray<VersionId> parents = view.Head is { } shown ? [shown.Version] : [];
        return (ImmutableArray<Primitive>)[
            new WriteVersion(
                view.Owner, new VersionId(fresh()), parents, content.SizeBytes, content.DataBytes, now,
                content.Manifest),
        ];
    }

    /// <summary>Gives a removed object an entry again; a removed directory above it comes back with it.</summary>
    /// <param name="id">The removed object.</param>
    /// <param name="parent">Where to; where it was last.</param>
    /// <param name="name">The entry's name.</param>
    public Result<ImmutableArray<Primitive>, TreeError> Undelete(
        ObjectId id, ObjectId parent, ReadOnlyMemory<byte> name)
    {
        if (queries.Get(id) is not { IsDetached: true, IsBranch: false } view)
        {
            return TreeError.NotFound;
        }

        if (!EntryName.IsValid(name.Span))
        {
            return name.Length > Transaction.NameBytesMax ? TreeError.NameTooLong : TreeError.InvalidName;
        }

        if (queries.CanonicalDirectory(parent) is not { } directory)
        {
            return queries.Get(parent) is null ? TreeError.NotFound : TreeError.NotADirectory;
        }

        if (view.Kind == TreeKind.Directory && queries.IsBelow(directory, view.Id))
        {
            return TreeError.WouldLoop;
        }

        return queries.Lookup(directory, name) is null
            ? (ImmutableArray<Primitive>)[new Place(directory, name, view.Id, null)]
            : TreeError.AlreadyExists;
    }

    /// <summary>Ends the conflict of a name.</summary>
    /// <param name="parent">The directory.</param>
    /// <param name="name">The name in conflict, not one that is shown for a conflict.</param>
    /// <param name="choice">What stays.</param>
    /// <param name="kept">For <see cref="ConflictChoice.One"/>: the object or branch that is to hold the name.</param>
    /// <param name="now">The claimed time of the change.</param>
    public Result<ImmutableArray<Primitive>, TreeError> Resolve(
        ObjectId parent, ReadOnlyMemory<byte> name, ConflictChoice choice, ObjectId kept, WallTime now)
    {
        if (queries.Sides(parent, name) is not [EntryView holder, .. ImmutableArray<EntryView> conflicts])
        {
            return TreeError.NotFound;
        }

        var primitives = ImmutableArray.CreateBuilder<Primitive>();
        _solid.Begin();
        if (choice == ConflictChoice.Both)
        {
            _solid.MakeReal(parent, holder, primitives);
            return primitives.DrainToImmutable();
        }

        if (kept != holder.Object && !conflicts.Any(other => other.Object == kept))
        {
            return TreeError.InvalidArgument;
        }

        return Keep(parent, holder, conflicts, kept, now, primitives) is { } error
            ? error
            : primitives.DrainToImmutable();
    }

    /// <summary>Gives up sides of a conflict as they were seen; the one that is kept stays what it is.</summary>
    /// <param name="parent">The directory.</param>
    /// <param name="name">The name in conflict.</param>
    /// <param name="given">The objects and branches that go into the past.</param>
    public Result<ImmutableArray<Primitive>, TreeError> GiveUp(
        ObjectId parent, ReadOnlyMemory<byte> name, IReadOnlyList<ObjectView> given)
    {
        if (queries.Lookup(parent, name) is not { IsConflict: false } holder)
        {
            return TreeError.NotFound;
        }

        var primitives = ImmutableArray.CreateBuilder<Primitive>();
        foreach (IGrouping<ObjectId, ObjectView> sides in given.GroupBy(side => side.Owner))
        {
            ImmutableArray<VersionId> heads = [.. sides.Select(side => side.Head).OfType<HeadView>()
                .Select(head => head.Version)];
            bool isWhole = heads.Length == sides.First().Heads.Length;
            primitives.Add(isWhole
                ? new Unplace(parent, holder.StoredName, sides.Key, heads)
                : new DiscardHeads(sides.Key, heads));
        }

        return primitives.DrainToImmutable();
    }

    private TreeError? Keep(
        ObjectId parent, EntryView holder, ImmutableArray<EntryView> conflicts, ObjectId kept, WallTime now,
        ImmutableArray<Primitive>.Builder primitives)
    {
        // One object keeps the name. Its conflicting heads end in a version made from all of them.
        ObjectView chosen = queries.Get(kept)!;
        if (chosen.Heads.Length > 1)
        {
            HeadView content = chosen.Head!;
            primitives.Add(new WriteVersion(
                chosen.Owner, new VersionId(fresh()), [.. chosen.Heads.Select(head => head.Version)], content.SizeBytes,
                content.DataBytes, now, content.Manifest));
        }

        // Other objects under the name are removed as their author saw them.
        IEnumerable<ObjectId> others = conflicts.Select(other => other.Owner).Prepend(holder.Owner)
            .Where(owner => owner != chosen.Owner).Distinct();
        foreach (ObjectId other in others)
        {
            ObjectView view = queries.Get(other)!;
            if (view.Kind == TreeKind.Directory && !queries.IsEmpty(other))
            {
                return TreeError.NotEmpty;
            }

            ImmutableArray<VersionId> heads = [.. view.Heads.Select(head => head.Version)];
            primitives.Add(new Unplace(parent, holder.StoredName, other, heads));
        }

        return null;
    }
}
