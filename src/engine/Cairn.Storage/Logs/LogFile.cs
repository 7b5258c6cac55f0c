using System.Buffers;
using System.Buffers.Binary;
using Cairn.Core.Primitives;
using Cairn.Storage.Checksums;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Logs;

/// <summary>One member's log of one volume in one file: blocks behind each other, each findable by its sequence.</summary>
/// <remarks>Guarded by the store's gate, but for reads of blocks that are there and syncs.</remarks>
internal sealed class LogFile(VolumeId volume, LogId log, IDiskFile file)
{
    /// <summary>What a system reads to write a part of it: where that fails, the next block goes behind.</summary>
    private const int PageBytes = 4096;

    private readonly List<Place> _places = [];

    /// <summary>Which volume.</summary>
    public VolumeId Volume { get; } = volume;

    /// <summary>Whose log.</summary>
    public LogId Log { get; } = log;

    /// <summary>The open file.</summary>
    public IDiskFile File { get; } = file;

    /// <summary>The highest sequence that is here; 0 when there is none.</summary>
    public ulong LastSeq => (ulong)_places.Count;

    /// <summary>Where the next block goes.</summary>
    public long End { get; private set; } = LogFormat.FileHeaderBytes;

    /// <summary>Everything before this was synced.</summary>
    public long DurableBytes { get; private set; }

    /// <summary>Grows with every write.</summary>
    public ulong Written { get; set; }

    /// <summary>The value of <see cref="Written"/> that a sync has covered.</summary>
    public ulong Synced { get; set; }

    /// <summary>Whether something in the file is not as it was written: its header, or blocks.</summary>
    public bool IsDamaged { get; private set; }

    /// <summary>Whether synced blocks behind the last that is here may be gone: the file was cut, or its end is unreadable.</summary>
    public bool HasLostEnd { get; private set; }

    /// <summary>Whether the block is here.</summary>
    public bool Has(ulong seq) => seq > 0 && seq <= LastSeq && _places[(int)seq - 1].Units != 0;

    /// <summary>Sequences before <see cref="LastSeq"/> that were lost to damage.</summary>
    public IReadOnlyList<ulong> Missing
    {
        get
        {
            List<ulong> missing = [];
            for (int i = 0; i < _places.Count; i++)
            {
                if (_places[i].Units == 0)
                {
                    missing.Add((ulong)i + 1);
                }
            }

            return missing;
        }
    }

    /// <summary>Bytes of a block; -1 if it is not here.</summary>
    public int LengthOf(ulong seq) => Has(seq) ? _places[(int)seq - 1].Length : -1;

    /// <summary>Writes the header of an empty file.</summary>
    public Result<Unit, DiskError> Create()
    {
        DurableBytes = LogFormat.FileHeaderBytes;
        return WriteHeader();
    }

    /// <summary>Writes the next block, or one that was lost.</summary>
    public Result<Unit, DiskError> Append(ulong seq, ReadOnlySpan<byte> block)
    {
        Invariant.That(seq > 0 && seq <= LastSeq + 1 && !Has(seq), $"block {seq} after {LastSeq}");
        Span<byte> header = stackalloc byte[LogFormat.BlockHeaderBytes];
        LogFormat.Write(header, new BlockHeader(seq, block.Length, Crc32C.Compute(block)));
        Result<Unit, DiskError> written = File.Write(End, header, block);
        if (!written.IsOk && written.Error.Kind == DiskErrorKind.InputOutput)
        {
            End = (End + PageBytes) & -(long)PageBytes;
            written = File.Write(End, header, block);
        }

        if (written.IsOk)
        {
            Note(seq, End, block.Length);
            End += LogFormat.PlaceBytes(block.Length);
        }

        Written++;
        return written;
    }

    /// <summary>Notes how far a sync reached, in the header, so that damage can be told from a torn tail.</summary>
    public void NoteSynced(ulong written, long end)
    {
        bool isClean = Written == written;
        Synced = written;
        if (end > DurableBytes)
        {
            DurableBytes = end;
            _ = WriteHeader();
            Synced = isClean ? Written : written;
        }
    }

    /// <summary>Reads a block that is here, checked.</summary>
    public Result<Unit, StoreError> Read(ulong seq, Span<byte> destination)
    {
        Place place = _places[(int)seq - 1];
        Span<byte> bytes = stackalloc byte[LogFormat.BlockHeaderBytes];
        Result<Unit, DiskError> read = File.ReadPatiently(place.Offset, bytes);
        read = read.IsOk ? File.ReadPatiently(place.Offset + LogFormat.BlockHeaderBytes, destination) : read;
        if (!read.IsOk)
        {
            return StoreError.From(read.Error);
        }

        return LogFormat.TryRead(bytes, out BlockHeader header)
            && header.Seq == seq && header.Length == destination.Length
            && header.Checksum == Crc32C.Compute(destination)
            ? Unit.Value
            : new StoreError(StoreErrorKind.Corrupt, $"{File.Path}+{place.Offset}", $"block {seq} fails its checksum");
    }

    /// <summary>Forgets a block that turned out to be bad, so that it is asked for and written again.</summary>
    public void Forget(ulong seq)
    {
        _places[(int)seq - 1] = default;
        IsDamaged = true;
        HasLostEnd |= seq == LastSeq;
    }

