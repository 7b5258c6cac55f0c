using System.Buffers.Binary;
using Cairn.Core.Primitives;

namespace Cairn.Node.Logs;

/// <summary>What a volume's record in the journal is. The numbers are on disk: docs/formats/volume-journal.md.</summary>
public enum JournalEntryType : byte
{
    /// <summary>A transaction of this node that is in no block yet.</summary>
    Transaction = 1,

    /// <summary>A draft layer begins.</summary>
    LayerBegun = 2,

    /// <summary>Bytes written into a layer.</summary>
    Extent = 3,

    /// <summary>The file of a layer was cut or extended; the offset is the new size.</summary>
    Resized = 4,

    /// <summary>A range of a layer became a hole.</summary>
    Hole = 5,

    /// <summary>The modification time of a layer was set by hand.</summary>
    TimeSet = 6,

    /// <summary>A chunk is about to be stored that no version names yet; its address is the payload.</summary>
    ChunkStored = 7,
}

/// <summary>The head of a volume's record in the journal: what the record is, in the clear, bound to its sealed payload.</summary>
/// <remarks>
/// Format: docs/formats/volume-journal.md. The first <see cref="BoundSize"/> bytes are the payload's associated data.
/// Ids and lengths are in the clear; names and content are not.
/// </remarks>
public readonly record struct JournalEntry
{
    /// <summary>The version of the layout.</summary>
    public const byte FormatVersion = 1;

    /// <summary>Bytes of a head.</summary>
    public const int Size = BoundSize + Bytes16.Size + 8;

    /// <summary>The part that is bound to the payload.</summary>
    public const int BoundSize = 2 + VolumeId.Size + VersionId.Size + 8 + 8 + 8;

    /// <summary>Whose record.</summary>
    public VolumeId Volume { get; init; }

    /// <summary>What it is.</summary>
    public JournalEntryType Type { get; init; }

    /// <summary>The layer it belongs to (the version the layer will become); of a transaction, the layer it ends, or zeros.</summary>
    public VersionId Layer { get; init; }

    /// <summary>File offset; of a transaction, its incarnation.</summary>
    public long Offset { get; init; }

    /// <summary>Plain length of an extent, length of a hole; of a transaction, its seq.</summary>
    public long Length { get; init; }

    /// <summary>When, as claimed.</summary>
    public WallTime Time { get; init; }

    /// <summary>Which run of the daemon sealed the payload.</summary>
    public Bytes16 Run { get; init; }

    /// <summary>The payload's first nonce in that run.</summary>
    public ulong Nonce { get; init; }

    /// <summary>Writes the bound part.</summary>
    public void WriteBound(Span<byte> head)
    {
        head[0] = FormatVersion;
        head[1] = (byte)Type;
        Volume.Value.CopyTo(head[2..]);
        Layer.Value.CopyTo(head[18..]);
        BinaryPrimitives.WriteInt64LittleEndian(head[34..], Offset);
        BinaryPrimitives.WriteInt64LittleEndian(head[42..], Length);
        BinaryPrimitives.WriteInt64LittleEndian(head[50..], Time.UnixNanoseconds);
    }

    /// <summary>Writes the part that is known after sealing.</summary>
    public static void WriteSeal(Span<byte> head, Bytes16 run, ulong nonce)
    {
        run.CopyTo(head[BoundSize..]);
        BinaryPrimitives.WriteUInt64LittleEndian(head[(BoundSize + Bytes16.Size)..], nonce);
    }

    /// <summary>Reads a head; false if it is none of this format.</summary>
    public static bool TryRead(ReadOnlySpan<byte> head, out JournalEntry entry)
    {
        entry = default;
        if (head.Length != Size || head[0] != FormatVersion || head[1] is 0 or > (byte)JournalEntryType.ChunkStored)
        {
            return false;
        }

        entry = new JournalEntry
        {
            Type = (JournalEntryType)head[1],
            Volume = new VolumeId(head.Slice(2, VolumeId.Size)),
            Layer = new VersionId(head.Slice(18, VersionId.Size)),
            Offset = BinaryPrimitives.ReadInt64LittleEndian(head[34..]),
            Length = BinaryPrimitives.ReadInt64LittleEndian(head[42..]),
            Time = new WallTime(BinaryPrimitives.ReadInt64LittleEndian(head[50..])),
            Run = new Bytes16(head.Slice(BoundSize, Bytes16.Size)),
            Nonce = BinaryPrimitives.ReadUInt64LittleEndian(head[(BoundSize + Bytes16.Size)..]),
        };
        return entry.Offset >= 0 && entry.Length >= 0;
    }
}
