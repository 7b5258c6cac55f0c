using System.Buffers.Binary;
using Cairn.Core.Primitives;
using Cairn.Storage.Checksums;

namespace Cairn.Storage.Packs;

/// <summary>The first 64 bytes of a pack file.</summary>
/// <param name="Number">Never used twice in a home; records of an earlier life of the file carry another.</param>
/// <param name="FileBytes">Length the file was made with.</param>
/// <param name="ChangedSince">The index snapshot that no longer tells the truth about this pack, or a later one; 0 at first.</param>
/// <param name="DurableBytes">Everything before this offset had been synced when the header was written.</param>
internal readonly record struct PackHeader(uint Number, uint FileBytes, ulong ChangedSince, uint DurableBytes);

/// <summary>The 64 bytes before a record's stored bytes.</summary>
/// <param name="Pack">The number of the pack it was written to.</param>
/// <param name="Key">Which record.</param>
/// <param name="Length">Bytes stored behind the header.</param>
/// <param name="Checksum">CRC-32C of the stored bytes.</param>
/// <param name="Use">A <see cref="ChunkUse"/>, or 0 for a dead record.</param>
internal readonly record struct PackRecord(uint Pack, RecordKey Key, int Length, uint Checksum, byte Use);

/// <summary>The byte layout of pack files. Normative: docs/formats/pack.md.</summary>
internal static class PackFormat
{
    /// <summary>The version of pack headers and records.</summary>
    public const byte Version = 1;

    /// <summary>Records start at multiples of this.</summary>
    public const int Alignment = 64;

    /// <summary>Bytes of a pack's header and of a record's.</summary>
    public const int HeaderBytes = 64;

    /// <summary>"CPK1", little-endian.</summary>
    public const uint PackMagic = 0x314B5043;

    /// <summary>"CPR1", little-endian.</summary>
    public const uint RecordMagic = 0x31525043;

    /// <summary>Where in a record's header its use is, followed by the use's complement; not under the header's checksum.</summary>
    public const int UseOffset = 22;

    /// <summary>The use of a dead record.</summary>
    public const byte Dead = 0;

    private const int ChecksumOffset = 28;

    /// <summary>A record's place on disk.</summary>
    public static int RecordBytes(int length) => (HeaderBytes + length + Alignment - 1) & -Alignment;

    /// <summary>Writes a pack's header.</summary>
    public static void Write(Span<byte> target, in PackHeader header)
    {
        target = target[..HeaderBytes];
        target.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(target, PackMagic);
        target[4] = Version;
        BinaryPrimitives.WriteUInt32LittleEndian(target[8..], header.Number);
        BinaryPrimitives.WriteUInt32LittleEndian(target[12..], header.FileBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(target[16..], header.ChangedSince);
        BinaryPrimitives.WriteUInt32LittleEndian(target[24..], header.DurableBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(target[60..], Crc32C.Compute(target[..60]));
    }

    /// <summary>Reads a pack's header; false if these bytes are none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out PackHeader header)
    {
        header = default;
        if (source.Length < HeaderBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(source) != PackMagic
            || source[4] != Version
            || BinaryPrimitives.ReadUInt32LittleEndian(source[60..]) != Crc32C.Compute(source[..60]))
        {
            return false;
        }

        header = new PackHeader(
            BinaryPrimitives.ReadUInt32LittleEndian(source[8..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[12..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[16..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[24..]));
        return true;
    }

    /// <summary>Writes a record's header.</summary>
    public static void Write(Span<byte> target, in PackRecord record)
    {
        target = target[..HeaderBytes];
        target.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(target, RecordMagic);
        target[4] = Version;
        target[5] = (byte)record.Key.Kind;
        target[6] = record.Key.Index;
        BinaryPrimitives.WriteUInt32LittleEndian(target[8..], (uint)record.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(target[12..], record.Checksum);
        BinaryPrimitives.WriteUInt32LittleEndian(target[16..], record.Pack);
        BinaryPrimitives.WriteUInt16LittleEndian(target[20..], record.Key.Partition.Value);
        record.Key.Address.Value.CopyTo(target[32..]);
        BinaryPrimitives.WriteUInt32LittleEndian(target[ChecksumOffset..], Crc32C.Compute(target));
        WriteUse(target[UseOffset..], record.Use);
    }

    /// <summary>Writes a use and its complement: the two bytes that change while a record lives.</summary>
    public static void WriteUse(Span<byte> target, byte use)
    {
        target[0] = use;
        target[1] = (byte)~use;
    }

    /// <summary>Reads a record's header; false if these bytes are none.</summary>
    /// <remarks>A use that makes no sense is taken for staged: the safe side.</remarks>
    public static bool TryRead(ReadOnlySpan<byte> source, out PackRecord record)
    {
        record = default;
        if (source.Length < HeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(source) != RecordMagic)
        {
            return false;
        }

        Span<byte> copy = stackalloc byte[HeaderBytes];
        source[..HeaderBytes].CopyTo(copy);
        copy.Slice(UseOffset, 2).Clear();
        copy.Slice(ChecksumOffset, 4).Clear();
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(source[8..]);
        ushort partition = BinaryPrimitives.ReadUInt16LittleEndian(source[20..]);
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[ChecksumOffset..]) != Crc32C.Compute(copy)
            || source[4] != Version || length > ChunkStoreOptions.RecordBytesMax || partition >= PartitionId.Count
            || source[5] > (byte)RecordKind.Private)
        {
            return false;
        }

        RecordKey key = new(
            new PartitionId(partition), new ChunkAddress(source.Slice(32, 32)), (RecordKind)source[5], source[6]);
        record = new PackRecord(
            BinaryPrimitives.ReadUInt32LittleEndian(source[16..]),
            key,
            (int)length,
            BinaryPrimitives.ReadUInt32LittleEndian(source[12..]),
            ReadUse(source[UseOffset], source[UseOffset + 1]));
        return true;
    }

    private static byte ReadUse(byte use, byte complement) =>
        use == (byte)~complement && use <= (byte)ChunkUse.Staged ? use : (byte)ChunkUse.Staged;
}
