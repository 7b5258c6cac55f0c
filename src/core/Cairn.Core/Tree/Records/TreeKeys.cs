using System.Buffers.Binary;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tree.Records;

/// <summary>The keys of a volume's table. docs/formats/tree-table.md. The first byte says what a key is for.</summary>
public static class TreeKeys
{
    /// <summary>An entry: directory, name.</summary>
    public const byte Entry = 0x10;

    /// <summary>An object: its id, so that its first eight bytes (its inode number) find it by a scan.</summary>
    public const byte Object = 0x11;

    /// <summary>An extended attribute: object, name.</summary>
    public const byte ExtendedAttribute = 0x12;

    /// <summary>A superseded version: object, version.</summary>
    public const byte Superseded = 0x13;

    /// <summary>An object without an entry: object.</summary>
    public const byte Detached = 0x14;

    /// <summary>A name that shows conflicts: directory, name.</summary>
    public const byte Conflict = 0x15;

    /// <summary>The name an author is shown under: node.</summary>
    public const byte AuthorName = 0x16;

    /// <summary>A rule: object.</summary>
    public const byte Rule = 0x17;

    /// <summary>A snapshot: its id.</summary>
    public const byte Snapshot = 0x18;

    /// <summary>Condemned addresses: the condemning transaction.</summary>
    public const byte Condemned = 0x19;

    /// <summary>A member that garbage does not wait for: node.</summary>
    public const byte Excluded = 0x1A;

    /// <summary>How many objects and bytes there are.</summary>
    public const byte Totals = 0x1B;

    /// <summary>What a key's value was before it first changed after a mark: key, position of the mark.</summary>
    public const byte Kept = 0x1C;

    /// <summary>What a snapshot's author saw otherwise than the order has it: position of the mark, key.</summary>
    public const byte Seen = 0x1D;

    /// <summary>
    /// A mark that a snapshot set in the order: its position. Without a position: the last one given out.
    /// </summary>
    public const byte Mark = 0x1E;

    /// <summary>What a member says about condemnations: node.</summary>
    public const byte GarbageMark = 0x1F;

    /// <summary>How many transactions of an author were refused: node.</summary>
    public const byte Refused = 0x20;

    /// <summary>A snapshot of which a removal was refused, because a clone needs it: its id.</summary>
    public const byte RefusedRemoval = 0x21;

    /// <summary>The first transaction of a log that had seen the mark of a limit: the mark, the log.</summary>
    public const byte SeenLimit = 0x22;

    /// <summary>Length of a key made of the tag and one id of 16 bytes.</summary>
    public const int IdKeySize = 1 + ObjectId.Size;

    /// <summary>
    /// What the keys of objects begin with that were made one after the other, up to 256 of them: see <see cref="FreshIds"/>.
    /// </summary>
    public const int NearObjectsSize = 1 + 6;

    /// <summary>The longest entry key.</summary>
    internal const int EntryKeyMax = IdKeySize + 255;

    /// <summary>Length of the key of a version.</summary>
    internal const int VersionKeySize = IdKeySize + VersionId.Size;

    /// <summary>Length of a position of a mark.</summary>
    internal const int PositionSize = sizeof(ulong);

    /// <summary>
    /// More than any position. Its first byte is one that no name has after it, so that the records of a name come
    /// before those of the names that begin with it.
    /// </summary>
    internal const ulong PositionEnd = 1UL << 56;

    /// <summary>Length of the key of a mark.</summary>
    internal const int MarkKeySize = 1 + PositionSize;

    /// <summary>The longest key of a kept value.</summary>
    internal const int KeptKeyMax = 1 + EntryKeyMax + PositionSize;

    /// <summary>Length of the key of a transaction.</summary>
    internal const int TransactionKeySize = 1 + TransactionIdSize;

    /// <summary>Length of a transaction id that sorts as bytes.</summary>
    internal const int TransactionIdSize = NodeId.Size + 4 + 8;

    /// <summary>
    /// How much of a key is ids; the rest is a name that a user chose, to be hidden where keys are stored in the clear.
    /// </summary>
    public static int NameStart(ReadOnlySpan<byte> key)
    {
        // The records of marks have a whole key of the tree in their own.
        int inner = key.IsEmpty ? 0 : key[0] switch { Kept => 1, Seen => MarkKeySize, _ => 0 };
        return key.Length > inner + IdKeySize && key[inner] is Entry or Conflict or ExtendedAttribute
            ? inner + IdKeySize
            : key.Length;
    }

    /// <summary>
    /// Whether snapshots show a key: the namespace, not its past and not what garbage collection notes.
    /// </summary>
    public static bool IsInSnapshots(ReadOnlySpan<byte> key) =>
        !key.IsEmpty && key[0] is Entry or Object or ExtendedAttribute or Conflict or AuthorName or Rule or Totals;

