using Cairn.Core.Primitives;

namespace Cairn.Core.Tree;

/// <summary>All entries of a folder, for who walks a tree.</summary>
public static class FolderListing
{
    private const int EntriesPerStep = 1024;

    /// <summary>Every entry, in byte order of the names, conflict names among them; read in steps as they are asked for.</summary>
    public static IEnumerable<EntryView> ListAll(this TreeQueries queries, ObjectId directory)
    {
        ArgumentNullException.ThrowIfNull(queries);
        IReadOnlyList<EntryView> step;
        ReadOnlyMemory<byte> after = default;
        do
        {
            step = queries.List(directory, after, EntriesPerStep);
            foreach (EntryView entry in step)
            {
                after = entry.Name;
                yield return entry;
            }
        }
        while (step.Count == EntriesPerStep);
    }
}
