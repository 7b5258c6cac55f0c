using System.Buffers;
using System.Buffers.Binary;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Fold;

/// <summary>The settled checkpoint that a fold stands on: whatever is not in it comes behind it.</summary>
/// <remarks>
/// What is in it stays as it is there, whatever is said later about whose transactions count. What is not in it, and was
/// written before it by somebody who was away, gets a place behind it: nobody can be too late. So the same checkpoint and the same
/// transactions beyond it give the same table, and nobody needs what came before. docs/decisions/compaction.md.
/// It stands in the table, as do the checkpoints of which the table is a continuation though they are not settled.
/// </remarks>
/// <param name="Depth">The checkpoint's.</param>
/// <param name="Hash">Names its records.</param>
/// <param name="Positions">What is in it, by transactions.</param>
public sealed record FoldGround(ulong Depth, Bytes32 Hash, LogPositions Positions)
{
    /// <summary>Behind <see cref="FoldKeys.Reserved"/>: the ground itself.</summary>
    public const byte Tag = (byte)'D';

    /// <summary>Behind <see cref="FoldKeys.Reserved"/>, and before a depth: a checkpoint that the table continues.</summary>
    public const byte ContinuedTag = (byte)'K';

    private static byte[] Key => [FoldKeys.Reserved, Tag];

    /// <summary>What a table stands on; null for one that has all history.</summary>
    public static FoldGround? In(ITableSource table)
    {
        if (table.Get(Key) is not { } record)
        {
            return null;
        }

        var reader = new WireReader(record);
        var ground = new FoldGround(reader.VarUInt(), reader.Bytes32(), LogPositions.Decode(ref reader));
        Invariant.That(reader.Complete, "a fold's note of its ground is damaged: rebuild the index");
        return ground;
    }

    /// <summary>The table has exactly all of less than a depth for good, and more: a checkpoint is made of that.</summary>
    public static void NoteMark(ITreeTable table, ulong depth) => table.Put(ContinuedKey(depth), []);

    /// <summary>The checkpoint was made, or the table begins with it: unless it was folded again meanwhile, it continues it.</summary>
    /// <returns>Whether it does.</returns>
    public static bool NoteMade(ITreeTable table, ulong depth, Bytes32 hash)
    {
        bool isContinued = table.Get(ContinuedKey(depth)) is { Length: 0 };
        if (isContinued)
        {
            table.Put(ContinuedKey(depth), hash.ToArray());
        }

        return isContinued;
    }

    /// <summary>Whether a table is a checkpoint and what came behind it.</summary>
    public static bool Continues(ITableSource table, ulong depth, Bytes32 hash) =>
        table.Find(ContinuedKey(depth)).Span.SequenceEqual(hash.ToArray());

    /// <summary>The record that says so, to go with another checkpoint that is made of the table; null if it is not so.</summary>
    public static KeyValuePair<byte[], byte[]>? ContinuedRecord(ITableSource table, ulong depth, Bytes32 hash) =>
        Continues(table, depth, hash) ? new(ContinuedKey(depth), hash.ToArray()) : null;

    /// <summary>Forgets which checkpoints before a depth are continued.</summary>
    public static void ForgetContinued(ITreeTable table, ulong depth)
    {
        var gone = new List<byte[]>();
        TableCursor cursor = table.Scan(ContinuedKey(0), ContinuedKey(depth));
        while (cursor.MoveNext())
        {
            gone.Add(cursor.Key);
        }

        gone.ForEach(key => table.Put(key, null));
    }

    /// <summary>What is in it, too, counts as alike.</summary>
    public LogPositions And(LogPositions alike) => LogPositions.From(
        alike.Logs.Concat(Positions.Logs)
            .GroupBy(static log => log.Key, static log => log.Value)
            .Select(static log => KeyValuePair.Create(
                log.Key, log.MaxBy(static position => position.TransactionSeq))));

    internal void Put(ITreeTable table)
    {
        var output = new ArrayBufferWriter<byte>(128);
        var writer = new WireWriter(output);
        writer.VarUInt(Depth);
        writer.Bytes32(Hash);
        Positions.Encode(writer);
        table.Put(Key, output.WrittenSpan.ToArray());
    }

    private static byte[] ContinuedKey(ulong depth)
    {
        byte[] key = new byte[2 + sizeof(ulong)];
        (key[0], key[1]) = (FoldKeys.Reserved, ContinuedTag);
        BinaryPrimitives.WriteUInt64BigEndian(key.AsSpan(2), depth);
        return key;
    }
}
