using System.Buffers.Binary;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Applying;

namespace Cairn.Core.Tree.Records;

/// <summary>A value that is kept for snapshots.</summary>
/// <param name="TableKey">The key of the record itself.</param>
/// <param name="Key">The key of the tree whose value was kept.</param>
/// <param name="Value">What it was; null for absence.</param>
/// <param name="IsNeeded">Whether a snapshot that is there shows it.</param>
public readonly record struct KeptRecord(byte[] TableKey, ReadOnlyMemory<byte> Key, byte[]? Value, bool IsNeeded)
{
    /// <summary>The first key of all such records.</summary>
    public static ReadOnlyMemory<byte> First { get; } = new byte[] { TreeKeys.Kept };

    /// <summary>The end of all such records, excluded.</summary>
    public static ReadOnlyMemory<byte> End { get; } = new byte[] { TreeKeys.Seen + 1 };

    /// <summary>The records in a range of the table, in order.</summary>
    /// <remarks>
    /// A value is needed if there is a mark after the record before it of the same key and not after its own. Of the
    /// first record in the range the one before is not seen: it may be called needed though it is not, never the other
    /// way round.
    /// </remarks>
    public static IEnumerable<KeptRecord> Between(ITableSource table, byte[] from, byte[] to)
    {
        ulong[] marks = Marks(table);
        from = from.AsSpan().SequenceCompareTo(First.Span) > 0 ? from : First.ToArray();
        to = to.Length > 0 && to.AsSpan().SequenceCompareTo(End.Span) < 0 ? to : End.ToArray();
        TableCursor cursor = table.Scan(from, to);
        ReadOnlyMemory<byte> lastKey = default;
        ulong lastPosition = 0;
        while (cursor.MoveNext())
        {
            byte[] tableKey = cursor.Key;
            bool isKept = tableKey[0] == TreeKeys.Kept;
            ulong position = BinaryPrimitives.ReadUInt64BigEndian(
                isKept ? tableKey.AsSpan(tableKey.Length - TreeKeys.PositionSize) : tableKey.AsSpan(1));
            ReadOnlyMemory<byte> key = isKept
                ? tableKey.AsMemory(1, tableKey.Length - 1 - TreeKeys.PositionSize)
                : tableKey.AsMemory(TreeKeys.MarkKeySize);
            ulong before = isKept && lastKey.Span.SequenceEqual(key.Span) ? lastPosition : 0;
            before = isKept ? before : position - 1;
            yield return new KeptRecord(
                tableKey, key, KeepingTable.Decode(cursor.Value), HasMark(marks, before, position));
            (lastKey, lastPosition) = (key, position);
        }
    }

    /// <summary>The encoded ManifestRoots that a record needs, if a key and value of the table are one.</summary>
    public static IReadOnlyList<ReadOnlyMemory<byte>> ManifestsIn(byte[] tableKey, byte[] value)
    {
        int at = tableKey.Length == 0 ? 0 : tableKey[0] switch
        {
            TreeKeys.Kept => 1,
            TreeKeys.Seen => TreeKeys.MarkKeySize,
            _ => 0,
        };
        if (at == 0 || tableKey[at] != TreeKeys.Object || KeepingTable.Decode(value) is not { } encoded
            || ObjectRecord.FormOf(encoded) != ObjectForm.Plain)
        {
            return [];
        }

        // What was in the trash at the mark is in no snapshot's tree.
        ObjectRecord record = ObjectRecord.Decode(new ObjectId(tableKey.AsSpan(at + 1, ObjectId.Size)), encoded);
        return record.Detached ? [] : [.. record.Heads.Select(static head => head.Manifest)];
    }

    /// <summary>The encoded ManifestRoots that it needs.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Manifests =>
        Value is null ? [] : ManifestsIn(TableKey, KeepingTable.Encode(Value));

    /// <summary>Those in a range that no snapshot shows.</summary>
    public static List<KeptRecord> Unneeded(ITableSource table, byte[] from, byte[] to) =>
        [.. Between(table, from, to).Where(static record => !record.IsNeeded)];

    /// <summary>The positions of all marks, in order: when they are the same, what is needed is the same.</summary>
    public static ulong[] Marks(ITableSource table)
    {
        var marks = new List<ulong>();
        TableCursor cursor = table.Scan([TreeKeys.Mark, 0], [TreeKeys.Mark + 1]);
        while (cursor.MoveNext())
        {
            marks.Add(BinaryPrimitives.ReadUInt64BigEndian(cursor.Key.AsSpan(1)));
        }

        return [.. marks];
    }

    /// <summary>Whether there is a mark after one position and not after another.</summary>
    private static bool HasMark(ulong[] marks, ulong after, ulong upTo)
    {
        int at = Array.BinarySearch(marks, after + 1);
        at = at < 0 ? ~at : at;
        return at < marks.Length && marks[at] <= upTo;
    }
}
