using System.Buffers;
using System.Buffers.Binary;
using Cairn.Core.Primitives;
using Cairn.Storage.Checksums;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Journaling;

/// <summary>Reads the frames of one segment file through a window, trusting nothing it reads.</summary>
/// <remarks>What the disk cannot read counts as broken, so that one bad sector costs one frame.</remarks>
internal sealed class FrameScanner : IDisposable
{
    private const int WindowBytesMax = 4 << 20;

    private readonly IDiskFile _file;
    private readonly int _fileBytes;
    private readonly byte[] _window;
    private int _windowStart;
    private int _windowLength;

    private FrameScanner(IDiskFile file, int fileBytes)
    {
        _file = file;
        _fileBytes = fileBytes;
        _window = ArrayPool<byte>.Shared.Rent(Math.Min(WindowBytesMax, Math.Max(fileBytes, JournalFormat.HeaderBytes)));
    }

    /// <summary>Bytes of the file that can hold frames.</summary>
    public int FileBytes => _fileBytes;

    /// <summary>Opens a scanner over a slot's file.</summary>
    public static Result<FrameScanner, DiskError> Open(IDiskFile file)
    {
        if (!file.Length().TryGet(out long length, out DiskError error))
        {
            return error;
        }

        return new FrameScanner(file, (int)Math.Min(length, 64 << 20));
    }

    /// <inheritdoc/>
    public void Dispose() => ArrayPool<byte>.Shared.Return(_window);

    /// <summary>The header at an offset, if a valid one of this segment is there (any segment when 0).</summary>
    public bool TryHeader(int offset, ulong segment, out FrameHeader header)
    {
        header = default;
        return TryLoad(offset, JournalFormat.HeaderBytes, out ReadOnlySpan<byte> bytes)
            && JournalFormat.TryRead(bytes, out header)
            && (segment == 0 || header.Segment == segment);
    }

    /// <summary>The head and payload behind a valid header, if they match its checksum.</summary>
    public bool TryBody(
        int offset, in FrameHeader header, out ReadOnlySpan<byte> head, out ReadOnlySpan<byte> payload)
    {
        head = default;
        payload = default;
        int length = header.HeadLength + header.PayloadLength;
        if (!TryLoad(offset + JournalFormat.HeaderBytes, length, out ReadOnlySpan<byte> body)
            || Crc32C.Compute(body) != header.Checksum)
        {
            return false;
        }

        head = body[..header.HeadLength];
        payload = body[header.HeadLength..];
        return true;
    }

    /// <summary>The next offset from here on with a valid header of the segment and at least this sequence; -1 if none.</summary>
    public int FindNext(int from, ulong segment, ulong seqMin)
    {
        for (int offset = from; offset + JournalFormat.HeaderBytes <= _fileBytes; offset += JournalFormat.Alignment)
        {
            if (TryLoad(offset, JournalFormat.HeaderBytes, out ReadOnlySpan<byte> bytes)
                && BinaryPrimitives.ReadUInt32LittleEndian(bytes) == JournalFormat.Magic
                && JournalFormat.TryRead(bytes, out FrameHeader header)
                && (segment == 0 || header.Segment == segment) && header.Seq >= seqMin)
            {
                return offset;
            }
        }

        return -1;
    }

    private bool TryLoad(int offset, int length, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if (length > _window.Length || offset + (long)length > _fileBytes)
        {
            return false;
        }

        if (offset < _windowStart || offset + length > _windowStart + _windowLength)
        {
            int wanted = Math.Min(_window.Length, _fileBytes - offset);
            bool isRead = _file.Read(offset, _window.AsSpan(0, wanted)).IsOk;
            if (!isRead)
            {
                wanted = length;
                isRead = _file.Read(offset, _window.AsSpan(0, wanted)).IsOk;
            }

            _windowStart = offset;
            _windowLength = isRead ? wanted : 0;
            if (!isRead)
            {
                return false;
            }
        }

        bytes = _window.AsSpan(offset - _windowStart, length);
        return true;
    }
}
