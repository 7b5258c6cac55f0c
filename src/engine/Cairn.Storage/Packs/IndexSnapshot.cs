using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Cairn.Core.Primitives;
using Cairn.Storage.Checksums;
using Cairn.Storage.Home;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Packs;

/// <summary>The index written out, so that a start need not read every pack. Never the only place of anything.</summary>
/// <remarks>
/// A pack whose header says it changed since this snapshot is scanned, its records here are ignored. A damaged snapshot
/// is thrown away. Normative: docs/formats/indexsnapshot.md.
/// </remarks>
internal sealed class IndexSnapshot
{
    /// <summary>The version of the layout.</summary>
    public const byte Version = 1;

    private const uint Magic = 0x31584943; // "CIX1", little-endian.
    private const int HeaderBytes = 32;
    private const int PackBytes = 8;
    private const int RecordBytes = 48;

    private readonly byte[] _bytes;
    private readonly int _packs;
    private readonly int _records;

    private IndexSnapshot(byte[] bytes, int packs, int records)
    {
        _bytes = bytes;
        _packs = packs;
        _records = records;
    }

    /// <summary>Grows by one with every snapshot.</summary>
    public ulong Generation => BinaryPrimitives.ReadUInt64LittleEndian(_bytes.AsSpan(8));

    /// <summary>Whether no pack was left out because it was being written to.</summary>
    public bool IsWhole { get; private init; }

    /// <summary>Takes a picture of the index. Under the store's gate.</summary>
    /// <remarks>
    /// A pack that is being written to is left out, and so is scanned at the next start: the record on its way noted the
    /// change of the pack before this picture, and will not be in it. So is one that holds what was set aside.
    /// </remarks>
    public static IndexSnapshot Capture(RecordIndex index, PackFiles files, ulong generation)
    {
        int packs = files.Packs.Count(IsAtRest);
        int records = index.Table.Count;
        byte[] bytes = new byte[HeaderBytes + (packs * PackBytes) + (records * RecordBytes) + sizeof(uint)];
        Span<byte> target = bytes;
        BinaryPrimitives.WriteUInt32LittleEndian(target, Magic);
        target[4] = Version;
        BinaryPrimitives.WriteUInt64LittleEndian(target[8..], generation);
        BinaryPrimitives.WriteInt32LittleEndian(target[16..], packs);
        BinaryPrimitives.WriteInt32LittleEndian(target[20..], records);
        target = target[HeaderBytes..];
        foreach (Pack? pack in files.Packs)
        {
            if (IsAtRest(pack))
            {
                BinaryPrimitives.WriteUInt32LittleEndian(target, pack.Number);
                BinaryPrimitives.WriteInt32LittleEndian(target[4..], pack.End);
                target = target[PackBytes..];
            }
        }

        for (int i = 0; i < index.Table.IndexEnd; i++)
        {
            if (index.Table.IsUsed(i))
            {
                Write(target, index.Table[i], files.Packs[index.Table[i].Pack]!.Number);
                target = target[RecordBytes..];
            }
        }

        BinaryPrimitives.WriteUInt32LittleEndian(target, Crc32C.Compute(bytes.AsSpan(0, bytes.Length - sizeof(uint))));
        return new IndexSnapshot(bytes, packs, records)
        {
            IsWhole = files.Packs.All(pack => pack is null or { Writing: 0 }),
        };
    }

    /// <summary>Puts the picture in the place of the last one, whole or not at all.</summary>
    public Result<Unit, DiskError> Save(IDisk disk, string folder) => ReplacedFile.Write(disk, PathIn(folder), _bytes);

    /// <summary>Reads the last picture; null if there is none that can be trusted, with the reason if it is damaged.</summary>
    public static IndexSnapshot? Load(IDisk disk, string folder, out StoreFinding? damage)
    {
        damage = null;
        Result<IDiskFile, DiskError> opened = disk.Open(PathIn(folder), DiskOpenMode.Read);
        if (!opened.IsOk)
        {
            return null;
        }

        using IDiskFile file = opened.Value;
        long length = file.Length() is { IsOk: true } known ? known.Value : 0;
        byte[] bytes = new byte[Math.Clamp(length, 0, Array.MaxLength)];
        if (file.Read(0, bytes).IsOk && Parse(bytes) is { } snapshot)
        {
            return snapshot;
        }

        damage = new StoreFinding(
            new StoreError(
                StoreErrorKind.Corrupt, PathIn(folder), "the index is damaged; it is rebuilt from the packs"),
            length,
            null);
        return null;
    }

    /// <summary>The packs it speaks of, with the place of the next record.</summary>
    public IEnumerable<(uint Number, int End)> Packs()
    {
        for (int i = 0; i < _packs; i++)
        {
            int at = HeaderBytes + (i * PackBytes);
            yield return (
                BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan(at)),
                BinaryPrimitives.ReadInt32LittleEndian(_bytes.AsSpan(at + 4)));
        }
    }

    /// <summary>Hands the records of trusted packs to a visitor.</summary>
    public void Visit(IReadOnlyDictionary<uint, Pack> trusted, IPackVisitor visitor)
    {
        ReadOnlySpan<byte> source = _bytes.AsSpan(HeaderBytes + (_packs * PackBytes), _records * RecordBytes);
        for (; !source.IsEmpty; source = source[RecordBytes..])
        {
            uint number = BinaryPrimitives.ReadUInt32LittleEndian(source[32..]);
            ushort partition = BinaryPrimitives.ReadUInt16LittleEndian(source[44..]);
            if (trusted.TryGetValue(number, out Pack? pack) && partition < PartitionId.Count)
            {
                ChunkAddress address = new(source[..32]);
                RecordKey key = new(new PartitionId(partition), address, (RecordKind)(source[47] >> 4), source[46]);
                int length = BinaryPrimitives.ReadInt32LittleEndian(source[40..]);
                int offset = BinaryPrimitives.ReadInt32LittleEndian(source[36..]) * PackFormat.Alignment;
                visitor.Found(pack, offset, new PackRecord(number, key, length, 0, (byte)(source[47] & 0xF)));
            }
        }
    }

    private static bool IsAtRest([NotNullWhen(true)] Pack? pack) =>
        pack is { Number: not 0, Writing: 0, AsideBytes: 0 };

    private static string PathIn(string folder) => folder + "/index.snapshot";

    private static IndexSnapshot? Parse(byte[] bytes)
    {
        if (bytes.Length < HeaderBytes + sizeof(uint)
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic
            || bytes[4] != Version
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(bytes.Length - sizeof(uint)))
                != Crc32C.Compute(bytes.AsSpan(0, bytes.Length - sizeof(uint))))
        {
            return null;
        }

        int packs = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(16));
        int records = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(20));
        long expected = HeaderBytes + ((long)packs * PackBytes) + ((long)records * RecordBytes) + sizeof(uint);
        return packs >= 0 && records >= 0 && expected == bytes.Length ? new IndexSnapshot(bytes, packs, records) : null;
    }

    private static void Write(Span<byte> target, in RecordEntry entry, uint pack)
    {
        RecordKey key = entry.Key;
        key.Address.Value.CopyTo(target);
        BinaryPrimitives.WriteUInt32LittleEndian(target[32..], pack);
        BinaryPrimitives.WriteUInt32LittleEndian(target[36..], entry.OffsetUnits);
        BinaryPrimitives.WriteInt32LittleEndian(target[40..], entry.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(target[44..], key.Partition.Value);
        target[46] = key.Index;
        target[47] = (byte)(((int)key.Kind << 4) | (int)entry.Use);
    }
}
