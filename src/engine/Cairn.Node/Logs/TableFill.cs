using Cairn.Core.Fold;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Ports;

namespace Cairn.Node.Logs;

/// <summary>Fills an index with another member's table, so that a newcomer need not fold all history before it has a tree.</summary>
/// <remarks>
/// A record in the index says how far it came: what is not whole, or was opened and has not all its blocks, is emptied at
/// the next opening. The blocks come afterwards, from the first on, as they come to everyone: what the table has of them
/// already is passed over by the fold.
/// docs/decisions/compaction.md says whose table is taken. One caller.
/// </remarks>
public sealed class TableFill(IIndexStore index)
{
    private const byte Unfinished = 0;
    private const byte Filled = 1;

    private byte[] _last = [];

    private static byte[] Key => [FoldKeys.Reserved, (byte)'F'];

    /// <summary>Whether the table did not come in full, or its blocks did not: a later start has no use for the index.</summary>
    public static bool IsBrokenOff(IIndexStore index) =>
        index.Get(Key).TryGet(out byte[]? mark, out _) && mark is [Unfinished];

    /// <summary>Whether this table came in full and is opened for the first time. Tells it once.</summary>
    public static bool TakeFresh(ITreeTable table)
    {
        bool isFresh = table.Get(Key) is [Filled];
        if (isFresh)
        {
            table.Put(Key, [Unfinished]);
        }

        return isFresh;
    }

    /// <summary>All blocks of the table are here: it is like any other.</summary>
    public static void End(ITreeTable table) => table.Put(Key, null);

    /// <summary>Empties the index and notes that it is not whole.</summary>
    public Result<Unit, IndexError> Begin()
    {
        _last = [];
        Result<Unit, IndexError> cleared = index.Clear();
        return cleared.IsOk ? index.Apply([new IndexChange(Key, new[] { Unfinished })]) : cleared;
    }

    /// <summary>Adds records that follow those before.</summary>
    public Result<Unit, IndexError> Add(IReadOnlyList<TableRecordBytes> records)
    {
        foreach (TableRecordBytes record in records)
        {
            ReadOnlySpan<byte> key = record.Key.Span;
            bool isNodesOwn = !key.IsEmpty && key[0] is >= IndexTable.NodesOwn and < FoldKeys.Reserved;
            if (isNodesOwn || key.SequenceCompareTo(_last) <= 0)
            {
                return new IndexError("a record that no table has");
            }

            _last = record.Key.ToArray();
        }

        return index.Apply(records
            .Where(static record => !record.Key.Span.SequenceEqual(Key))
            .Select(static record => new IndexChange(record.Key, record.Value)));
    }

    /// <summary>All records are there: looks whether this program can go on from them, and notes that the table is whole.</summary>
    public Result<Unit, IndexError> Finish()
    {
        try
        {
            return FoldRules.IsOutdated(new OverlayTable(new IndexTable(index), cacheBytesMax: 0, learnKeysMax: 0))
                ? new IndexError("a table of another program's rules")
                : index.Apply([new IndexChange(Key, new[] { Filled })]);
        }
        catch (IndexUnusableException broken)
        {
            return new IndexError(broken.Message);
        }
    }
}