    /// <summary>What an entry key names, or false if it is another kind of key.</summary>
    public static bool TryParseEntry(ReadOnlySpan<byte> key, out ObjectId parent, out ReadOnlySpan<byte> name)
    {
        bool ok = key.Length > IdKeySize && key[0] is Entry or Conflict;
        parent = ok ? new ObjectId(key.Slice(1, ObjectId.Size)) : default;
        name = ok ? key[IdKeySize..] : default;
        return ok;
    }

    /// <summary>
    /// Which object a key is about (its record or an extended attribute), or false if it is another kind of key.
    /// </summary>
    public static bool TryParseObject(ReadOnlySpan<byte> key, out ObjectId id)
    {
        bool ok = key.Length >= IdKeySize && key[0] is Object or ExtendedAttribute;
        id = ok ? new ObjectId(key.Slice(1, ObjectId.Size)) : default;
        return ok;
    }

    /// <summary>Writes the tag and an id; returns the used part.</summary>
    internal static Span<byte> Id(Span<byte> key, byte tag, Bytes16 id)
    {
        key[0] = tag;
        id.CopyTo(key[1..]);
        return key[..IdKeySize];
    }

    /// <summary>Writes the tag, an id and a name; returns the used part.</summary>
    internal static Span<byte> Named(Span<byte> key, byte tag, ObjectId id, ReadOnlySpan<byte> name)
    {
        Id(key, tag, id.Value);
        name.CopyTo(key[IdKeySize..]);
        return key[..(IdKeySize + name.Length)];
    }

    /// <summary>Writes the key of a superseded version.</summary>
    internal static Span<byte> Version(Span<byte> key, ObjectId id, VersionId version)
    {
        Id(key, Superseded, id.Value);
        version.Value.CopyTo(key[IdKeySize..]);
        return key[..VersionKeySize];
    }

    /// <summary>Writes the key under which a value is kept for a mark and those before it.</summary>
    internal static Span<byte> KeptAt(Span<byte> key, ReadOnlySpan<byte> of, ulong position)
    {
        key[0] = Kept;
        of.CopyTo(key[1..]);
        BinaryPrimitives.WriteUInt64BigEndian(key[(1 + of.Length)..], position);
        return key[..(1 + of.Length + PositionSize)];
    }

    /// <summary>Writes the key under which a snapshot's own value is.</summary>
    internal static Span<byte> SeenAt(Span<byte> key, ulong position, ReadOnlySpan<byte> of)
    {
        MarkAt(key, position);
        key[0] = Seen;
        of.CopyTo(key[MarkKeySize..]);
        return key[..(MarkKeySize + of.Length)];
    }

    /// <summary>Writes the key of a mark.</summary>
    internal static Span<byte> MarkAt(Span<byte> key, ulong position)
    {
        key[0] = Mark;
        BinaryPrimitives.WriteUInt64BigEndian(key[1..], position);
        return key[..MarkKeySize];
    }

    /// <summary>The tag and a node id, as a new array.</summary>
    internal static byte[] Node(byte tag, NodeId node)
    {
        byte[] key = new byte[1 + NodeId.Size];
        key[0] = tag;
        node.Value.CopyTo(key.AsSpan(1));
        return key;
    }

    /// <summary>Writes a transaction id in sorting form.</summary>
    internal static void Transaction(Span<byte> destination, TransactionId id)
    {
        id.Log.Author.Value.CopyTo(destination);
        BinaryPrimitives.WriteUInt32BigEndian(destination[NodeId.Size..], id.Log.Incarnation);
        BinaryPrimitives.WriteUInt64BigEndian(destination[(NodeId.Size + 4)..], id.Seq);
    }

    /// <summary>Reads a transaction id in sorting form.</summary>
    internal static TransactionId Transaction(ReadOnlySpan<byte> bytes) => new(
        new LogId(
            new NodeId(bytes[..NodeId.Size]), BinaryPrimitives.ReadUInt32BigEndian(bytes[NodeId.Size..])),
        BinaryPrimitives.ReadUInt64BigEndian(bytes[(NodeId.Size + 4)..]));

    /// <summary>
    /// The first key after every key that starts with <paramref name="prefix"/>; the prefix is not all 0xFF.
    /// </summary>
    public static byte[] EndOf(ReadOnlySpan<byte> prefix)
    {
        byte[] end = prefix.ToArray();
        int last = end.Length - 1;
        while (end[last] == 0xFF)
        {
            last--;
        }

        end[last]++;
        return end[..(last + 1)];
    }
}
