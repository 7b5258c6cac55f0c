using System.Buffers;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Storage.Checksums;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Logs;

/// <summary>One member's log of one volume in one file: blocks behind each other, each findable by its sequence.</summary>
/// <remarks>
/// Guarded by the store's gate, but for reads of blocks that are there and syncs. Format: docs/formats/logfile.md.
/// </remarks>
/// <param name="volume">Which volume.</param>
/// <param name="log">Whose log.</param>
/// <param name="file">The open file.</param>
/// <param name="path">What it is called, or will be when it is whole.</param>
internal sealed class LogFile(VolumeId volume, LogId log, IDiskFile file, string path)
{
    /// <summary>What a system reads to write a part of it: where that fails, the next block goes behind.</summary>
    private const int PageBytes = 4096;

    /// <summary>So many blocks may be missing before one that is there: more, and its number is not believed.</summary>
    private const int GapMax = 1 << 20;

    /// <summary>The same for the first, if it cannot be read any more where the log begins.</summary>
    private const int GapMaxUnknown = 1 << 24;

    /// <summary>Of the blocks behind the beginning.</summary>
    private readonly List<Place> _places = [];

    /// <summary>Which volume.</summary>
    public VolumeId Volume { get; } = volume;

    /// <summary>Whose log.</summary>
    public LogId Log { get; } = log;

    /// <summary>The open file.</summary>
    public IDiskFile File { get; } = file;

    /// <summary>What was dropped before the first block that may be here.</summary>
    public LogBeginning Beginning { get; private set; }

    /// <summary>The highest sequence that is here; when there is none, that of the last block that was dropped, or 0.</summary>
    public ulong LastSeq => Beginning.BlockSeq + (ulong)_places.Count;

    /// <summary>Where the next block goes.</summary>
    public long End { get; private set; } = LogFormat.FileHeaderBytes;

    /// <summary>Everything before this was synced.</summary>
    public long DurableBytes { get; private set; }

    /// <summary>Grows with every write.</summary>
    public ulong Written
    {
        get;
        private set
        {
            field = value;
            Unsynced?.Add(this);
        }
    }

    /// <summary>Gets this one with every write, and now: the store's, from when it has its place there.</summary>
    public HashSet<LogFile>? Unsynced
    {
        private get;
        set
        {
            field = value;
            field?.Add(this);
        }
    }

    /// <summary>The value of <see cref="Written"/> that a sync has covered.</summary>
    public ulong Synced { get; private set; }

    /// <summary>Whether something in the file is not as it was written: its header, or blocks.</summary>
    public bool IsDamaged { get; private set; }

    /// <summary>Whether synced blocks behind the last that is here may be gone: the file was cut, or its end is unreadable.</summary>
    public bool HasLostEnd { get; private set; }

    /// <summary>Whether the block is here.</summary>
    public bool Has(ulong seq) => seq > Beginning.BlockSeq && seq <= LastSeq && _places[IndexOf(seq)].Units != 0;

    /// <summary>Sequences behind the beginning and before <see cref="LastSeq"/> that were lost to damage.</summary>
    public IReadOnlyList<ulong> Missing
    {
        get
        {
            List<ulong> missing = [];
            for (int i = 0; i < _places.Count; i++)
            {
                if (_places[i].Units == 0)
                {
                    missing.Add(Beginning.BlockSeq + (ulong)i + 1);
                }
            }

            return missing;
        }
    }

    /// <summary>Bytes of a block; -1 if it is not here.</summary>
    public int LengthOf(ulong seq) => Has(seq) ? _places[IndexOf(seq)].Length : -1;

    /// <summary>Writes the header of an empty file, and its copy, if the log begins later.</summary>
    public Result<Unit, DiskError> Create(LogBeginning beginning = default)
    {
        Beginning = beginning;
        End = LogFormat.StartOf(beginning);
        DurableBytes = End;
        Result<Unit, DiskError> written = WriteHeader();
        if (beginning.IsFirst)
        {
            return written;
        }

        written = written.IsOk ? WriteHeader(LogFormat.CopyOffset) : written;
        return written.IsOk ? File.SetLength(End) : written;
    }

    /// <summary>Everything that was written is about to be synced, before the file gets its name.</summary>
    /// <param name="lostBytes">So much behind it was lost, and is missed at every opening until it is back.</param>
    public Result<Unit, DiskError> Finish(long lostBytes)
    {
        DurableBytes = End + lostBytes;
        HasLostEnd = lostBytes > 0;
        IsDamaged = HasLostEnd;
        Result<Unit, DiskError> written = WriteHeader();
        written = written.IsOk ? File.Sync() : written;
        Synced = written.IsOk ? Written : Synced;
        return written;
    }

