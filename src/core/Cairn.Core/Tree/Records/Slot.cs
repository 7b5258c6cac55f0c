using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tree.Records;

/// <summary>
/// The value of an entry key: the objects at one name, 17 bytes each; the first holds the name, the others conflict
/// with it.
/// </summary>
internal static class Slot
{
    internal const int UnitSize = ObjectId.Size + 1;

    internal static int Count(byte[]? slot) => slot is null ? 0 : slot.Length / UnitSize;

    internal static ObjectId ObjectAt(byte[] slot, int index) => new(slot.AsSpan(index * UnitSize, ObjectId.Size));

    internal static TreeKind KindAt(byte[] slot, int index) => (TreeKind)slot[(index * UnitSize) + ObjectId.Size];

    internal static int IndexOf(byte[]? slot, ObjectId id)
    {
        for (int i = 0; i < Count(slot); i++)
        {
            if (ObjectAt(slot!, i) == id)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>The first directory in it; a second one is there only beside a limited one. -1 if there is none.</summary>
    internal static int IndexOfDirectory(byte[]? slot)
    {
        for (int i = 0; i < Count(slot); i++)
        {
            if (KindAt(slot!, i) == TreeKind.Directory)
            {
                return i;
            }
        }

        return -1;
    }

    internal static byte[] With(byte[]? slot, int index, ObjectId id, TreeKind kind)
    {
        byte[] longer = new byte[(slot?.Length ?? 0) + UnitSize];
        int at = index * UnitSize;
        slot?.AsSpan(0, at).CopyTo(longer);
        id.Value.CopyTo(longer.AsSpan(at));
        longer[at + ObjectId.Size] = (byte)kind;
        slot?.AsSpan(at).CopyTo(longer.AsSpan(at + UnitSize));
        return longer;
    }

    /// <summary>Without one of them; null when none is left.</summary>
    internal static byte[]? Without(byte[] slot, int index)
    {
        if (slot.Length == UnitSize)
        {
            return null;
        }

        byte[] shorter = new byte[slot.Length - UnitSize];
        int at = index * UnitSize;
        slot.AsSpan(0, at).CopyTo(shorter);
        slot.AsSpan(at + UnitSize).CopyTo(shorter.AsSpan(at));
        return shorter;
    }
}