    /// <summary>The file took the place of one that was gone: nobody knows how much was in that.</summary>
    public void MarkReplaced()
    {
        IsDamaged = true;
        HasLostEnd = true;
    }

    /// <summary>Reads the file back after any end: damage is reported, a torn tail is cut.</summary>
    public Result<Unit, DiskError> Load(List<LogDamage> findings)
    {
        if (!File.Length().TryGet(out long length, out DiskError error))
        {
            return error;
        }

        Span<byte> header = stackalloc byte[LogFormat.FileHeaderBytes];
        bool isHeader = length >= header.Length && File.Read(0, header).IsOk;
        long durable = 0;
        if (!isHeader || !LogFormat.TryReadFile(header, Volume, Log, out durable))
        {
            // A header of zeros was never synced, so nothing behind it was.
            bool isTorn = length <= LogFormat.FileHeaderBytes || (isHeader && !header.ContainsAnyExcept((byte)0));
            if (!isTorn)
            {
                Report(findings, 0, LogFormat.FileHeaderBytes, "the file's header is damaged; its blocks are used");
            }

            // A file that was being made when the power went looks like one that was emptied: neither is trusted. Of the
            // other ones all may have been synced: a tail that is not whole is no reason to cut what lies behind it.
            IsDamaged = true;
            durable = isTorn ? 0 : length;
        }

        DurableBytes = durable;
        Scan(length, findings);
        if (AlignUp(length) < DurableBytes)
        {
            HasLostEnd = true;
            Report(findings, length, DurableBytes - length, "the file was cut short");
        }

        Result<Unit, DiskError> cut = length > End ? File.SetLength(End) : Unit.Value;

        // What was durable once stays noted after a cut: until all of it is back, every opening says so.
        DurableBytes = Math.Max(DurableBytes, LogFormat.FileHeaderBytes);
        _ = WriteHeader();
        return cut.IsOk ? File.Sync() : cut;
    }

    private void Scan(long length, List<LogDamage> findings)
    {
        byte[] window = ArrayPool<byte>.Shared.Rent(2 * LogFormat.BlockBytesMax);
        try
        {
            LogWindow reader = new(File, length, window);
            long offset = LogFormat.FileHeaderBytes;
            ulong before = 0;
            List<Hole> holes = [];
            while (offset < length)
            {
                if (reader.TryBlock(offset, out BlockHeader block))
                {
                    if (holes.Count > 0 && holes[^1].End == offset)
                    {
                        holes[^1] = holes[^1] with { After = block.Seq };
                    }

                    before = block.Seq;
                    Note(block.Seq, offset, block.Length);
                    offset += LogFormat.PlaceBytes(block.Length);
                    End = offset;
                    continue;
                }

                long found = reader.FindNext(offset + LogFormat.Alignment);
                if (offset >= DurableBytes)
                {
                    break;
                }

                End = found < 0 ? AlignUp(Math.Min(length, DurableBytes)) : found;
                holes.Add(new Hole(offset, End, before, 0));
                offset = found < 0 ? length : found;
            }

            holes.ForEach(hole => Judge(hole, findings));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(window);
        }
    }

    /// <summary>Reports a hole if a block is missing for it: not one that was written again, or one that never held any.</summary>
    private void Judge(Hole hole, List<LogDamage> findings)
    {
        // Nothing behind it, or only what filled an earlier hole: nobody knows how far the log went.
        bool isEnd = hole.After <= hole.Before;
        bool isLost = isEnd;
        for (ulong seq = hole.Before + 1; seq < hole.After && !isLost; seq++)
        {
            isLost = !Has(seq);
        }

        HasLostEnd |= isEnd;
        if (isLost)
        {
            Report(findings, hole.Offset, hole.End - hole.Offset, "a block cannot be read back");
        }
    }

    private Result<Unit, DiskError> WriteHeader()
    {
        Span<byte> header = stackalloc byte[LogFormat.FileHeaderBytes];
        LogFormat.WriteFile(header, Volume, Log, DurableBytes);
        Written++;
        return File.Write(0, header);
    }

    private void Note(ulong seq, long offset, int length)
    {
        if (seq > LastSeq + (1 << 20))
        {
            return;
        }

        while (LastSeq < seq)
        {
            _places.Add(default);
        }

        _places[(int)seq - 1] = new Place((uint)(offset / LogFormat.Alignment), length);
    }

    private static long AlignUp(long offset) => (offset + LogFormat.Alignment - 1) & -LogFormat.Alignment;

    private void Report(List<LogDamage> findings, long offset, long length, string detail)
    {
        IsDamaged = true;
        StoreError error = new(StoreErrorKind.Corrupt, $"{File.Path}+{offset}", $"{detail}, {length} bytes");
        findings.Add(new LogDamage(Volume, Log, error));
    }

    /// <summary>Bytes that hold no block, and the blocks around them: 0 where there is none.</summary>
    private readonly record struct Hole(long Offset, long End, ulong Before, ulong After);

    private readonly record struct Place(uint Units, int Length)
    {
        public long Offset => (long)Units * LogFormat.Alignment;
    }

    /// <summary>Reads blocks of a file through a window, trusting nothing.</summary>
    private sealed class LogWindow(IDiskFile file, long fileBytes, byte[] window)
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
}
