using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Tests.Tree;

/// <summary>Everything that a snapshot of a table is to show.</summary>
internal static class SnapshotShown
{
    /// <summary>As bytes, to be compared.</summary>
    internal static byte[] Bytes(ITableSource table)
    {
        var bytes = new List<byte>();
        for (TableCursor cursor = table.Scan([], [FoldKeys.Reserved]); cursor.MoveNext();)
        {
            if (TreeKeys.IsInSnapshots(cursor.Key))
            {
                bytes.AddRange(BitConverter.GetBytes(cursor.Key.Length));
                bytes.AddRange(cursor.Key);
                bytes.AddRange(BitConverter.GetBytes(cursor.Value.Length));
                bytes.AddRange(cursor.Value);
            }
        }

        return [.. bytes];
    }
}
