using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tree;

/// <summary>An entry as it is shown: a real one, or a conflict under a name of its own.</summary>
/// <param name="Name">The shown name.</param>
/// <param name="Object">
/// The id to look at: an object, or a branch (a conflicting head of <paramref name="Owner"/>).
/// </param>
/// <param name="Kind">What it is.</param>
/// <param name="StoredName">
/// The name of the entry in the table; differs from <paramref name="Name"/> for a conflict.
/// </param>
/// <param name="Owner">
/// The object that has the entry; the same as <paramref name="Object"/> except for a branch.
/// </param>
public readonly record struct EntryView(
    ReadOnlyMemory<byte> Name, ObjectId Object, TreeKind Kind, ReadOnlyMemory<byte> StoredName, ObjectId Owner)
{
    /// <summary>Whether it is shown because somebody else holds the name.</summary>
    public bool IsConflict => !Name.Span.SequenceEqual(StoredName.Span);

    /// <summary>Whether it is a head of a file of which another head holds the name.</summary>
    public bool IsBranch => Object != Owner;
}
