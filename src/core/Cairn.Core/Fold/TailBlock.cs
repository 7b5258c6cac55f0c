using System.Buffers;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Fold;

/// <summary>A run of the tail in one record of the table: what is written together mostly goes together.</summary>
/// <remarks>
/// The key is the place of its first transaction. The record: the place of the last, the last transaction of each log in
/// it, their number, then each with its depth and pre-images. It is never changed: what is left of a block of which a part
/// was undone is written as another. Those at or below the tail's cut are passed over.
/// </remarks>
internal sealed class TailBlock
{
    /// <summary>A block is closed once its record is so long.</summary>
    private const int BytesMin = 32 << 10;

    private const byte Tag = (byte)'B';
    private const int KeySize = 2 + TransactionOrder.KeySize;

    private readonly byte[] _key;
    private readonly Header _header;
    private List<AppliedTransaction>? _entries;

    private TailBlock(byte[] key, int length, Header header)
    {
        _key = key;
        _header = header;
        IsFull = length >= BytesMin;
        Count = header.Count;
    }

    private readonly record struct Header(TransactionOrder Last, List<TransactionId> Reach, int Count);

    /// <summary>The place of its last transaction.</summary>
    internal TransactionOrder Last => _header.Last;

    /// <summary>Whether it should be joined with no other.</summary>
    internal bool IsFull { get; }

    /// <summary>How many transactions behind the cut it has.</summary>
    internal int Count { get; private set; }

    /// <summary>How many transactions it holds in memory.</summary>
    internal int LoadedCount => _entries?.Count ?? 0;

    /// <summary>Whether all of it is within some positions.</summary>
    internal bool IsWithin(LogPositions positions) =>
        _header.Reach.TrueForAll(positions.Contains);

    /// <summary>Its transactions behind the cut, in order. Read from the table unless they are in memory.</summary>
    internal IReadOnlyList<AppliedTransaction> Entries(ITableSource table, TransactionOrder cut) =>
        _entries ??= Decode(table.Get(_key) ?? throw Damaged(), cut);

    /// <summary>They are read from the table when they are needed again.</summary>
    internal void Unload() => _entries = null;

    /// <summary>Passes over those up to a place. Reads them if there are any.</summary>
    internal void CutAt(ITableSource table, TransactionOrder cut)
    {
        if (TransactionOrder.From(_key.AsSpan(2)) <= cut)
        {
            _entries = [.. Entries(table, cut).SkipWhile(entry => entry.Order <= cut)];
            Count = _entries.Count;
        }
    }

    /// <summary>Takes its record out of the table.</summary>
    internal void Remove(ITreeTable table) => table.Drop(_key);

    /// <summary>All blocks of a table, in order, without their transactions.</summary>
    internal static List<TailBlock> Load(ITableSource table)
    {
        var blocks = new List<TailBlock>();
        TableCursor cursor = table.Scan([FoldKeys.Reserved, Tag], [FoldKeys.Reserved, Tag + 1]);
        while (cursor.MoveNext())
        {
            var reader = new WireReader(cursor.Value);
            Header header = DecodeHeader(ref reader);
            Invariant.That(!reader.Failed, Damaged().Message);
            blocks.Add(new TailBlock(cursor.Key, cursor.Value.Length, header));
        }

        return blocks;
    }

    /// <summary>Writes transactions into the table, as few blocks.</summary>
    internal static List<TailBlock> Write(ITreeTable table, List<AppliedTransaction> entries)
    {
        var blocks = new List<TailBlock>();
        var bytes = new ArrayBufferWriter<byte>(2 * BytesMin);
        var inner = new ArrayBufferWriter<byte>(1024);
        for (int from = 0, at = 0; at < entries.Count; at++)
        {
            Encode(entries[at], bytes, inner);
            if (bytes.WrittenCount >= BytesMin || at == entries.Count - 1)
            {
                blocks.Add(Write(table, entries.GetRange(from, at + 1 - from), bytes.WrittenSpan));
                from = at + 1;
                bytes.ResetWrittenCount();
            }
        }

        return blocks;
    }

