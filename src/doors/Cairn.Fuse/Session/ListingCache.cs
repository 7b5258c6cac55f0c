using Cairn.Node.Volumes;

namespace Cairn.Fuse.Session;

/// <summary>Which directories have not changed since the kernel last began to cache their listing.</summary>
/// <remarks>
/// The kernel notices by itself what was changed through it. Of what others change it can be told by name only if it
/// knows the name already, and a listing that is on its way to it while it is told would be kept, stale, for ever;
/// its own test, the directory's time, fails where a name arrives that is older than the last change. So each opening
/// of a directory says anew whether the kept listing is still good.
/// </remarks>
internal sealed class ListingCache
{
    private const int DirectoriesMax = 1 << 16;

    private readonly Lock _gate = new();
    private readonly HashSet<ulong> _unchanged = [];

    /// <summary>A directory is opened.</summary>
    /// <returns>Whether a listing that the kernel has of it may be shown; if not, one that it takes now may be kept.</returns>
    public bool IsGoodAndNowKept(InodeNumber directory)
    {
        lock (_gate)
        {
            if (_unchanged.Contains(directory.Value))
            {
                return true;
            }

            if (_unchanged.Count == DirectoriesMax)
            {
                _unchanged.Clear();
            }

            _unchanged.Add(directory.Value);
            return false;
        }
    }

    /// <summary>Any entry may have changed.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _unchanged.Clear();
        }
    }

    /// <summary>Somebody else changed an entry: the next opening shows a new listing.</summary>
    public void Changed(InodeNumber directory)
    {
        lock (_gate)
        {
            _unchanged.Remove(directory.Value);
        }
    }
}
