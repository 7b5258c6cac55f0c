using System.Buffers.Binary;
using System.Numerics;

namespace Cairn.Core.Fold;

/// <summary>What a source said last, by key: direct-mapped, in a ring of pages, so that the oldest goes first.</summary>
/// <remarks>
/// A slot is the position of a record since the beginning; what is more than the ring behind is gone, and nobody has to
/// look for it. A page is not written again but replaced, because somebody may have a part of it.
/// A record: hash (4), length of the key (2), length of the value or -1 for absence (4), key, value.
/// </remarks>
internal sealed class ReadCache
{
    private const int PageBytesMax = 128 << 10;
    private const int PagesMin = 8;
    private const int BytesPerSlot = 256;

    /// <summary>A larger record would push too many others out.</summary>
    private const int RecordBytesMax = 16 << 10;

    private const int KeyLengthAt = sizeof(uint);
    private const int ValueLengthAt = KeyLengthAt + sizeof(ushort);
    private const int HeaderSize = ValueLengthAt + sizeof(int);
    private const int OffsetBits = 20;

    private readonly int _pageBytes;
    private readonly byte[][] _pages;

    /// <summary>Each the position of a record (its page's number, its offset there) and one; 0: none.</summary>
    private readonly long[] _slots;

    private long _page = -1;
    private int _used;

    /// <param name="bytesMax">Keys, values and headers of what is remembered; 0: nothing is.</param>
    internal ReadCache(long bytesMax)
    {
        _pageBytes = (int)Math.Min(PageBytesMax, bytesMax / PagesMin);
        _used = _pageBytes;
        long slots = Math.Clamp(bytesMax / BytesPerSlot, 1, 1 << 20);
        bool isAny = _pageBytes > HeaderSize;
        _pages = isAny ? new byte[bytesMax / _pageBytes][] : [];
        _slots = isAny ? new long[BitOperations.RoundUpToPowerOf2((ulong)slots)] : [];
    }

    /// <summary>Whether more would push something out.</summary>
    internal bool IsFull => _page + 1 >= _pages.Length && _used + BytesPerSlot > _pageBytes;

    /// <summary>Whether it is known what the source says.</summary>
    internal bool TryFind(ReadOnlySpan<byte> key, uint hash, out TableBytes value)
    {
        value = default;
        long position = _slots.Length == 0 ? -1 : _slots[SlotOf(hash)] - 1;
        long number = position >> OffsetBits;
        if (position < 0 || number <= _page - _pages.Length)
        {
            return false;
        }

        byte[] page = _pages[number % _pages.Length];
        int at = (int)(position & ((1 << OffsetBits) - 1));
        ReadOnlySpan<byte> record = page.AsSpan(at);
        int keyLength = BinaryPrimitives.ReadUInt16LittleEndian(record[KeyLengthAt..]);
        if (BinaryPrimitives.ReadUInt32LittleEndian(record) != hash
            || !key.SequenceEqual(record.Slice(HeaderSize, keyLength)))
        {
            return false;
        }

        int length = BinaryPrimitives.ReadInt32LittleEndian(record[ValueLengthAt..]);
        value = length < 0 ? default : new TableBytes(page, at + HeaderSize + keyLength, length);
        return true;
    }

    /// <summary>What the source says of a key now.</summary>
    internal void Put(ReadOnlySpan<byte> key, uint hash, TableBytes value)
    {
        int size = HeaderSize + key.Length + value.Length;
        if (size > Math.Min(_pageBytes, RecordBytesMax))
        {
            Forget(key, hash);
            return;
        }

        if (size > _pageBytes - _used)
        {
            _page++;
            _used = 0;
            _pages[_page % _pages.Length] = new byte[_pageBytes];
        }

        Span<byte> record = _pages[_page % _pages.Length].AsSpan(_used, size);
        BinaryPrimitives.WriteUInt32LittleEndian(record, hash);
        BinaryPrimitives.WriteUInt16LittleEndian(record[KeyLengthAt..], (ushort)key.Length);
        BinaryPrimitives.WriteInt32LittleEndian(record[ValueLengthAt..], value.IsAbsent ? -1 : value.Length);
        key.CopyTo(record[HeaderSize..]);
        value.Span.CopyTo(record[(HeaderSize + key.Length)..]);
        _slots[SlotOf(hash)] = (_page << OffsetBits) + _used + 1;
        _used += size;
    }

    /// <summary>What it said before about this key is not true any more.</summary>
    private void Forget(ReadOnlySpan<byte> key, uint hash)
    {
        if (TryFind(key, hash, out _))
        {
            _slots[SlotOf(hash)] = 0;
        }
    }

    private int SlotOf(uint hash) => (int)(hash & (uint)(_slots.Length - 1));
}
