using Cairn.Core.Fold.Tables;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tree.Records;

/// <summary>A snapshot: what a folder was when its author made it.</summary>
/// <param name="Id">Which.</param>
/// <param name="Name">What people call it; two made apart may have the same.</param>
/// <param name="Folder">What it covers.</param>
/// <param name="By">The transaction that made it.</param>
/// <param name="At">That transaction's claim.</param>
/// <param name="Position">Its mark in the order of all snapshots, from 1.</param>
public sealed record SnapshotRecord(
    Bytes16 Id, ReadOnlyMemory<byte> Name, ObjectId Folder, TransactionId By, WallTime At, ulong Position)
{
    internal byte[] Encode()
    {
        var value = new ByteBuilder();
        value.Transaction(By);
        value.Id(Folder.Value);
        value.Time(At);
        value.Prefixed(Name.Span);
        value.VarUInt(Position);
        return value.Written.ToArray();
    }

    /// <summary>
    /// Reads a record; null for one of the first programs, which noted snapshots and kept nothing for them.
    /// </summary>
    internal static SnapshotRecord? Decode(Bytes16 id, byte[] value)
    {
        var reader = new WireReader(value);
        TransactionId by = TreeKeys.Transaction(reader.Raw(TreeKeys.TransactionIdSize));
        var folder = new ObjectId(reader.Bytes16());
        var at = new WallTime(reader.Int64());
        byte[] name = reader.LengthPrefixed().ToArray();
        if (reader.Complete)
        {
            return null;
        }

        ulong position = reader.VarUInt();
        Invariant.That(reader.Complete, "a snapshot's record is damaged: rebuild the index");
        return new SnapshotRecord(id, name, folder, by, at, position);
    }

    /// <summary>Reads the record of an id; null if there is none.</summary>
    internal static SnapshotRecord? Find(ITableSource table, Bytes16 id)
    {
        Span<byte> key = stackalloc byte[TreeKeys.IdKeySize];
        return table.Get(TreeKeys.Id(key, TreeKeys.Snapshot, id)) is { } value ? Decode(id, value) : null;
    }
}
