using System.Buffers.Binary;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Node.Engine.Requests;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine.Past;

/// <summary>A past state of a volume, to be read like the present.</summary>
/// <remarks>
/// Its objects have numbers of their own, because the kernel keeps what it read by number: the object's number, mixed
/// with the state's salt. So a number means the same after a restart (docs/formats/nodeid.md).
/// </remarks>
/// <param name="Queries">The tree.</param>
/// <param name="Top">The folder that it covers.</param>
/// <param name="Salt">Of the snapshot's id, or of the moment.</param>
/// <param name="KeepsData">Whether the chunks of all it shows are kept for its sake.</param>
internal sealed record PastView(TreeQueries Queries, ObjectId Top, ulong Salt, bool KeepsData)
{
    private const ulong NumberMask = long.MaxValue;

    /// <summary>Directories being listed.</summary>
    public DirectoryListings Listings { get; } = new(Queries);

    /// <summary>The number of one of its objects.</summary>
    public InodeNumber NumberOf(ObjectId id)
    {
        Span<byte> bytes = stackalloc byte[ObjectId.Size];
        id.Value.CopyTo(bytes);
        ulong number = (BinaryPrimitives.ReadUInt64LittleEndian(bytes) ^ Mix(Salt)) & NumberMask;
        return new InodeNumber(number > 1 ? number : number + 2);
    }

    /// <summary>The object of a number; null if it has none like that.</summary>
    public ObjectId? ObjectOf(InodeNumber inode)
    {
        if (inode == NumberOf(TreeQueries.Root))
        {
            return TreeQueries.Root;
        }

        Span<byte> prefix = stackalloc byte[sizeof(ulong)];
        for (ulong top = 0; top <= 1; top++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(
                prefix, ((inode.Value ^ Mix(Salt)) & NumberMask) | (top << 63));
            foreach (ObjectId id in Queries.ObjectsWithPrefix(prefix))
            {
                return id;
            }
        }

        return null;
    }

    /// <remarks>The finalizer of SplitMix64: every bit of the salt moves every bit of the number.</remarks>
    private static ulong Mix(ulong salt)
    {
        ulong mixed = salt + 0x9E3779B97F4A7C15;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }
}
