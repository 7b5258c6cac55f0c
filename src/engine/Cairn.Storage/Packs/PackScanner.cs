using System.Buffers;
using System.Buffers.Binary;
using Cairn.Core.Primitives;
using Cairn.Storage.Checksums;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Packs;

/// <summary>What a scan finds in a pack, in order.</summary>
internal interface IPackVisitor
{
    /// <summary>A record that can be used (or is dead, when its use says so).</summary>
    void Found(Pack pack, int offset, in PackRecord record);

    /// <summary>Bytes that were durable once and cannot be read back.</summary>
    void Damaged(Pack pack, int offset, int length, RecordKey? key, string detail);
}

/// <summary>Rebuilds what the index must know about a pack from the pack alone, trusting nothing it reads.</summary>
/// <remarks>
/// Records before the header's durable offset are taken by their own header (scrubbing checks their bytes); those after
/// it may be torn, so their checksum is verified and a bad one is marked dead. Puts write side by side, so a hole does
/// not end a pack: the scan goes on to the next header behind it.
/// </remarks>
internal sealed class PackScanner(IPackVisitor visitor) : IDisposable
{
    private const int WindowBytes = 64 << 10;

    private readonly byte[] _window = ArrayPool<byte>.Shared.Rent(WindowBytes);
    private int _windowStart;
    private int _windowLength;

    /// <inheritdoc/>
    public void Dispose() => ArrayPool<byte>.Shared.Return(_window);

    /// <summary>Reads the file's header into the pack; it stays free if there is none.</summary>
    public Result<Unit, DiskError> Identify(Pack pack)
    {
        if (!pack.File.Length().TryGet(out long length, out DiskError error))
        {
            return error;
        }

        pack.FileBytes = (int)Math.Min(length, int.MaxValue);
        _windowLength = 0;
        Span<byte> bytes = stackalloc byte[PackFormat.HeaderBytes];
        bool isRead = length >= bytes.Length && pack.File.Read(0, bytes).IsOk;
        if (isRead && PackFormat.TryRead(bytes, out PackHeader header))
        {
            pack.Number = header.Number;
            pack.ChangedSince = header.ChangedSince;
            pack.DurableBytes = (int)header.DurableBytes;
            if (header.FileBytes > length)
            {
                visitor.Damaged(pack, (int)length, (int)(header.FileBytes - length), null, "the file was cut short");
            }

            return Unit.Value;
        }

        if (isRead && !bytes.ContainsAnyExcept((byte)0))
        {
            return Unit.Value;
        }

        // The header cannot be read: the records behind it still carry the pack's number.
        int first = FindNext(pack, PackFormat.Alignment, 0);
        if (first >= 0 && TryHeader(pack, first, 0, out PackRecord record))
        {
            pack.Number = record.Pack;
            pack.ChangedSince = ulong.MaxValue;
            pack.DurableBytes = PackFormat.HeaderBytes;
            visitor.Damaged(pack, 0, first, null, "the pack's header is damaged; its records are used");
        }
        else if (length > 0)
        {
            visitor.Damaged(pack, 0, (int)length, null, "the file holds no record that can be read");
        }

        return Unit.Value;
    }

    /// <summary>Visits every record, and finds where the next one goes.</summary>
    public void Scan(Pack pack)
    {
        _windowLength = 0;
        int offset = PackFormat.HeaderBytes;
        while (offset < pack.FileBytes)
        {
            if (TryHeader(pack, offset, pack.Number, out PackRecord record))
            {
                int next = offset + PackFormat.RecordBytes(record.Length);
                Visit(pack, offset, record);
                offset = Math.Min(next, pack.FileBytes);
                continue;
            }

            int found = FindNext(pack, offset + PackFormat.Alignment, pack.Number);
            if (offset < pack.DurableBytes)
            {
                int end = found >= 0 ? found : Math.Min(pack.DurableBytes, pack.FileBytes);
                visitor.Damaged(pack, offset, end - offset, null, "a record's header is damaged");
            }

            if (found < 0)
            {
                break;
            }

            offset = found;
        }

        pack.End = Math.Max(offset, Math.Min(pack.DurableBytes, pack.FileBytes));
    }

    private void Visit(Pack pack, int offset, in PackRecord record)
    {
        bool isCut = offset + PackFormat.HeaderBytes + (long)record.Length > pack.FileBytes;
        if (offset < pack.DurableBytes)
        {
            if (isCut)
            {
                visitor.Damaged(pack, offset, pack.FileBytes - offset, record.Key, "the record was cut short");
                return;
            }

            visitor.Found(pack, offset, record);
            return;
        }

        if (!isCut && record.Use != PackFormat.Dead && Checksum(pack.File, offset, record.Length) == record.Checksum)
        {
            visitor.Found(pack, offset, record);
            return;
        }

        // It was being written when the machine went down: nobody was told that it is here.
        _ = pack.MarkDead(offset);
    }

    /// <summary>The checksum of a record's bytes as they are on the disk; null if it cannot be read.</summary>
    public static uint? Checksum(IDiskFile file, int offset, int length)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(Math.Max(length, 1));
        try
        {
            Span<byte> bytes = buffer.AsSpan(0, length);
            return file.Read(offset + PackFormat.HeaderBytes, bytes).IsOk ? Crc32C.Compute(bytes) : null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private bool TryHeader(Pack pack, int offset, uint number, out PackRecord record)
    {
        record = default;
        return TryLoad(pack, offset, out ReadOnlySpan<byte> bytes)
            && PackFormat.TryRead(bytes, out record)
            && (number == 0 || record.Pack == number);
    }

    private int FindNext(Pack pack, int from, uint number)
    {
        for (int offset = from; offset + PackFormat.HeaderBytes <= pack.FileBytes; offset += PackFormat.Alignment)
        {
            if (TryLoad(pack, offset, out ReadOnlySpan<byte> bytes)
                && BinaryPrimitives.ReadUInt32LittleEndian(bytes) == PackFormat.RecordMagic
                && TryHeader(pack, offset, number, out _))
            {
                return offset;
            }
        }

        return -1;
    }

    private bool TryLoad(Pack pack, int offset, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if (offset + PackFormat.HeaderBytes > pack.FileBytes)
        {
            return false;
        }

        if (_windowLength == 0 || offset < _windowStart
            || offset + PackFormat.HeaderBytes > _windowStart + _windowLength)
        {
            int wanted = Math.Min(WindowBytes, pack.FileBytes - offset);
            bool isRead = pack.File.Read(offset, _window.AsSpan(0, wanted)).IsOk;
            if (!isRead)
            {
                wanted = PackFormat.HeaderBytes;
                isRead = pack.File.Read(offset, _window.AsSpan(0, wanted)).IsOk;
            }

            _windowStart = offset;
            _windowLength = isRead ? wanted : 0;
            if (!isRead)
            {
                return false;
            }
        }

        bytes = _window.AsSpan(offset - _windowStart, PackFormat.HeaderBytes);
        return true;
    }
}
