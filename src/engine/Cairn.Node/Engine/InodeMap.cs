using System.Buffers.Binary;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine;

/// <summary>Objects by their durable numbers: the rule of docs/formats/nodeid.md.</summary>
/// <remarks>
/// A number is the first eight bytes of the id, so no table is needed: the tree finds an object by a scan of that prefix.
/// What was asked for lately is remembered. Guarded by the volume's gate.
/// </remarks>
internal sealed class InodeMap(TreeQueries queries)
{
    private const ulong NumberMask = long.MaxValue;
    private const int RememberedMax = 1 << 17;

    private readonly Dictionary<ulong, ObjectId> _known = [];

    /// <summary>The number of an object.</summary>
    public InodeNumber NumberOf(ObjectId id)
    {
        if (id == TreeQueries.Root)
        {
            return InodeNumber.Root;
        }

        ulong number = FirstNumber(id);
        // A collision is one in 2^63 for each pair of objects; the second object takes the next free number.
        while (_known.TryGetValue(number, out ObjectId holder) && holder != id)
        {
            number = ((number + 1) & NumberMask) is > 1 and ulong next ? next : 2;
        }

        Remember(number, id);
        return new InodeNumber(number);
    }

    /// <summary>The object of a number, or null if there is none.</summary>
    public ObjectId? ObjectOf(InodeNumber inode)
    {
        if (inode == InodeNumber.Root)
        {
            return TreeQueries.Root;
        }

        if (_known.TryGetValue(inode.Value, out ObjectId known))
        {
            return known;
        }

        Span<byte> prefix = stackalloc byte[8];
        for (ulong top = 0; top <= 1; top++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(prefix, inode.Value | (top << 63));
            foreach (ObjectId id in queries.ObjectsWithPrefix(prefix))
            {
                Remember(inode.Value, id);
                return id;
            }
        }

        return null;
    }

    private static ulong FirstNumber(ObjectId id)
    {
        Span<byte> bytes = stackalloc byte[ObjectId.Size];
        id.Value.CopyTo(bytes);
        ulong number = BinaryPrimitives.ReadUInt64LittleEndian(bytes) & NumberMask;
        return number > 1 ? number : 2;
    }

    private void Remember(ulong number, ObjectId id)
    {
        if (_known.Count >= RememberedMax)
        {
            _known.Clear();
        }

        _known[number] = id;
    }
}
