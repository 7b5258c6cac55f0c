using Cairn.Core.Primitives;
using Cairn.Core.Tree;

namespace Cairn.Node.Engine.Requests;

/// <summary>Directories in the order of their cookies, so that a listing goes on where it stopped whatever changed since.</summary>
/// <remarks>
/// A cookie is a hash of the name: it stays with its entry and needs no memory of the listing. The sorted names of the
/// directories being listed are remembered to spare sorting again. Guarded by the volume's gate.
/// </remarks>
internal sealed class DirectoryListings(TreeQueries queries)
{
    private const int RememberedMax = 16;

    private readonly LinkedList<(ObjectId Directory, Listing Names)> _remembered = new();

    /// <summary>A directory's names by cookie.</summary>
    /// <param name="Cookies">Ascending, no two equal, at least 1.</param>
    /// <param name="Names">Each the name of the cookie at its place.</param>
    public sealed record Listing(ulong[] Cookies, ReadOnlyMemory<byte>[] Names)
    {
        /// <summary>The place of the first cookie behind one.</summary>
        public int After(ulong cookie)
        {
            int found = Array.BinarySearch(Cookies, cookie);
            return found >= 0 ? found + 1 : ~found;
        }
    }

    /// <summary>A directory's names; taken anew when a listing starts.</summary>
    public Listing Get(ObjectId directory, bool starts)
    {
        LinkedListNode<(ObjectId Directory, Listing Names)>? node = _remembered.First;
        for (; node is not null; node = node.Next)
        {
            if (node.Value.Directory == directory)
            {
                _remembered.Remove(node);
                if (!starts)
                {
                    _remembered.AddFirst(node);
                    return node.Value.Names;
                }

                break;
            }
        }

        Listing listing = Take(directory);
        _remembered.AddFirst((directory, listing));
        if (_remembered.Count > RememberedMax)
        {
            _remembered.RemoveLast();
        }

        return listing;
    }

    private Listing Take(ObjectId directory)
    {
        ReadOnlyMemory<byte>[] sorted = [.. queries.ListAll(directory).Select(static entry => entry.Name)];
        ulong[] cookies = new ulong[sorted.Length];
        for (int i = 0; i < cookies.Length; i++)
        {
            cookies[i] = Cookie(sorted[i].Span);
        }

        Array.Sort(cookies, sorted);
        for (int i = 1; i < cookies.Length; i++)
        {
            cookies[i] = Math.Max(cookies[i], cookies[i - 1] + 1);
        }

        return new Listing(cookies, sorted);
    }

    /// <remarks>FNV-1a with a finalizer, below 2^61 and at least 16: room for the door's own offsets and for collisions.</remarks>
    private static ulong Cookie(ReadOnlySpan<byte> name)
    {
        ulong hash = 14695981039346656037;
        foreach (byte b in name)
        {
            hash = (hash ^ b) * 1099511628211;
        }

        hash ^= hash >> 32;
        hash *= 0x9E3779B97F4A7C15;
        return (hash >> 3) | 16;
    }
}
