using System.Buffers.Binary;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Tree.Applying;

/// <summary>What snapshot and sweep-kept do at their point in the order.</summary>
/// <remarks>
/// Making one costs three small records, whatever the size of the tree. A position is never given twice: kept values
/// know their marks by it.
/// </remarks>
internal sealed class SnapshotRules(KeepingTable keeping)
{
    /// <summary>Whether a snapshot is there though somebody removed it.</summary>
    internal static bool HasRefusedRemoval(ITableSource table, Bytes16 id) => table.Get(RefusedRemoval(id)) is not null;

    internal void Apply(
        Snapshot snapshot, Transaction by, IReadOnlyList<TableChange> seenOtherwise,
        SnapshotHolds holds)
    {
        Span<byte> key = stackalloc byte[TreeKeys.IdKeySize];
        TreeKeys.Id(key, TreeKeys.Snapshot, snapshot.Id);
        SnapshotRecord? known = SnapshotRecord.Find(keeping, snapshot.Id);
        if (snapshot.Name.IsEmpty && known is not null && holds.Refuse(snapshot.Id, by.Id))
        {
            keeping.Put(RefusedRemoval(snapshot.Id), []);
        }
        else if (snapshot.Name.IsEmpty)
        {
            Remove(key, known);
        }
        else if (known is null)
        {
            Make(key, snapshot, by, seenOtherwise);
        }
    }

    internal void Apply(SweepKept sweep)
    {
        foreach (KeptRecord record in KeptRecord.Unneeded(keeping, sweep.From.ToArray(), sweep.To.ToArray()))
        {
            keeping.Put(record.TableKey, null);
        }
    }

    private void Make(
        ReadOnlySpan<byte> key, Snapshot snapshot, Transaction by,
        IReadOnlyList<TableChange> seenOtherwise)
    {
        ulong position = KeepingTable.LastPosition(keeping) + 1;
        byte[] last = new byte[TreeKeys.PositionSize];
        BinaryPrimitives.WriteUInt64BigEndian(last, position);
        Span<byte> mark = stackalloc byte[TreeKeys.MarkKeySize];
        keeping.Put([TreeKeys.Mark], last);
        keeping.Put(TreeKeys.MarkAt(mark, position), snapshot.Id.ToArray());
        keeping.Put(key, new SnapshotRecord(
            snapshot.Id, snapshot.Name, snapshot.Folder, by.Id, by.Claimed, position).Encode());
        Span<byte> seen = stackalloc byte[TreeKeys.KeptKeyMax];
        foreach ((TableBytes of, TableBytes value) in seenOtherwise)
        {
            if (TreeKeys.IsInSnapshots(of.Span))
            {
                keeping.Put(TreeKeys.SeenAt(seen, position, of.Span), KeepingTable.Encode(value.AsArray()));
            }
        }

        keeping.Forget();
    }

    private void Remove(ReadOnlySpan<byte> key, SnapshotRecord? known)
    {
        if (known is not null)
        {
            Span<byte> mark = stackalloc byte[TreeKeys.MarkKeySize];
            keeping.Put(TreeKeys.MarkAt(mark, known.Position), null);
            keeping.Put(RefusedRemoval(known.Id), null);
            keeping.Put(key, null);
            keeping.Forget();
        }
    }

    private static byte[] RefusedRemoval(Bytes16 id)
    {
        byte[] key = new byte[TreeKeys.IdKeySize];
        TreeKeys.Id(key, TreeKeys.RefusedRemoval, id);
        return key;
    }
}
