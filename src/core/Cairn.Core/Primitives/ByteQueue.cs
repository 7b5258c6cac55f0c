using System.Buffers.Binary;

namespace Cairn.Core.Primitives;

/// <summary>Runs of bytes, first in, first out, one behind the other in few large arrays.</summary>
/// <remarks>
/// For many that wait a second or two: as objects of their own the collector would move each twice, and leave a hole for it
/// among what stays. What was taken out is copied, so that its place can be used again. Not thread-safe.
/// </remarks>
public sealed class ByteQueue
{
    /// <summary>Above 85,000 bytes the collector does not move an array.</summary>
    private const int PageBytesMax = 128 << 10;
    private const int PageBytesMin = 512;
    private const int HeaderSize = sizeof(int);

    private readonly Queue<ReadOnlyMemory<byte>> _full = [];
    private byte[] _page = [];
    private int _end;
    private ReadOnlyMemory<byte> _reading;

    /// <summary>Whether what was written last is being read: what follows begins another page.</summary>
    private bool _isWrittenRead;

    /// <summary>How many wait.</summary>
    public int Count { get; private set; }

    /// <summary>Puts one behind all others.</summary>
    /// <param name="first">What it begins with.</param>
    /// <param name="rest">What follows.</param>
    public void Enqueue(ReadOnlySpan<byte> first, ReadOnlySpan<byte> rest = default)
    {
        int length = first.Length + rest.Length;
        if (_isWrittenRead || HeaderSize + length > _page.Length - _end)
        {
            Close();
            int atLeast = Math.Max(PageBytesMin, HeaderSize + length);
            int usual = Math.Min(PageBytesMax, 2 * _page.Length);
            _page = GC.AllocateUninitializedArray<byte>(Math.Max(atLeast, usual));
        }

        Span<byte> place = _page.AsSpan(_end, HeaderSize + length);
        BinaryPrimitives.WriteInt32LittleEndian(place, length);
        first.CopyTo(place[HeaderSize..]);
        rest.CopyTo(place[(HeaderSize + first.Length)..]);
        _end += HeaderSize + length;
        Count++;
    }

    /// <summary>Takes the oldest out.</summary>
    /// <param name="buffer">Where it goes; replaced by a larger one if it must be.</param>
    /// <param name="length">Its length.</param>
    /// <returns>False: none waits.</returns>
    public bool TryDequeue(ref byte[] buffer, out int length)
    {
        length = 0;
        if (Count == 0)
        {
            return false;
        }

        if (_reading.IsEmpty && !_full.TryDequeue(out _reading))
        {
            (_reading, _isWrittenRead) = (_page.AsMemory(0, _end), true);
        }

        length = BinaryPrimitives.ReadInt32LittleEndian(_reading.Span);
        if (buffer.Length < length)
        {
            buffer = new byte[Math.Max(length, 2 * buffer.Length)];
        }

        _reading.Span.Slice(HeaderSize, length).CopyTo(buffer);
        _reading = _reading[(HeaderSize + length)..];
        if (--Count == 0)
        {
            Clear();
        }

        return true;
    }

    /// <summary>Throws all away.</summary>
    public void Clear()
    {
        _full.Clear();
        (_reading, _isWrittenRead, _end, Count) = (default, false, 0, 0);
    }

    private void Close()
    {
        if (_end > 0 && !_isWrittenRead)
        {
            _full.Enqueue(_page.AsMemory(0, _end));
        }

        (_end, _isWrittenRead) = (0, false);
    }
}
