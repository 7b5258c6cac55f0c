using System.Buffers.Binary;
using Cairn.Storage.Checksums;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Logs;

/// <summary>Reads blocks of a file through a window, trusting nothing.</summary>
internal sealed class LogWindow(IDiskFile file, long fileBytes, byte[] window)
{
    private long _start;
    private int _length;

    public bool TryBlock(long offset, out BlockHeader header) =>
        TryLoad(offset, LogFormat.BlockHeaderBytes, out ReadOnlySpan<byte> bytes)
        & LogFormat.TryRead(bytes, out header)
        && TryLoad(offset + LogFormat.BlockHeaderBytes, header.Length, out bytes)
        && Crc32C.Compute(bytes) == header.Checksum;

    public long FindNext(long from)
    {
        for (long offset = from; offset + LogFormat.BlockHeaderBytes <= fileBytes; offset += LogFormat.Alignment)
        {
            if (TryLoad(offset, LogFormat.BlockHeaderBytes, out ReadOnlySpan<byte> bytes)
                && BinaryPrimitives.ReadUInt32LittleEndian(bytes) == LogFormat.BlockMagic
                && TryBlock(offset, out _))
            {
                return offset;
            }
        }

        return -1;
    }

    private bool TryLoad(long offset, int length, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if (offset + length > fileBytes)
        {
            return false;
        }

        if (offset < _start || offset + length > _start + _length)
        {
            int wanted = (int)Math.Min(window.Length, fileBytes - offset);
            bool isRead = file.Read(offset, window.AsSpan(0, wanted)).IsOk;
            if (!isRead)
            {
                wanted = length;
                isRead = file.Read(offset, window.AsSpan(0, wanted)).IsOk;
            }

            _start = offset;
            _length = isRead ? wanted : 0;
            if (!isRead)
            {
                return false;
            }
        }

        bytes = window.AsSpan((int)(offset - _start), length);
        return true;
    }
}
