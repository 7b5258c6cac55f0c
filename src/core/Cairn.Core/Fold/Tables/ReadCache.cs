using System.Buffers.Binary;
using System.Numerics;

namespace Cairn.Core.Fold.Tables;

/// <summary>What a source said last, by key: direct-mapped, in a ring of pages, so that the oldest goes first.</summary>
/// <remarks>
/// A slot is the position of a record since the beginning; what is more than the ring behind is gone, and nobody has to
/// look for it. A page is not written again but replaced, because somebody may have a part of it.
/// A record: hash (4), length of the key (2), length of the value or -1 for absence or -2 for what is not known (4), key,
/// value. There are the more slots the more records came.
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
    private const int LengthOfNone = -1;
    private const int LengthOfUnknown = -2;

    /// <summary>So many at first: most tables are small, and a node has one for every volume.</summary>
    private const int SlotsMin = 1 << 10;

    private readonly int _pageBytes;
    private readonly byte[][] _pages;
    private readonly int _slotsMax;

    /// <summary>Each the position of a record (its page's number, its offset there) and one; 0: none.</summary>
    private long[] _slots = [];

    private long _page = -1;
    private int _used;
    private long _records;

    /// <param name="bytesMax">Keys, values and headers of what is remembered; 0: nothing is.</param>
    internal ReadCache(long bytesMax)
    {
        _pageBytes = (int)Math.Min(PageBytesMax, bytesMax / PagesMin);
        _used = _pageBytes;
        long slots = Math.Clamp(bytesMax / BytesPerSlot, 1, 1 << 20);
        bool isAny = _pageBytes > HeaderSize;
        _pages = isAny ? new byte[bytesMax / _pageBytes][] : [];
        _slotsMax = isAny ? (int)BitOperations.RoundUpToPowerOf2((ulong)slots) : 0;
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
        return length != LengthOfUnknown;
    }

    /// <summary>What the source says of a key now.</summary>
    internal void Put(ReadOnlySpan<byte> key, uint hash, TableBytes value)
    {
        int sizeMax = Math.Min(_pageBytes, RecordBytesMax);
        if (HeaderSize + key.Length + value.Length <= sizeMax)
        {
            Append(key, hash, value.IsAbsent ? LengthOfNone : value.Length, value.Span);
        }
        else if (HeaderSize + key.Length <= sizeMax)
        {
            // What it said before is not true any more, and may come to light again when there are more slots.
            Append(key, hash, LengthOfUnknown, []);
        }
    }

    private void Append(ReadOnlySpan<byte> key, uint hash, int length, ReadOnlySpan<byte> value)
    {
        if (_records++ >= _slots.Length && _slots.Length < _slotsMax)
        {
            Grow();
        }

        int size = HeaderSize + key.Length + value.Length;
        if (size > _pageBytes - _used)
        {
            _page++;
            _used = 0;
            _pages[_page % _pages.Length] = new byte[_pageBytes];
        }

        Span<byte> record = _pages[_page % _pages.Length].AsSpan(_used, size);
        BinaryPrimitives.WriteUInt32LittleEndian(record, hash);
        BinaryPrimitives.WriteUInt16LittleEndian(record[KeyLengthAt..], (ushort)key.Length);
        BinaryPrimitives.WriteInt32LittleEndian(record[ValueLengthAt..], length);
        key.CopyTo(record[HeaderSize..]);
        value.CopyTo(record[(HeaderSize + key.Length)..]);
        _slots[SlotOf(hash)] = (_page << OffsetBits) + _used + 1;
        _used += size;
    }

    /// <summary>Makes more slots, and files anew what is remembered, the oldest first.</summary>
    private void Grow()
    {
        _slots = new long[Math.Min(_slotsMax, Math.Max(SlotsMin, 4 * _slots.Length))];
        for (long number = Math.Max(0, _page - _pages.Length + 1); number <= _page; number++)
        {
            ReadOnlySpan<byte> page = _pages[number % _pages.Length];
            for (int at = 0; at + HeaderSize < page.Length;)
            {
                ReadOnlySpan<byte> record = page[at..];
                int keyLength = BinaryPrimitives.ReadUInt16LittleEndian(record[KeyLengthAt..]);
                if (keyLength == 0)
                {
                    // No key is empty: the page ends here.
                    break;
                }

                _slots[SlotOf(BinaryPrimitives.ReadUInt32LittleEndian(record))] = (number << OffsetBits) + at + 1;
                int length = BinaryPrimitives.ReadInt32LittleEndian(record[ValueLengthAt..]);
                at += HeaderSize + keyLength + Math.Max(0, length);
            }
        }
    }

    private int SlotOf(uint hash) => (int)(hash & (uint)(_slots.Length - 1));
}