    private static TailBlock Write(ITreeTable table, List<AppliedTransaction> entries, ReadOnlySpan<byte> encoded)
    {
        byte[] key = new byte[KeySize];
        (key[0], key[1]) = (FoldKeys.Reserved, Tag);
        entries[0].Order.CopyTo(key.AsSpan(2));
        var reach = new SortedDictionary<LogId, TransactionId>();
        foreach (AppliedTransaction entry in entries)
        {
            reach[entry.Order.Id.Log] = entry.Order.Id;
        }

        var header = new Header(entries[^1].Order, [.. reach.Values], entries.Count);
        var output = new ArrayBufferWriter<byte>((reach.Count + 1) * TransactionOrder.KeySize);
        EncodeHeader(new WireWriter(output), header);
        byte[] record = [.. output.WrittenSpan, .. encoded];
        table.Set(key, record);
        return new TailBlock(key, record.Length, header) { _entries = entries };
    }

    private static void EncodeHeader(WireWriter writer, Header header)
    {
        writer.VarUInt(header.Last.Depth);
        TransactionCodec.EncodeId(writer, header.Last.Id);
        writer.Count(header.Reach.Count);
        foreach (TransactionId id in header.Reach)
        {
            TransactionCodec.EncodeId(writer, id);
        }

        writer.Count(header.Count);
    }

    private static Header DecodeHeader(ref WireReader reader)
    {
        ulong depth = reader.VarUInt();
        var last = new TransactionOrder(depth, TransactionCodec.DecodeId(ref reader));
        var reach = new List<TransactionId>();
        for (int left = reader.Count(NodeId.Size); left > 0; left--)
        {
            reach.Add(TransactionCodec.DecodeId(ref reader));
        }

        return new Header(last, reach, reader.Count(NodeId.Size));
    }

    private static void Encode(AppliedTransaction entry, ArrayBufferWriter<byte> output, ArrayBufferWriter<byte> inner)
    {
        inner.ResetWrittenCount();
        TransactionCodec.Encode(entry.Transaction, inner);
        var writer = new WireWriter(output);
        writer.VarUInt(entry.Order.Depth);
        writer.LengthPrefixed(inner.WrittenSpan);
        writer.Count(entry.Undo.Length);
        foreach (PreImage image in entry.Undo.Span)
        {
            writer.LengthPrefixed(image.Key.Span);
            writer.Boolean(!image.Before.IsAbsent);
            if (!image.Before.IsAbsent)
            {
                writer.LengthPrefixed(image.Before.Span);
            }
        }
    }

    private static List<AppliedTransaction> Decode(byte[] record, TransactionOrder cut)
    {
        var reader = new WireReader(record);
        int count = DecodeHeader(ref reader).Count;
        var entries = new List<AppliedTransaction>(count);
        for (int i = 0; i < count; i++)
        {
            ulong depth = reader.VarUInt();
            AppliedTransaction entry = DecodeEntry(ref reader, depth);
            if (entry.Order > cut)
            {
                entries.Add(entry);
            }
        }

        return reader.Complete ? entries : throw Damaged();
    }

    /// <summary>A transaction and its pre-images.</summary>
    internal static AppliedTransaction DecodeEntry(ref WireReader reader, ulong depth)
    {
        if (!TransactionCodec.Decode(reader.LengthPrefixed()).TryGet(out Transaction? transaction, out _))
        {
            throw Damaged();
        }

        var images = new PreImage[reader.Count(2)];
        for (int i = 0; i < images.Length; i++)
        {
            images[i] = new PreImage(
                TableBytes.Of(reader.LengthPrefixed().ToArray()),
                reader.Boolean() ? TableBytes.Of(reader.LengthPrefixed().ToArray()) : default);
        }

        return new AppliedTransaction(transaction, new TransactionOrder(depth, transaction.Id)) { Undo = images };
    }

    internal static InvariantException Damaged() => new("a fold's tail record is damaged: rebuild the index");
}
