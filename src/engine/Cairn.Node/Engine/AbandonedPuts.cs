using Cairn.Core.Primitives;
using Cairn.Core.Text;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine;

/// <summary>Takes away what a daemon that died was writing for <see cref="WholeFiles"/>: nobody was told that it is there.</summary>
/// <remarks>
/// Found by its draft, so no folder is searched. What died between the last step of the writing and the rename, with
/// everything published, keeps its name until the same file is put again.
/// </remarks>
internal static class AbandonedPuts
{
    /// <summary>Before anything is published. Under the volume's gate.</summary>
    public static void Remove(VolumeState state, NamespaceOperations names)
    {
        NodeId self = state.Parts.Log.OwnLogId.Author;
        foreach (OpenObject open in state.OpenObjects.Where(open => open is { Handles: 0, Newest: not null }).ToArray())
        {
            if (state.Queries.Get(open.Id) is { IsDetached: false }
                && state.Queries.PathOf(open.Id) is [.., ReadOnlyMemory<byte> name] path
                && WholeFiles.IsUnfinishedOf(self, NameText.Of(name.Span))
                && FolderOf(state, path) is { } folder)
            {
                // A node that may not write now keeps it; the next start looks again.
                _ = names.Unlink(folder, name);
            }
        }
    }

    private static InodeNumber? FolderOf(VolumeState state, IReadOnlyList<ReadOnlyMemory<byte>> path)
    {
        ObjectId at = default;
        foreach (ReadOnlyMemory<byte> name in path.Take(path.Count - 1))
        {
            if (state.Queries.Lookup(at, name)?.Object is not { } next)
            {
                return null;
            }

            at = next;
        }

        return state.Inodes.HandOut(at);
    }
}
