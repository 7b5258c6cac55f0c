using Cairn.Core.Primitives;

namespace Cairn.Core.Presence;

/// <summary>What this node told each member about its files of a volume that are open for writing, and what it has to say next.</summary>
/// <remarks>Each change is told, and what is open is said again from time to time; who has nothing open is silent.</remarks>
public sealed class OpenFilesTold
{
    /// <summary>At most so many files of a volume are told; of more, those with the smallest ids.</summary>
    public const int FilesMax = 256;

    /// <summary>What has not changed is said again after so many milliseconds.</summary>
    public const long RepeatMs = 15_000;

    private readonly Dictionary<NodeId, (ObjectId[] Files, long AtMs)> _told = [];

    /// <summary>How many members were told of a file that is open.</summary>
    private int _open;

    /// <summary>Whether nobody was told of a file that is open: while none is, there is nothing to tell anybody.</summary>
    public bool IsSilent => _open == 0;

    /// <summary>What to tell a connected member now; null for nothing.</summary>
    /// <param name="member">Whom.</param>
    /// <param name="open">The files that are open for writing here.</param>
    /// <param name="nowMs">The present, by the monotonic clock.</param>
    public IReadOnlyList<ObjectId>? Next(NodeId member, IReadOnlyList<ObjectId> open, long nowMs)
    {
        bool isTold = _told.TryGetValue(member, out (ObjectId[] Files, long AtMs) last);
        if (open.Count == 0 && (!isTold || last.Files.Length == 0))
        {
            return null;
        }

        ObjectId[] files = [.. open.Order().Take(FilesMax)];
        if (isTold && nowMs - last.AtMs < RepeatMs && last.Files.AsSpan().SequenceEqual(files))
        {
            return null;
        }

        _told[member] = (files, nowMs);
        _open += (files.Length > 0 ? 1 : 0) - (isTold && last.Files.Length > 0 ? 1 : 0);
        return files;
    }

    /// <summary>The connection to a member ended: it is told everything when it is back.</summary>
    public void Forget(NodeId member) =>
        _open -= _told.Remove(member, out (ObjectId[] Files, long AtMs) last) && last.Files.Length > 0 ? 1 : 0;
}
