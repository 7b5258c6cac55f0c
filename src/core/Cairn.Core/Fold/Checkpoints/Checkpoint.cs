using System.Buffers;
using System.Security.Cryptography;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Sync;

namespace Cairn.Core.Fold.Checkpoints;

/// <summary>Why there is no checkpoint.</summary>
public enum CheckpointError
{
    /// <summary>Cut short, damaged or not in canonical form. Helps: ask another member.</summary>
    Malformed,

    /// <summary>Made by a newer version of the format. Helps: upgrade this node.</summary>
    NewerFormat,

    /// <summary>It is of another volume.</summary>
    WrongVolume,

    /// <summary>The cut leaves out something that can no longer be undone here. Helps: a later cut.</summary>
    CutTooOld,

    /// <summary>The cut names something that is not folded here.</summary>
    CutNotHeld,

    /// <summary>
    /// Something that is not in the cut comes before something that is: whoever started here could never take it in.
    /// Helps: a cut that every member is known to have.
    /// </summary>
    CutNotStable,
}

/// <summary>
/// The state at a cut through the history, as bytes: the same cut gives the same bytes on every node.
/// </summary>
/// <remarks>Format: docs/formats/checkpoint.md. What a newcomer starts from instead of the whole history.</remarks>
public static class Checkpoint
{
    /// <summary>The version of the layout.</summary>
    public const byte FormatVersion = 1;

    private const uint Magic = 0x504B4343; // "CCKP" in the file's order

    /// <summary>Writes the state at a cut. The fold is not changed.</summary>
    /// <param name="fold">Holds at least the cut.</param>
    /// <param name="volume">Whose state.</param>
    /// <param name="cut">
    /// Every log with the end of its part: whole blocks that every member is known to have. Any order.
    /// </param>
    /// <param name="output">Receives the bytes; the last 32 are the hash of all before.</param>
    /// <returns>The hash that names the checkpoint.</returns>
    public static Result<Bytes32, CheckpointError> Write(
        OrderedFold fold, VolumeId volume, IReadOnlyList<KeyValuePair<LogId, ChainTip>> cut, IBufferWriter<byte> output)
    {
        if (!StateAt(fold, cut).TryGet(out ITreeTable? state, out CheckpointError error))
        {
            return error;
        }

        var hashed = new HashingWriter(output);
        var writer = new WireWriter(hashed);
        writer.UInt32(Magic);
        writer.Byte(FormatVersion);
        writer.Bytes16(volume.Value);
        writer.Count(cut.Count);
        foreach ((LogId log, ChainTip tip) in cut.OrderBy(static log => log.Key))
        {
            writer.Bytes32(log.Author.Value);
            writer.VarUInt(log.Incarnation);
            writer.VarUInt(tip.BlockSeq);
            writer.Bytes32(tip.Hash.Value);
            writer.VarUInt(tip.TransactionSeq);
            writer.VarUInt(fold.Logs.DepthOf(new TransactionId(log, tip.TransactionSeq)));
        }

        TableCursor cursor = state.Scan([], [FoldKeys.Reserved]);
        while (cursor.MoveNext())
        {
            writer.Boolean(true);
            writer.LengthPrefixed(cursor.Key);
            writer.LengthPrefixed(cursor.Value);
        }

        writer.Boolean(false);
        Bytes32 hash = hashed.Finish();
        new WireWriter(output).Bytes32(hash);
        return hash;
    }

    /// <summary>
    /// Fills an empty table from a checkpoint; an <see cref="OrderedFold"/> over it continues at the cut.
    /// </summary>
    /// <returns>The ends of the logs, for the log exchange.</returns>
    public static Result<IReadOnlyList<KeyValuePair<LogId, ChainTip>>, CheckpointError> Read(
        ReadOnlySpan<byte> bytes, VolumeId volume, ITreeTable table)
    {
        var reader = new WireReader(bytes);
        reader.Require(reader.UInt32() == Magic);
        byte version = reader.Byte();
        if (!reader.Failed && version > FormatVersion)
        {
            return CheckpointError.NewerFormat;
        }

        reader.Require(version == FormatVersion && bytes.Length > SHA256.HashSizeInBytes);
        if (reader.Failed || !IsWhole(bytes))
        {
            return CheckpointError.Malformed;
        }

        reader = new WireReader(bytes[5..^SHA256.HashSizeInBytes]);
        if (new VolumeId(reader.Bytes16()) != volume)
        {
            return CheckpointError.WrongVolume;
        }

        var tips = new List<KeyValuePair<LogId, ChainTip>>();
        FoldLogs logs = ReadLogs(ref reader, tips);
        ReadTable(ref reader, table);
        if (!reader.Complete)
        {
            return CheckpointError.Malformed;
        }

        logs.Save(table);
        FoldTail.Start(table, logs.Greatest());
        return tips;
    }

