using Cairn.Core.Fold.Tables;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Tree.Past;

/// <summary>The snapshots of a volume, and what they show.</summary>
/// <param name="table">The volume's table, as it is now.</param>
public sealed class SnapshotQueries(ITableSource table)
{
    /// <summary>All of them, in the order of their marks.</summary>
    public IReadOnlyList<SnapshotRecord> All()
    {
        var all = new List<SnapshotRecord>();
        TableCursor cursor = table.Scan([TreeKeys.Mark, 0], [TreeKeys.Mark + 1]);
        while (cursor.MoveNext())
        {
            SnapshotRecord? record = SnapshotRecord.Find(table, new Bytes16(cursor.Value));
            Invariant.That(record is not null, "a mark without its snapshot: rebuild the index");
            all.Add(record);
        }

        return all;
    }

    /// <summary>One by its id; null if there is none.</summary>
    public SnapshotRecord? Find(Bytes16 id) => SnapshotRecord.Find(table, id);

    /// <summary>The tree as a snapshot's author saw it. It stays readable until the snapshot is removed.</summary>
    public TreeQueries View(SnapshotRecord snapshot) => new(new SnapshotTable(table, snapshot.Position));
}
