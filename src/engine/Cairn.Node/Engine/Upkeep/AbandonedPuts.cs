using Cairn.Core.Primitives;
using Cairn.Core.Text;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine.Upkeep;

/// <summary>What a daemon that died was writing for <see cref="WholeFiles"/>: nobody was told that it is there.</summary>
/// <remarks>
/// Found by its draft, so no folder is searched. What died between the last step of the writing and the rename, with
/// everything published, keeps its name until the same file is put again.
/// </remarks>
internal static class AbandonedPuts
{
    /// <summary>Removes them, before anything is published. A node that may not write now keeps them until the next start.</summary>
    public static async ValueTask Remove(VolumeEngine volume)
    {
        foreach (string path in Of(volume.State))
        {
            Result<(InodeNumber Folder, ReadOnlyMemory<byte> Name), VolumeError> found =
                await volume.ResolveParent(path);
            if (found.TryGet(out (InodeNumber Folder, ReadOnlyMemory<byte> Name) place, out _))
            {
                _ = await volume.Unlink(place.Folder, place.Name, Caller.Daemon);
            }
        }
    }

    private static IReadOnlyList<string> Of(VolumeState state)
    {
        NodeId self = state.Parts.Log.OwnLogId.Author;
        lock (state.Gate)
        {
            return
            [
                .. state.OpenObjects.Where(open => open is { Handles: 0, Newest: not null })
                    .Where(open => state.Queries.Get(open.Id) is { IsDetached: false })
                    .Select(open => state.Queries.PathOf(open.Id))
                    .Where(path => path.Count > 0 && WholeFiles.IsUnfinishedOf(self, NameText.Of(path[^1].Span)))
                    .Select(NameText.Join),
            ];
        }
    }
}
