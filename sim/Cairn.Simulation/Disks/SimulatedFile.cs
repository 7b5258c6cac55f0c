using System.Numerics;
using Cairn.Core.Primitives;

namespace Cairn.Simulation.Disks;

/// <summary>A file's bytes as the running machine sees them, and as the medium holds them.</summary>
/// <remarks>
/// Sparse: only written pages take memory, and of each only what is before its last zeros: most logs are a header and a few
/// blocks. A page that was not written to since the last sync is never changed but replaced: others may show the same.
/// Guarded by the disk's lock.
/// </remarks>
/// <param name="equal">Where equal pages are found; null: nowhere.</param>
internal sealed class SimulatedFile(EqualPages? equal)
{
    /// <summary>Bytes that a disk keeps or loses together when the power fails.</summary>
    public const int SectorBytes = 512;

    /// <summary>The unit of caching: what was written since the last sync is tracked by page.</summary>
    public const int PageBytes = 4096;

    /// <summary>As much of a page as is kept at least.</summary>
    private const int KeptBytesMin = 64;

    private static readonly byte[] ZeroPage = new byte[PageBytes];

    /// <summary>Pages, or their beginnings: what is missing of one is zeros.</summary>
    private readonly Dictionary<long, byte[]> _current = [];
    private readonly SortedDictionary<long, byte[]?> _durableBefore = [];
    private readonly SortedSet<long> _brokenPages = [];

    /// <summary>The length now.</summary>
    public long Length { get; private set; }

    /// <summary>The length the medium knows.</summary>
    public long DurableLength { get; private set; }

    /// <summary>Bytes up to here are reserved and count against the disk's space.</summary>
    public long ReservedLength { get; private set; }

    /// <summary>Under how many names it is on its disk: 0 or 1.</summary>
    public int Names { get; set; }

    /// <summary>Whether a process holds the file's lock.</summary>
    public bool IsLocked { get; set; }

    /// <summary>Pages that take space: written ones and reserved ones.</summary>
    public long SpaceBytes => Math.Max((long)_current.Count * PageBytes, ReservedLength);

    /// <summary>The medium gives a page back no more, until all of it is written anew.</summary>
    public void Break(long offset) => _brokenPages.Add(offset / PageBytes);

    /// <summary>Whether a read of this range meets a broken page.</summary>
    public bool IsBroken(long offset, long length) =>
        _brokenPages.Count > 0
        && _brokenPages.GetViewBetween(offset / PageBytes, (offset + Math.Max(1, length) - 1) / PageBytes).Count > 0;

    /// <summary>Whether a write may go on: a page that is written in part is read first, a whole one is mended by it.</summary>
    public bool TryMend(long offset, long length)
    {
        if (IsBroken(offset, length))
        {
            long firstWhole = (offset + PageBytes - 1) / PageBytes;
            long end = (offset + length) / PageBytes;
            _brokenPages.RemoveWhere(page => page >= firstWhole && page < end);
        }

        return !IsBroken(offset, length);
    }

    /// <summary>Space that a write would newly take.</summary>
    public long NewSpace(long offset, long length)
    {
        long pages = 0;
        for (long page = offset / PageBytes; page * PageBytes < offset + length; page++)
        {
            pages += _current.ContainsKey(page) || page * PageBytes < ReservedLength ? 0 : 1;
        }

        return pages * PageBytes;
    }

