using Cairn.Core.Fold;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Ports;

namespace Cairn.Node.Logs;

/// <summary>Fills an index with another member's table, so that a newcomer need not fold all history before it has a tree.</summary>
/// <remarks>
/// A record in the index says how far it came: an index that is not whole is emptied at the next opening. The blocks come
/// afterwards, from the first on, as they come to everyone: what the table has of them already is passed over by the fold.
/// docs/decisions/compaction.md says whose table is taken. One caller.
/// </remarks>
public sealed class TableFill(IIndexStore index)
{
    private const byte Unfinished = 0;
    private const byte Finished = 1;

    private byte[] _last = [];

    private static byte[] Key => [FoldKeys.Reserved, (byte)'F'];

    /// <summary>Whether a filling was broken off: nothing of the index is of use.</summary>
    public static bool IsBrokenOff(IIndexStore index) =>
        index.Get(Key).TryGet(out byte[]? mark, out _) && mark is [Unfinished];

    /// <summary>Whether this table was filled and is opened for the first time: its blocks are not here yet. Tells it once.</summary>
    public static bool TakeFresh(ITreeTable table) => table.Put(Key, null) is [Finished];

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

    /// <summary>All records are there: looks whether this program can go on from them, and notes that the index is whole.</summary>
    public Result<Unit, IndexError> Finish() =>
        FoldRules.IsOutdated(new OverlayTable(new IndexTable(index), cacheBytesMax: 0, learnKeysMax: 0))
            ? new IndexError("a table of another program's rules")
            : index.Apply([new IndexChange(Key, new[] { Finished })]);
}
