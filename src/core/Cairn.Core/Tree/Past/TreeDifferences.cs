using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tree.Past;

/// <summary>What became of an entry between two states.</summary>
public enum EntryChange
{
    /// <summary>It is there only in the later one.</summary>
    Added,

    /// <summary>It is there only in the earlier one.</summary>
    Removed,

    /// <summary>Its content, its kind or its target is another.</summary>
    Modified,

    /// <summary>Only its attributes are others.</summary>
    Attributes,
}

/// <summary>An entry that differs between two states of a tree.</summary>
/// <param name="Path">Names from the folder that was compared.</param>
/// <param name="Change">What became of it.</param>
/// <param name="Before">What it was; null when it was not there.</param>
/// <param name="After">What it is; null when it is not there.</param>
public sealed record EntryDifference(
    IReadOnlyList<ReadOnlyMemory<byte>> Path, EntryChange Change, ObjectView? Before, ObjectView? After);

/// <summary>Compares a folder in two states, name by name.</summary>
/// <remarks>
/// A file that was moved is removed in one place and added in another. It walks both: its cost is their size.
/// </remarks>
public sealed class TreeDifferences(TreeQueries before, TreeQueries after)
{
    /// <summary>The differences directly in one directory, by name, and the directories to compare further.</summary>
    /// <param name="path">Where it is, for the result.</param>
    /// <param name="was">The directory in the earlier state; null when it was not there.</param>
    /// <param name="isNow">The directory in the later state; null when it is not there.</param>
    /// <param name="differences">Gets what differs.</param>
    /// <param name="below">Gets the directories in it that are in either.</param>
    public void Compare(
        IReadOnlyList<ReadOnlyMemory<byte>> path, ObjectId? was, ObjectId? isNow,
        List<EntryDifference> differences,
        List<(IReadOnlyList<ReadOnlyMemory<byte>> Path, ObjectId? Was, ObjectId? IsNow)> below)
    {
        List<EntryView> old = All(before, was);
        List<EntryView> young = All(after, isNow);
        int at = 0;
        int next = 0;
        while (at < old.Count || next < young.Count)
        {
            int order = at == old.Count ? 1 : next == young.Count ? -1
                : old[at].Name.Span.SequenceCompareTo(young[next].Name.Span);
            EntryView? first = order <= 0 ? old[at++] : null;
            EntryView? second = order >= 0 ? young[next++] : null;
            ObjectView? earlier = first is { } gone ? before.Get(gone.Object) : null;
            ObjectView? later = second is { } come ? after.Get(come.Object) : null;
            List<ReadOnlyMemory<byte>> inner = [.. path, (first ?? second)!.Value.Name];
            if (Changed(earlier, later) is { } change)
            {
                differences.Add(new EntryDifference(inner, change, earlier, later));
            }

            ObjectId? wasBelow = Directory(earlier);
            ObjectId? isBelow = Directory(later);
            if (wasBelow is not null || isBelow is not null)
            {
                below.Add((inner, wasBelow, isBelow));
            }
        }
    }

    private static ObjectId? Directory(ObjectView? view) =>
        view is { Kind: TreeKind.Directory } ? view.Id : null;

    private static EntryChange? Changed(ObjectView? before, ObjectView? after)
    {
        if (before is null || after is null)
        {
            return before is null ? EntryChange.Added : EntryChange.Removed;
        }

        bool isSame = before.Kind == after.Kind && before.Device == after.Device
            && before.LinkTarget.Span.SequenceEqual(after.LinkTarget.Span)
            && before.SizeBytes == after.SizeBytes
            && (before.Head?.Manifest ?? default).Span.SequenceEqual((after.Head?.Manifest ?? default).Span);
        bool isAlike = before.Mode == after.Mode && before.UserId == after.UserId && before.GroupId == after.GroupId
            && (before.Kind == TreeKind.Directory || before.Modified == after.Modified);
        return !isSame ? EntryChange.Modified : isAlike ? null : EntryChange.Attributes;
    }

    private static List<EntryView> All(TreeQueries queries, ObjectId? directory) =>
        directory is { } id ? [.. queries.ListAll(id)] : [];
}
