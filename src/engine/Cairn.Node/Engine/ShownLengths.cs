using Cairn.Core.Primitives;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine;

/// <summary>What doors were told of the lengths of files, and what of that is true no more.</summary>
internal static class ShownLengths
{
    /// <summary>The length that was shown of a file before it changed just now, if it is longer. Under the gate.</summary>
    public static long? GrownFrom(this VolumeState state, InodeNumber inode)
    {
        if (state.Inodes.Remembered(inode) is not { } id || NowOf(state, id) is not { } now)
        {
            return null;
        }

        return state.Inodes.ChangeLength(inode, now) is { } before && before < now ? before : null;
    }

    private static long? NowOf(VolumeState state, ObjectId id) =>
        state.FindOpen(id) is { IsPinned: true } open ? open.SizeBytes : state.Queries.Get(id)?.SizeBytes;
}
