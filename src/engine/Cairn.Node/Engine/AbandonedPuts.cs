using Cairn.Core.Primitives;
using Cairn.Core.Text;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine;

/// <summary>What a daemon that died was writing for <see cref="WholeFiles"/>: nobody was told that it is there.</summary>
/// <remarks>
/// Found by its draft, so no folder is searched. What died between the last step of the writing and the rename, with
/// everything published, keeps its name until the same file is put again.
/// </remarks>
internal static class AbandonedPuts
{
    /// <summary>The paths of those that are left. Asked before anything is published.</summary>
    public static IReadOnlyList<string> Of(VolumeState state)
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
