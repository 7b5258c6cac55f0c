using System.Collections.Immutable;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Primitives;

namespace Cairn.Core.Fold.Checkpoints;

/// <summary>
/// The records of a checkpoint: a fold's table with all that is fixed and nothing else, in the order of keys, and with
/// what a fold needs to go on from there.
/// </summary>
/// <remarks>
/// Whoever has the same history before <see cref="Depth"/> has the same records: docs/formats/checkpoint.md. They are
/// walked, not gathered: what has to be undone is held in parts of bounded size, each found by a walk over the tail.
/// </remarks>
public sealed class TableAtCut
{
    private const int UndoBytesMax = 32 << 20;

    private readonly ITableSource _table;
    private readonly TransactionOrder _cut;
    private readonly FoldLogs _logs;
    private readonly int _undoBytesMax;

    private TableAtCut(ITableSource table, TransactionOrder cut, FoldLogs logs, int undoBytesMax) =>
        (_table, _cut, _logs, _undoBytesMax) = (table, cut, logs, undoBytesMax);

    /// <summary>Everything of less depth is in it, and nothing else.</summary>
    public ulong Depth => _cut.Depth + 1;

    /// <summary>A table that stands still, with all that <see cref="OrderedFold.Save"/> writes.</summary>
    /// <param name="table">The table.</param>
    /// <param name="undoBytesMax">How many bytes of former values are held at once, beside the last.</param>
    /// <returns>Null where a fold could not go on from what is fixed, or that ends within a depth.</returns>
    public static TableAtCut? Of(ITableSource table, int undoBytesMax = UndoBytesMax)
    {
        FoldLogs logs = FoldLogs.Load(table);
        bool isExact = FoldTail.CutIn(table) is { } cut
            && Tail(table, cut).Take(1).All(first => first.Order.Depth > cut.Depth)
            && new FoldHolds(new OverlayTable(table, cacheBytesMax: 0, learnKeysMax: 0)).FirstHeld(cut) is null
            && logs.Before(cut.Depth + 1) is not null;
        return isExact ? new TableAtCut(table, FoldTail.CutIn(table)!.Value, logs, undoBytesMax) : null;
    }

    /// <summary>Says in a table that a fold begins with these records, which some members say they have made.</summary>
    public static void NoteWitnesses(ITreeTable table, IEnumerable<NodeId> members) =>
        Witnesses.Put(table, [.. members]);

    /// <summary>Whether a record says what the others were made of: of the same, by the same rules, they are the same.</summary>
    public static bool IsBasis(ReadOnlySpan<byte> key) =>
        key[0] == FoldKeys.Reserved && key[1] is not (Repetitions.RepeatedTag or Repetitions.UnsaidTag);

    /// <summary>Walks all records.</summary>
    /// <param name="carried">Tags of reserved records that are taken over as they are.</param>
    /// <param name="continued">Says that it is the continuation of an earlier one; null for nothing to say.</param>
    public IEnumerable<KeyValuePair<byte[], byte[]>> Records(
        ImmutableArray<byte> carried, KeyValuePair<byte[], byte[]>? continued = null)
    {
        foreach (KeyValuePair<byte[], byte[]> record in Fixed([], [FoldKeys.StateEnd]))
        {
            yield return record;
        }

        var reserved = new MemoryTable();
        _logs.Before(Depth)!.Save(reserved);
        FoldTail.Start(reserved, _cut);
        IEnumerable<KeyValuePair<byte[], byte[]>> others =
            Fixed(From(Repetitions.RepeatedTag), From(Repetitions.RepeatedTag + 1))
            .Concat(Fixed(From(Repetitions.UnsaidTag), From(Repetitions.UnsaidTag + 1)))
            .Concat(carried.SelectMany(tag => Records(_table, From(tag), From(tag + 1))));
        foreach ((byte[] key, byte[] value) in continued is { } one ? others.Append(one) : others)
        {
            reserved.Put(key, value);
        }

        foreach (KeyValuePair<byte[], byte[]> record in Records(reserved, [], []))
        {
            yield return record;
        }
    }

    private static byte[] From(int tag) => [FoldKeys.Reserved, (byte)tag];

    private static IEnumerable<KeyValuePair<byte[], byte[]>> Records(ITableSource table, byte[] from, byte[] to)
    {
        TableCursor cursor = table.Scan(from, to);
        while (cursor.MoveNext())
        {
            yield return new(cursor.Key, cursor.Value);
        }
    }

    /// <summary>What is behind the cut, in order, a block at a time.</summary>
    private static IEnumerable<AppliedTransaction> Tail(ITableSource table, TransactionOrder cut)
    {
        foreach (TailBlock block in TailBlock.Load(table))
        {
            foreach (AppliedTransaction entry in block.Entries(table, cut))
            {
                yield return entry;
            }

            block.Unload();
        }
    }

    /// <summary>The records of some keys as they were at the cut.</summary>
    private IEnumerable<KeyValuePair<byte[], byte[]>> Fixed(byte[] from, byte[] to)
    {
        for (byte[]? start = from; start is not null;)
        {
            OverlayTable undone = Undone(start, to, out byte[]? rest);
            foreach (KeyValuePair<byte[], byte[]> record in Records(undone, start, rest ?? to))
            {
                yield return record;
            }

            start = rest;
        }
    }

    /// <summary>The table with the former values of as many keys as may be held.</summary>
    /// <param name="from">The first key.</param>
    /// <param name="to">The end, excluded.</param>
    /// <param name="rest">The first key of which that is not so; null for none.</param>
    private OverlayTable Undone(byte[] from, byte[] to, out byte[]? rest)
    {
        var former = new SortedSet<PreImage>(
            Comparer<PreImage>.Create(static (a, b) => a.Key.Span.SequenceCompareTo(b.Key.Span)));
        long bytes = 0;
        rest = null;
        foreach (PreImage image in Tail(_table, _cut).SelectMany(static entry => entry.Undo.ToArray()))
        {
            // The first that was replaced behind the cut is the one that was there.
            if (image.Key.Span.SequenceCompareTo(from) >= 0
                && image.Key.Span.SequenceCompareTo(rest ?? to) < 0
                && former.Add(image))
            {
                bytes += Size(image);
                while (bytes > _undoBytesMax && former.Count > 1)
                {
                    PreImage last = former.Max;
                    former.Remove(last);
                    (rest, bytes) = (last.Key.AsArray(), bytes - Size(last));
                }
            }
        }

        var table = new OverlayTable(_table, cacheBytesMax: 0, learnKeysMax: 0);
        foreach (PreImage image in former)
        {
            table.Put(image.Key.Span, image.Before.AsArray());
        }

        return table;
    }

    private static long Size(PreImage image) => image.Key.Length + image.Before.Length;
}
