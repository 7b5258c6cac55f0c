using Cairn.Core.Primitives;
using Cairn.Core.Text;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Tree;

/// <summary>Paths of many objects, as text: each folder above them is walked once.</summary>
/// <remarks>It remembers folders: make one for a listing, not for life.</remarks>
public sealed class FolderPaths(TreeQueries queries)
{
    private readonly Dictionary<ObjectId, string> _folders = [];

    /// <summary>The path of an entry, by the names that the folders above have now, or had last if they were removed.</summary>
    /// <param name="parent">The folder it is or was in.</param>
    /// <param name="name">Its name there.</param>
    public string Of(ObjectId parent, ReadOnlyMemory<byte> name) => Below(Of(parent), name);

    /// <summary>The path of an object; empty for the root, and for what is not known.</summary>
    public string Of(ObjectId folder)
    {
        Stack<(ObjectId Folder, ReadOnlyMemory<byte> Name)> walked = [];
        ObjectId at = folder;
        while (_folders.TryAdd(at, string.Empty)
            && queries.Get(at) is { Record.Places: [PlaceRecord place, ..] } view && view.Owner != default)
        {
            walked.Push((at, place.Name));
            at = place.Parent;
        }

        string path = _folders[at];
        while (walked.TryPop(out (ObjectId Folder, ReadOnlyMemory<byte> Name) below))
        {
            path = Below(path, below.Name);
            _folders[below.Folder] = path;
        }

        return path;
    }

    private static string Below(string folder, ReadOnlyMemory<byte> name) =>
        folder.Length == 0 ? NameText.Of(name.Span) : $"{folder}/{NameText.Of(name.Span)}";
}
