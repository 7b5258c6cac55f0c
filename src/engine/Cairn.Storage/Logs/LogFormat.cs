using System.Buffers.Binary;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Storage.Checksums;

namespace Cairn.Storage.Logs;

/// <summary>The 32 bytes before a block in a log file.</summary>
/// <param name="Seq">The block's sequence.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="Checksum">Their CRC-32C.</param>
internal readonly record struct BlockHeader(ulong Seq, int Length, uint Checksum);

/// <summary>The byte layout of log files. Normative: docs/formats/logfile.md.</summary>
internal static class LogFormat
{
    /// <summary>The version of blocks, and of files that begin at the first block of their log.</summary>
    public const byte Version = 1;

    /// <summary>The version of files that begin later.</summary>
    public const byte VersionWithBeginning = 2;

    /// <summary>Blocks start at multiples of this.</summary>
    public const int Alignment = 32;

    /// <summary>Bytes of a file's header.</summary>
    public const int FileHeaderBytes = 128;

    /// <summary>Where a file that begins later has its header again, on a page that is written once.</summary>
    public const int CopyOffset = 4096;

    /// <summary>Where its blocks begin.</summary>
    public const int BlocksOffset = 8192;

    /// <summary>Bytes of a block's header.</summary>
    public const int BlockHeaderBytes = 32;

    /// <summary>The largest block: 1 MiB of operations, their envelope and room to spare.</summary>
    public const int BlockBytesMax = (1 << 20) + 4096;

    /// <summary>"CLF1", little-endian.</summary>
    public const uint FileMagic = 0x31464C43;

    /// <summary>"CLB1", little-endian.</summary>
    public const uint BlockMagic = 0x31424C43;

    /// <summary>A block's place on disk.</summary>
    public static int PlaceBytes(int length) => (BlockHeaderBytes + length + Alignment - 1) & -Alignment;

    /// <summary>Where the blocks of a file begin.</summary>
    public static int StartOf(in LogBeginning beginning) => beginning.IsFirst ? FileHeaderBytes : BlocksOffset;

    /// <summary>Writes a file's header: whose log it is, how far it had been synced, and where it begins.</summary>
    public static void WriteFile(
        Span<byte> target, VolumeId volume, LogId log, long durableBytes, in LogBeginning beginning = default)
    {
        target = target[..FileHeaderBytes];
        target.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(target, FileMagic);
        target[4] = beginning.IsFirst ? Version : VersionWithBeginning;
        BinaryPrimitives.WriteInt64LittleEndian(target[8..], durableBytes);
        volume.Value.CopyTo(target[16..]);
        log.Author.Value.CopyTo(target[32..]);
        BinaryPrimitives.WriteUInt32LittleEndian(target[64..], log.Incarnation);
        beginning.Hash.Value.CopyTo(target[68..]);
        BinaryPrimitives.WriteUInt64LittleEndian(target[100..], beginning.BlockSeq);
        BinaryPrimitives.WriteUInt64LittleEndian(target[108..], beginning.TransactionSeq);
        BinaryPrimitives.WriteUInt64LittleEndian(target[116..], beginning.Depth);
        BinaryPrimitives.WriteUInt32LittleEndian(target[124..], Crc32C.Compute(target[..124]));
    }

    /// <summary>Reads a file's header; false if it is damaged or another log's.</summary>
    public static bool TryReadFile(
        ReadOnlySpan<byte> source, VolumeId volume, LogId log, out long durableBytes, out LogBeginning beginning)
    {
        (durableBytes, beginning) = (0, default);
        if (source.Length < FileHeaderBytes)
        {
            return false;
        }

        durableBytes = BinaryPrimitives.ReadInt64LittleEndian(source[8..]);
        if (source[4] == VersionWithBeginning)
        {
            beginning = new LogBeginning(
                BinaryPrimitives.ReadUInt64LittleEndian(source[100..]), new BlockHash(source.Slice(68, BlockHash.Size)),
                BinaryPrimitives.ReadUInt64LittleEndian(source[108..]),
                BinaryPrimitives.ReadUInt64LittleEndian(source[116..]));
        }

        Span<byte> expected = stackalloc byte[FileHeaderBytes];
        WriteFile(expected, volume, log, durableBytes, beginning);
        return beginning.IsPossible && source[..FileHeaderBytes].SequenceEqual(expected);
    }

    /// <summary>Writes a block's header.</summary>
    public static void Write(Span<byte> target, in BlockHeader header)
    {
        target = target[..BlockHeaderBytes];
        target.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(target, BlockMagic);
        target[4] = Version;
        BinaryPrimitives.WriteUInt64LittleEndian(target[8..], header.Seq);
        BinaryPrimitives.WriteUInt32LittleEndian(target[16..], (uint)header.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(target[20..], header.Checksum);
        BinaryPrimitives.WriteUInt32LittleEndian(target[28..], Crc32C.Compute(target[..28]));
    }

    /// <summary>Reads a block's header; false if these bytes are none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out BlockHeader header)
    {
        header = default;
        if (source.Length < BlockHeaderBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(source) != BlockMagic
            || source[4] != Version
            || BinaryPrimitives.ReadUInt32LittleEndian(source[28..]) != Crc32C.Compute(source[..28]))
        {
            return false;
        }

        header = new BlockHeader(
            BinaryPrimitives.ReadUInt64LittleEndian(source[8..]),
            (int)BinaryPrimitives.ReadUInt32LittleEndian(source[16..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[20..]));
        return (uint)header.Length <= BlockBytesMax && header.Seq > 0;
    }
}
