using System.Buffers;
using Cairn.Core.Fold;
using Cairn.Core.Fold.Checkpoints;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Core.Tree;
using Cairn.Node.Logs.Index;
using Cairn.Node.Ports;

namespace Cairn.Node.Logs.Checkpoints;

/// <summary>Fills an index with a table or a checkpoint, so that a newcomer need not fold all history before it has a tree.</summary>
/// <remarks>
/// A record in the index says how far it came: what is not whole is emptied at the next opening, and so is one member's
/// table that was opened and has not all its blocks. The records of a checkpoint are the same wherever they come from: it
/// can be gone on with behind the last one, and opened again before its blocks are here. The blocks come afterwards, from
/// the first on, as they come to everyone: what the table has of them already is passed over by the fold.
/// docs/decisions/compaction.md says what is taken from whom. One caller.
/// </remarks>
public sealed class TableFill(IIndexStore index) : ICheckpointFill
{
    private const byte Unfinished = 0;
    private const byte Filled = 1;
    private const byte Vouched = 2;

    private byte[] _last = [];
    private Bytes32? _checkpoint;
    private RecordChain _chain = new();

    /// <summary>The key of the last record that is here; empty for none.</summary>
    public ReadOnlyMemory<byte> Last => _last;

    /// <summary>How many records are here.</summary>
    public ulong Count => _chain.Count;

    private static byte[] Key => [FoldKeys.Reserved, (byte)'F'];

    /// <summary>Whether the table did not come in full, or its blocks did not: a later start has no use for the index.</summary>
    public static bool IsBrokenOff(IIndexStore index) =>
        index.Get(Key).TryGet(out byte[]? mark, out _) && mark is [Unfinished, ..];

    /// <summary>Whether a checkpoint came in full, and its blocks did not.</summary>
    public static bool IsVouched(IIndexStore index) =>
        index.Get(Key).TryGet(out byte[]? mark, out _) && mark is [Vouched, ..];

    /// <summary>The blocks that are still to come for a table that came in full and is opened; null for any other.</summary>
    /// <remarks>
    /// What a checkpoint has is in blocks with all who made it. What else one member's table has may be in none when this
    /// one is opened again: that is told once.
    /// </remarks>
    public static LogPositions? TakeAwaited(OrderedFold fold)
    {
        byte[] mark = fold.Table.Get(Key) ?? [];
        if (mark is [Filled])
        {
            fold.Table.Put(Key, [Unfinished]);
            return fold.Positions;
        }

        if (mark is not [Vouched, ..])
        {
            return null;
        }

        var reader = new WireReader(mark.AsSpan(1));
        LogPositions positions = LogPositions.Decode(ref reader);
        Invariant.That(reader.Complete, "the note of a checkpoint's blocks is damaged: rebuild the index");
        return positions;
    }

    /// <summary>All blocks of the table are here: it is like any other.</summary>
    public static void End(ITreeTable table) => table.Put(Key, null);

    /// <summary>Empties the index and notes that it is not whole.</summary>
    public Result<Unit, IndexError> Begin()
    {
        (_last, _checkpoint, _chain) = ([], null, new RecordChain());
        Result<Unit, IndexError> cleared = index.Clear();
        return cleared.IsOk ? index.Apply([Mark(_last, _chain)]) : cleared;
    }

    /// <summary>Goes on with a checkpoint where it was broken off, or begins it.</summary>
    /// <param name="checkpoint">Its hash.</param>
    public Result<Unit, IndexError> Begin(Bytes32 checkpoint)
    {
        if (index.Get(Key).TryGet(out byte[]? mark, out _) && mark is [Unfinished, _, ..])
        {
            var reader = new WireReader(mark.AsSpan(1));
            Bytes32 begun = reader.Bytes32();
            var chain = new RecordChain(reader.Bytes32(), reader.VarUInt());
            byte[] last = reader.LengthPrefixed().ToArray();
            if (reader.Complete && begun == checkpoint)
            {
                (_last, _checkpoint, _chain) = (last, begun, chain);
                return Unit.Value;
            }
        }

        Result<Unit, IndexError> cleared = Begin();
        _checkpoint = checkpoint;
        return cleared;
    }

    /// <summary>Adds records that follow those before.</summary>
    public Result<Unit, IndexError> Add(IReadOnlyList<TableRecordBytes> records)
    {
        (byte[] last, RecordChain chain) = (_last, new RecordChain(_chain.Hash, _chain.Count));
        if (!TablePage.TryFollow(records, chain, ref last))
        {
            return new IndexError("a record that no table has");
        }

        Result<Unit, IndexError> applied = index.Apply(records
            .Where(static record => !record.Key.Span.SequenceEqual(Key))
            .Select(static record => new IndexChange(record.Key, record.Value))
            .Append(Mark(last, chain)));
        if (applied.IsOk)
        {
            (_last, _chain) = (last, chain);
        }

        return applied;
    }

    Result<Unit, IndexError> ICheckpointFill.Finish(IReadOnlyCollection<NodeId> witnesses) => Finish(witnesses);

    /// <summary>All records are there: looks whether this program can go on from them, and notes that the table is whole.</summary>
    /// <param name="witnesses">Who made the checkpoint; of a table it is among the records.</param>
    /// <param name="isSettled">
    /// Whether the checkpoint is settled: by whichever rules it was made, all nodes go on from it.
    /// </param>
    public Result<Unit, IndexError> Finish(IReadOnlyCollection<NodeId>? witnesses = null, bool isSettled = false)
    {
        if (_checkpoint is { } checkpoint && _chain.Hash != checkpoint)
        {
            return new IndexError("not the records that were vouched for");
        }

        var table = new OverlayTable(new IndexTable(index), cacheBytesMax: 0, learnKeysMax: 0);
        try
        {
            if (!isSettled && FoldRules.IsOutdated(table))
            {
                return new IndexError("a table of another program's rules");
            }

            byte[] mark = [Filled];
            if (witnesses is not null)
            {
                var fold = new OrderedFold(table, new TreeApplier());
                TableAtCut.NoteWitnesses(table, witnesses);
                FoldGround.NoteMark(table, fold.StableOrder.Depth + 1);
                FoldGround.NoteMade(table, fold.StableOrder.Depth + 1, _chain.Hash);
                mark = MarkOf(fold.Positions);
            }

            table.Put(Key, mark);
            return index.Apply(table.TakeChanges().Select(IndexChange.Of));
        }
        catch (IndexUnusableException broken)
        {
            return new IndexError(broken.Message);
        }
    }

    private static byte[] MarkOf(LogPositions vouched)
    {
        var mark = new ArrayBufferWriter<byte>(128);
        var writer = new WireWriter(mark);
        writer.Byte(Vouched);
        vouched.Encode(writer);
        return mark.WrittenSpan.ToArray();
    }

    /// <summary>Says how far it came.</summary>
    private IndexChange Mark(byte[] last, RecordChain chain)
    {
        var mark = new ArrayBufferWriter<byte>(128);
        var writer = new WireWriter(mark);
        writer.Byte(Unfinished);
        if (_checkpoint is { } checkpoint)
        {
            writer.Bytes32(checkpoint);
            writer.Bytes32(chain.Hash);
            writer.VarUInt(chain.Count);
            writer.LengthPrefixed(last);
        }

        return new IndexChange(Key, mark.WrittenMemory);
    }
}