    /// <summary>Writes the next block, or one that was lost.</summary>
    public Result<Unit, DiskError> Append(ulong seq, ReadOnlySpan<byte> block)
    {
        Invariant.That(
            seq > Beginning.BlockSeq && seq <= LastSeq + 1 && !Has(seq), $"block {seq} after {LastSeq}");
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
        Place place = _places[IndexOf(seq)];
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
            : new StoreError(StoreErrorKind.Corrupt, $"{path}+{place.Offset}", $"block {seq} fails its checksum");
    }

    /// <summary>Forgets a block that turned out to be bad, so that it is asked for and written again.</summary>
    public void Forget(ulong seq)
    {
        _places[IndexOf(seq)] = default;
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

        LogBeginning copied = default;
        if (!TryReadHeader(length, 0, out long durable, out LogBeginning beginning, out bool isZeros))
        {
            // A header of zeros was never synced, so nothing behind it was; but of a file that begins later all was.
            bool hasCopy = TryReadHeader(length, LogFormat.CopyOffset, out _, out copied, out _) && !copied.IsFirst;
            bool isTorn = !hasCopy && (length <= LogFormat.FileHeaderBytes || isZeros);
            beginning = hasCopy ? copied : default;
            if (!isTorn)
            {
                Report(findings, 0, LogFormat.FileHeaderBytes, "the file's header is damaged; its blocks are used");
            }

            // A file that was being made when the power went looks like one that was emptied: neither is trusted. Of the
            // other ones all may have been synced: a tail that is not whole is no reason to cut what lies behind it.
            IsDamaged = true;
            durable = isTorn ? 0 : length;
        }
        else if (!beginning.IsFirst
            && (!TryReadHeader(length, LogFormat.CopyOffset, out _, out copied, out _) || copied != beginning))
        {
            Report(findings, LogFormat.CopyOffset, LogFormat.FileHeaderBytes, "the header's copy is damaged");
        }

        DurableBytes = durable;
        Beginning = beginning;
        End = LogFormat.StartOf(beginning);
        Scan(length, findings);
        if (AlignUp(length) < DurableBytes)
        {
            HasLostEnd = true;
            Report(findings, length, DurableBytes - length, "the file was cut short");
        }

        Result<Unit, DiskError> cut = length > End ? File.SetLength(End) : Unit.Value;

        // What was durable once stays noted after a cut: until all of it is back, every opening says so.
        DurableBytes = Math.Max(DurableBytes, LogFormat.StartOf(beginning));
        _ = WriteHeader();
        if (IsDamaged && !beginning.IsFirst)
        {
            _ = WriteHeader(LogFormat.CopyOffset);
        }

        return cut.IsOk ? File.Sync() : cut;
    }

    private bool TryReadHeader(
        long length, int offset, out long durable, out LogBeginning beginning, out bool isZeros)
    {
        Span<byte> header = stackalloc byte[LogFormat.FileHeaderBytes];
        bool isRead = length >= offset + header.Length && File.Read(offset, header).IsOk;
        isZeros = isRead && !header.ContainsAnyExcept((byte)0);
        (durable, beginning) = (0, default);
        return isRead && LogFormat.TryReadFile(header, Volume, Log, out durable, out beginning);
    }

    private void Scan(long length, List<LogDamage> findings)
    {
        byte[] window = ArrayPool<byte>.Shared.Rent(2 * LogFormat.BlockBytesMax);
        try
        {
            LogWindow reader = new(File, length, window);
            long offset = End;
            ulong before = Beginning.BlockSeq;
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

    private Result<Unit, DiskError> WriteHeader(int offset = 0)
    {
        Span<byte> header = stackalloc byte[LogFormat.FileHeaderBytes];
        LogFormat.WriteFile(header, Volume, Log, DurableBytes, Beginning);
        Written++;
        return File.Write(offset, header);
    }

    private int IndexOf(ulong seq) => (int)(seq - Beginning.BlockSeq - 1);

    private void Note(ulong seq, long offset, int length)
    {
        int gapMax = _places.Count == 0 && IsDamaged ? GapMaxUnknown : GapMax;
        if (seq <= Beginning.BlockSeq || seq > LastSeq + (ulong)gapMax)
        {
            return;
        }

        while (LastSeq < seq)
        {
            _places.Add(default);
        }

        _places[IndexOf(seq)] = new Place((uint)(offset / LogFormat.Alignment), length);
    }

    private static long AlignUp(long offset) => (offset + LogFormat.Alignment - 1) & -LogFormat.Alignment;

    private void Report(List<LogDamage> findings, long offset, long length, string detail)
    {
        IsDamaged = true;
        StoreError error = new(StoreErrorKind.Corrupt, $"{path}+{offset}", $"{detail}, {length} bytes");
        findings.Add(new LogDamage(Volume, Log, error));
    }

    /// <summary>Bytes that hold no block, and the blocks around them: 0 where there is none.</summary>
    private readonly record struct Hole(long Offset, long End, ulong Before, ulong After);

    private readonly record struct Place(uint Units, int Length)
    {
        public long Offset => (long)Units * LogFormat.Alignment;
    }
}
