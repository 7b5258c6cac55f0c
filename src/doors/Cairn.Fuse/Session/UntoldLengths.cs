using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Cairn.Node.Volumes;

namespace Cairn.Fuse.Session;

/// <summary>Files that grew by others' doing, while the kernel may still have pages of when they were shorter.</summary>
/// <remarks>
/// The page at an old end is filled up with zeros: under the new length they would be read as the file's. So until the kernel
/// has dropped the old pages it is told no longer length than the file had with any of them. A shorter one it is told at
/// once: pages read since then may already end in zeros there.
/// </remarks>
internal sealed class UntoldLengths
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, Growth> _files = [];
    private int _count;

    /// <param name="LengthMax">No longer length is told.</param>
    /// <param name="IsUntold">Whether it grew since the kernel was last given a notice to drop the pages.</param>
    /// <param name="WasShown">Whether the kernel was told the length that is the true one no more.</param>
    private record struct Growth(long LengthMax, bool IsUntold, bool WasShown);

    /// <summary>A file grew: called before anybody can ask for its new length, and before the kernel is given notice.</summary>
    public void Grew(InodeNumber inode, long from)
    {
        lock (_gate)
        {
            ref Growth file = ref CollectionsMarshal.GetValueRefOrAddDefault(_files, inode.Value, out bool isThere);
            file = new Growth(isThere ? Math.Min(file.LengthMax, from) : from, IsUntold: true, file.WasShown);
            Volatile.Write(ref _count, _files.Count);
        }
    }

    /// <summary>The length to tell the kernel of a file that is so long.</summary>
    public long ToTell(InodeNumber inode, long length)
    {
        if (Volatile.Read(ref _count) == 0)
        {
            return length;
        }

        lock (_gate)
        {
            ref Growth file = ref CollectionsMarshal.GetValueRefOrNullRef(_files, inode.Value);
            if (Unsafe.IsNullRef(ref file) || file.LengthMax >= length)
            {
                return length;
            }

            file.WasShown = true;
            return file.LengthMax;
        }
    }

    /// <summary>A program here writes the file: its length is from now on what the kernel and the program make it.</summary>
    public void IsWrittenHere(InodeNumber inode)
    {
        if (Volatile.Read(ref _count) == 0)
        {
            return;
        }

        lock (_gate)
        {
            ref Growth file = ref CollectionsMarshal.GetValueRefOrNullRef(_files, inode.Value);
            if (!Unsafe.IsNullRef(ref file))
            {
                file.LengthMax = long.MaxValue;
            }
        }
    }

    /// <summary>The kernel begins to drop a file's pages: all of before this moment.</summary>
    public void NoticeBegins(InodeNumber inode)
    {
        lock (_gate)
        {
            ref Growth file = ref CollectionsMarshal.GetValueRefOrNullRef(_files, inode.Value);
            if (!Unsafe.IsNullRef(ref file))
            {
                file.IsUntold = false;
            }
        }
    }

    /// <summary>It has dropped them.</summary>
    /// <returns>Whether the kernel has to ask for the length again: it was told the old one meanwhile.</returns>
    public bool NoticeTaken(InodeNumber inode)
    {
        lock (_gate)
        {
            if (!_files.TryGetValue(inode.Value, out Growth file) || file.IsUntold)
            {
                return false;
            }

            _files.Remove(inode.Value);
            Volatile.Write(ref _count, _files.Count);
            return file.WasShown;
        }
    }
}