    private static bool IsWhole(ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes[..^SHA256.HashSizeInBytes], hash);
        return hash.SequenceEqual(bytes[^SHA256.HashSizeInBytes..]);
    }

    private static FoldLogs ReadLogs(ref WireReader reader, List<KeyValuePair<LogId, ChainTip>> tips)
    {
        var logs = new FoldLogs();
        int count = reader.Count(NodeId.Size + BlockHash.Size + 4);
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            var author = new NodeId(reader.Bytes32());
            ulong incarnation = reader.VarUInt();
            ulong blockSeq = reader.VarUInt();
            var hash = new BlockHash(reader.Bytes32());
            ulong seq = reader.VarUInt();
            ulong depth = reader.VarUInt();
            var log = new LogId(author, (uint)incarnation);
            reader.Require(incarnation is > 0 and <= uint.MaxValue && seq > 0 && depth >= seq && blockSeq > 0
                && (tips.Count == 0 || tips[^1].Key < log));
            if (!reader.Failed)
            {
                tips.Add(new(log, new ChainTip(blockSeq, hash, seq)));
                logs.StartAt(new TransactionId(log, seq), depth);
            }
        }

        return logs;
    }

    private static void ReadTable(ref WireReader reader, ITreeTable table)
    {
        byte[] last = [];
        while (reader.Boolean())
        {
            byte[] key = reader.LengthPrefixed(1024).ToArray();
            byte[] value = reader.LengthPrefixed().ToArray();
            reader.Require(key.AsSpan().SequenceCompareTo(last) > 0 && key[0] < FoldKeys.Reserved);
            if (reader.Failed)
            {
                return;
            }

            table.Put(key, value);
            last = key;
        }
    }

    /// <summary>The state with exactly the cut applied, as an overlay over the fold's table.</summary>
    private static Result<ITreeTable, CheckpointError> StateAt(
        OrderedFold fold, IReadOnlyList<KeyValuePair<LogId, ChainTip>> cut)
    {
        LogPositions positions = LogPositions.From(cut.Select(log => KeyValuePair.Create(log.Key, log.Value.Position)));
        if (!fold.Positions.Covers(positions))
        {
            return CheckpointError.CutNotHeld;
        }

        List<AppliedTransaction> tail = fold.TailFrom(default);
        if (!CoversWhatIsFixed(fold, tail, positions))
        {
            return CheckpointError.CutTooOld;
        }

        int end = tail.FindIndex(entry => !positions.Contains(entry.Transaction.Id));
        end = end < 0 ? tail.Count : end;
        if (tail.FindIndex(end, entry => positions.Contains(entry.Transaction.Id)) >= 0)
        {
            return CheckpointError.CutNotStable;
        }

        if (fold.IsHeldAcross(end == 0 ? fold.StableOrder : tail[end - 1].Order))
        {
            return CheckpointError.CutNotStable;
        }

        var scratch = new OverlayTable(fold.Table, cacheBytesMax: 0, learnKeysMax: 0);
        var state = new UndoRecorder(scratch) { Recording = false };
        for (int i = tail.Count - 1; i >= end; i--)
        {
            state.Undo(tail[i].Undo);
        }

        return state;
    }

    private static bool CoversWhatIsFixed(OrderedFold fold, List<AppliedTransaction> tail, LogPositions cut)
    {
        var first = new Dictionary<LogId, ulong>();
        foreach (AppliedTransaction entry in tail)
        {
            first.TryAdd(entry.Transaction.Id.Log, entry.Transaction.Id.Seq);
        }

        foreach ((LogId log, LogPosition held) in fold.Positions.Logs)
        {
            ulong last = first.TryGetValue(log, out ulong seq) ? seq - 1 : held.TransactionSeq;
            if (cut[log].TransactionSeq < last)
            {
                return false;
            }
        }

        return true;
    }
}
