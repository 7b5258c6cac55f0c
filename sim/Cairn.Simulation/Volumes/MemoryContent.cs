namespace Cairn.Simulation.Volumes;

/// <summary>A file's bytes: pages that exist only where something was written.</summary>
/// <remarks>Invariants: no page lies wholly at or beyond the size; bytes of a page beyond the size are zero.</remarks>
internal sealed class MemoryContent
{
    private const int PageBytes = 1 << PageBits;
    private const int PageBits = 16;

    private readonly Dictionary<long, byte[]> _pages = [];

    public long SizeBytes { get; private set; }

    public long DataBytes => _pages.Count * (long)PageBytes;

    public int Read(long offset, Span<byte> buffer)
    {
        if (offset >= SizeBytes)
        {
            return 0;
        }

        int count = (int)Math.Min(buffer.Length, SizeBytes - offset);
        Span<byte> rest = buffer[..count];
        while (!rest.IsEmpty)
        {
            int at = (int)(offset & (PageBytes - 1));
            Span<byte> part = rest[..Math.Min(rest.Length, PageBytes - at)];
            if (_pages.TryGetValue(offset >> PageBits, out byte[]? page))
            {
                page.AsSpan(at, part.Length).CopyTo(part);
            }
            else
            {
                part.Clear();
            }

            rest = rest[part.Length..];
            offset += part.Length;
        }

        return count;
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        SizeBytes = Math.Max(SizeBytes, offset + data.Length);
        while (!data.IsEmpty)
        {
            int at = (int)(offset & (PageBytes - 1));
            ReadOnlySpan<byte> part = data[..Math.Min(data.Length, PageBytes - at)];
            if (!_pages.TryGetValue(offset >> PageBits, out byte[]? page))
            {
                // Pinned: the collector need not move a gigabyte of test data.
                page = GC.AllocateArray<byte>(PageBytes, pinned: true);
                _pages.Add(offset >> PageBits, page);
            }

            part.CopyTo(page.AsSpan(at));
            data = data[part.Length..];
            offset += part.Length;
        }
    }

    public void Resize(long sizeBytes)
    {
        if (sizeBytes < SizeBytes)
        {
            Clear(sizeBytes, SizeBytes - sizeBytes);
        }

        SizeBytes = sizeBytes;
    }

    /// <summary>Makes a range read as zeros; whole pages are given back.</summary>
    public void Clear(long offset, long length)
    {
        // Bytes past the size are zero already: a range that ends at it may take the whole page.
        long end = offset + length >= SizeBytes ? long.MaxValue : offset + length;
        foreach (long index in PagesIn(offset, Math.Min(end, SizeBytes)))
        {
            long start = index << PageBits;
            if (start >= offset && start + PageBytes <= end)
            {
                _pages.Remove(index);
                continue;
            }

            int from = (int)(Math.Max(start, offset) - start);
            int to = (int)(Math.Min(start + PageBytes, end) - start);
            _pages[index].AsSpan(from, to - from).Clear();
        }
    }

    /// <summary>The first byte at or after an offset that lies in a page, or null.</summary>
    public long? NextData(long offset)
    {
        long best = long.MaxValue;
        foreach (long index in _pages.Keys)
        {
            if ((index + 1) << PageBits > offset)
            {
                best = Math.Min(best, Math.Max(offset, index << PageBits));
            }
        }

        return best < SizeBytes ? best : null;
    }

    /// <summary>The first byte at or after an offset that lies in no page; the end of the file counts.</summary>
    public long NextHole(long offset)
    {
        while (offset < SizeBytes && _pages.ContainsKey(offset >> PageBits))
        {
            offset = ((offset >> PageBits) + 1) << PageBits;
        }

        return Math.Min(offset, SizeBytes);
    }

    private List<long> PagesIn(long offset, long end)
    {
        List<long> found = [];
        long first = offset >> PageBits;
        long last = end == 0 ? -1 : (end - 1) >> PageBits;
        if (last - first > _pages.Count)
        {
            found.AddRange(_pages.Keys.Where(index => index >= first && index <= last));
            return found;
        }

        for (long index = first; index <= last; index++)
        {
            if (_pages.ContainsKey(index))
            {
                found.Add(index);
            }
        }

        return found;
    }
}