    /// <summary>Copies bytes out; beyond what was written are zeros.</summary>
    public void Read(long offset, Span<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            int inPage = (int)(offset % PageBytes);
            int count = Math.Min(buffer.Length, PageBytes - inPage);
            ReadOnlySpan<byte> kept = PageAt(offset / PageBytes);
            kept = kept[Math.Min(inPage, kept.Length)..Math.Min(inPage + count, kept.Length)];
            kept.CopyTo(buffer);
            buffer[kept.Length..count].Clear();
            buffer = buffer[count..];
            offset += count;
        }
    }

    /// <summary>Copies bytes in.</summary>
    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        Length = Math.Max(Length, offset + data.Length);
        while (!data.IsEmpty)
        {
            int inPage = (int)(offset % PageBytes);
            int count = Math.Min(data.Length, PageBytes - inPage);
            int wanted = data[..count].LastIndexOfAnyExcept((byte)0) + 1;
            byte[] page = WritablePage(offset / PageBytes, wanted == 0 ? 0 : inPage + wanted);
            data[..Math.Clamp(page.Length - inPage, 0, count)].CopyTo(page.AsSpan(Math.Min(inPage, page.Length)));
            data = data[count..];
            offset += count;
        }
    }

    /// <summary>Reserves space and extends the length.</summary>
    public void Reserve(long length)
    {
        ReservedLength = Math.Max(ReservedLength, length);
        Length = Math.Max(Length, length);
    }

    /// <summary>Cuts or extends with zeros.</summary>
    public void SetLength(long length)
    {
        if (length < Length)
        {
            Zero(length, Length - length);
        }

        Length = length;
        ReservedLength = Math.Min(ReservedLength, length);
    }

    /// <summary>Makes a range read as zeros.</summary>
    public void Zero(long offset, long length)
    {
        long end = Math.Min(offset + length, Length);
        while (offset < end)
        {
            int inPage = (int)(offset % PageBytes);
            int count = (int)Math.Min(end - offset, PageBytes - inPage);
            long page = offset / PageBytes;
            if (_current.ContainsKey(page))
            {
                byte[] own = WritablePage(page, 0);
                own.AsSpan(Math.Min(inPage, own.Length)..Math.Min(inPage + count, own.Length)).Clear();
                if (count == PageBytes)
                {
                    _current.Remove(page);
                }
            }

            offset += count;
        }
    }

    /// <summary>Turns one bit of what was written over; false if nothing was.</summary>
    public bool RotSomewhere(Prng prng)
    {
        if (_current.Count == 0)
        {
            return false;
        }

        long page = _current.Keys.Order().ElementAt(prng.Next(_current.Count));
        FlipBit((page * PageBytes) + prng.Next(PageBytes), prng.Next(8));
        return true;
    }

    /// <summary>Turns one bit over, on the medium too: rot.</summary>
    public void FlipBit(long offset, int bit)
    {
        byte mask = (byte)(1 << bit);
        long page = offset / PageBytes;
        int at = (int)(offset % PageBytes);
        _current.TryGetValue(page, out byte[]? bytes);
        _current[page] = bytes = Copied(bytes, at + 1);
        bytes[at] ^= mask;
        if (_durableBefore.TryGetValue(page, out byte[]? durable) && durable is not null)
        {
            _durableBefore[page] = durable = Copied(durable, at + 1);
            durable[at] ^= mask;
        }
    }

    /// <summary>Everything written survives power loss from now on.</summary>
    public void Sync()
    {
        if (equal is not null)
        {
            ShareWith(equal);
        }

        _durableBefore.Clear();
        DurableLength = Length;
    }

    private void ShareWith(EqualPages others)
    {
        foreach (long page in _durableBefore.Keys)
        {
            if (_current.TryGetValue(page, out byte[]? written) && written.Length == PageBytes)
            {
                _current[page] = others.Of(written);
            }
        }
    }

    /// <summary>Power loss: of what was not synced some pages survive, some are lost and some are torn, by the generator.</summary>
    public void LosePower(Prng prng)
    {
        foreach ((long page, byte[]? durable) in _durableBefore)
        {
            int fate = prng.Next(3);
            if (fate == 0)
            {
                continue;
            }

            byte[] before = Copied(durable, PageBytes);
            byte[] after = _current.TryGetValue(page, out byte[]? now) ? Copied(now, PageBytes) : ZeroPage;
            byte[] left = new byte[PageBytes];
            for (int sector = 0; sector < PageBytes; sector += SectorBytes)
            {
                byte[] source = fate == 1 || prng.Chance(2) ? before : after;
                source.AsSpan(sector, SectorBytes).CopyTo(left.AsSpan(sector));
            }

            _current[page] = left;
        }

        _durableBefore.Clear();
        if (Length != DurableLength && prng.Chance(2))
        {
            SetLength(DurableLength);
            _durableBefore.Clear();
        }

        DurableLength = Length;
        IsLocked = false;
    }

    /// <summary>A copy that shares nothing.</summary>
    public SimulatedFile Clone()
    {
        SimulatedFile copy = new(equal)
        {
            Length = Length,
            DurableLength = DurableLength,
            ReservedLength = ReservedLength,
        };
        foreach ((long page, byte[] bytes) in _current)
        {
            copy._current[page] = (byte[])bytes.Clone();
        }

        copy._brokenPages.UnionWith(_brokenPages);
        foreach ((long page, byte[]? bytes) in _durableBefore)
        {
            copy._durableBefore[page] = (byte[]?)bytes?.Clone();
        }

        return copy;
    }

    private ReadOnlySpan<byte> PageAt(long page) => _current.TryGetValue(page, out byte[]? bytes) ? bytes : ZeroPage;

    /// <summary>A page to be written to, of which so much is wanted.</summary>
    private byte[] WritablePage(long page, int bytes)
    {
        _current.TryGetValue(page, out byte[]? now);
        bool isOwn = !_durableBefore.TryAdd(page, now) && now is not null;
        return isOwn && now!.Length >= bytes ? now : _current[page] = Copied(now, bytes);
    }

    /// <summary>A copy with room for so many bytes: for twice as many each time, so that appending costs little.</summary>
    private static byte[] Copied(byte[]? page, int bytes)
    {
        int length = Math.Max(bytes, page?.Length ?? 0);
        byte[] copy = new byte[Math.Max(KeptBytesMin, (int)BitOperations.RoundUpToPowerOf2((uint)length))];
        page?.CopyTo(copy, 0);
        return copy;
    }
}
