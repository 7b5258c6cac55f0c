using System.Buffers.Binary;
using Cairn.Storage.Checksums;

namespace Cairn.Storage.Journaling;

/// <summary>What a frame is to the journal itself; record kinds are those of <see cref="JournalKind"/>.</summary>
internal enum FrameKind : byte
{
    /// <summary>The first frame of a segment; its sequence is that of the next frame.</summary>
    Segment = 0xF0,

    /// <summary>The last frame of a segment.</summary>
    Seal = 0xF1,

    /// <summary>A mark of how far the disk has synced, so that damage to the tail can be told from a lost tail.</summary>
    Mark = 0xF2,

    /// <summary>A place whose write failed and was never acknowledged.</summary>
    Void = 0xF3,

    /// <summary>The last frame of a journal that was closed in order.</summary>
    Closed = 0xF4,
}

/// <summary>The 64 bytes before every frame. Normative: docs/formats/journal.md.</summary>
internal readonly record struct FrameHeader(
    byte Kind, int HeadLength, int PayloadLength, uint Checksum, ulong Segment, ulong Seq, ulong DurableThrough)
{
    /// <summary>Whether the frame carries a consumer's record.</summary>
    public bool IsRecord => Kind is > 0 and < (byte)FrameKind.Segment;

    /// <summary>Header, head and payload, with padding to the next frame.</summary>
    public int FrameBytes => JournalFormat.FrameBytes(HeadLength, PayloadLength);

    /// <summary>Whether the frame is of this kind.</summary>
    public bool Is(FrameKind kind) => Kind == (byte)kind;
}

/// <summary>The byte layout of the journal. Normative: docs/formats/journal.md.</summary>
internal static class JournalFormat
{
    /// <summary>The version of the frame layout.</summary>
    public const byte Version = 1;

    /// <summary>Frames start at multiples of this.</summary>
    public const int Alignment = 64;

    /// <summary>Bytes of a frame header.</summary>
    public const int HeaderBytes = 64;

    /// <summary>The longest head of a record.</summary>
    public const int HeadBytesMax = 1024;

    /// <summary>The longest payload of a record.</summary>
    public const int PayloadBytesMax = 2 << 20;

    /// <summary>"CJF1", little-endian.</summary>
    public const uint Magic = 0x31464A43;

    /// <summary>A frame's place on disk for a head and payload of these lengths.</summary>
    public static int FrameBytes(int headLength, int payloadLength) =>
        (HeaderBytes + headLength + payloadLength + Alignment - 1) & -Alignment;

    /// <summary>Writes a header.</summary>
    public static void Write(Span<byte> target, in FrameHeader header)
    {
        target = target[..HeaderBytes];
        target.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(target, Magic);
        target[4] = Version;
        target[5] = header.Kind;
        BinaryPrimitives.WriteUInt16LittleEndian(target[6..], (ushort)header.HeadLength);
        BinaryPrimitives.WriteUInt32LittleEndian(target[8..], (uint)header.PayloadLength);
        BinaryPrimitives.WriteUInt32LittleEndian(target[12..], header.Checksum);
        BinaryPrimitives.WriteUInt64LittleEndian(target[16..], header.Segment);
        BinaryPrimitives.WriteUInt64LittleEndian(target[24..], header.Seq);
        BinaryPrimitives.WriteUInt64LittleEndian(target[32..], header.DurableThrough);
        BinaryPrimitives.WriteUInt32LittleEndian(target[60..], Crc32C.Compute(target[..60]));
    }

    /// <summary>Reads a header; false if these bytes are none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out FrameHeader header)
    {
        header = default;
        if (source.Length < HeaderBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(source) != Magic
            || BinaryPrimitives.ReadUInt32LittleEndian(source[60..]) != Crc32C.Compute(source[..60])
            || source[4] != Version)
        {
            return false;
        }

        header = new FrameHeader(
            source[5],
            BinaryPrimitives.ReadUInt16LittleEndian(source[6..]),
            (int)BinaryPrimitives.ReadUInt32LittleEndian(source[8..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[12..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[16..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[24..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[32..]));
        return header.HeadLength <= HeadBytesMax && (uint)header.PayloadLength <= PayloadBytesMax;
    }
}
