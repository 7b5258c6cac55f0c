using Cairn.Core.Fold;
using Cairn.Core.Fold.Checkpoints;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Logs.Index;
using Cairn.Node.Ports;

namespace Cairn.Node.Logs.Checkpoints;

/// <summary>Records of a table in the order of their keys, as many as are carried at once; never the node's own.</summary>
/// <param name="Records">None at the end only.</param>
/// <param name="IsEnd">Whether no others follow.</param>
internal sealed record TablePage(IReadOnlyList<TableRecordBytes> Records, bool IsEnd)
{
    private const int PageBytes = 1 << 20;
    private const int PageRecords = 1024;

    /// <summary>What follows a key; an empty one for the beginning. Blocks.</summary>
    public static Result<TablePage, IndexError> After(IIndexStore table, ReadOnlyMemory<byte> after)
    {
        var records = new List<TableRecordBytes>();
        int bytes = 0;
        byte[] from = after.Length == 0 ? [] : [.. after.Span, 0];
        while (true)
        {
            // What lies between are the node's own records.
            byte[] to = from is [>= IndexTable.NodesOwn, ..] ? [] : [IndexTable.NodesOwn];
            Result<IReadOnlyList<KeyValuePair<byte[], byte[]>>, IndexError> found = table.Scan(from, to, PageRecords);
            if (!found.IsOk)
            {
                return found.Error;
            }

            foreach ((byte[] key, byte[] value) in found.Value)
            {
                records.Add(new TableRecordBytes(key, value));
                bytes += key.Length + value.Length;
                if (bytes >= PageBytes || records.Count == TableReply.CountMax)
                {
                    return new TablePage(records, IsEnd: false);
                }
            }

            if (found.Value.Count == PageRecords)
            {
                from = [.. found.Value[^1].Key, 0];
            }
            else if (to.Length == 0)
            {
                return new TablePage(records, IsEnd: true);
            }
            else
            {
                from = [FoldKeys.Reserved];
            }
        }
    }

    /// <summary>Counts records of a page that came from elsewhere among those before.</summary>
    /// <param name="records">What came.</param>
    /// <param name="chain">The hash of all before, and of these then.</param>
    /// <param name="last">The last key of those before, and of these then.</param>
    /// <returns>False: some do not follow, or are the node's own; no table has such a page.</returns>
    public static bool TryFollow(IReadOnlyList<TableRecordBytes> records, RecordChain chain, ref byte[] last)
    {
        foreach (TableRecordBytes record in records)
        {
            ReadOnlySpan<byte> key = record.Key.Span;
            if (IndexTable.IsNodesOwn(key) || key.SequenceCompareTo(last) <= 0)
            {
                return false;
            }

            last = record.Key.ToArray();
            chain.Add(key, record.Value.Span);
        }

        return true;
    }
}
