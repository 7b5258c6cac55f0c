using Cairn.Core.Primitives;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Journaling;

/// <summary>Reads a journal back after any end: in order, to the last frame that was acknowledged.</summary>
/// <remarks>
/// A frame that is not whole ends the journal, unless a later frame proves that the disk had synced past it; then it
/// is damage, is reported, and reading goes on behind it. Where the journal ends, a seal is written and everything
/// after it is wiped, so that a second recovery finds the same end.
/// </remarks>
internal sealed class JournalRecovery(JournalSegments segments, JournalVisitor visitor)
{
    private readonly List<StoreFinding> _damage = [];
    private readonly List<SegmentSlot> _order = [];
    private long _records;
    private bool _wasClean;

    /// <summary>The highest segment number that was seen.</summary>
    public ulong LastSegment { get; private set; }

    /// <summary>The last sequence of the journal.</summary>
    public ulong LastSeq { get; private set; }

    /// <summary>Segments in which the visitor needs nothing.</summary>
    public List<SegmentSlot> Unneeded { get; } = [];

    /// <summary>Replays everything. Fails only when the disk does; damage is in the report.</summary>
    public Result<JournalReplayReport, DiskError> Run()
    {
        foreach (SegmentSlot slot in segments.Slots)
        {
            Result<Unit, DiskError> named = Identify(slot);
            if (!named.IsOk)
            {
                return named.Error;
            }
        }

        _order.Sort(static (a, b) => a.Number.CompareTo(b.Number));
        _wasClean = _order.Count == 0 && segments.Slots.Count == 0;
        for (int i = 0; i < _order.Count; i++)
        {
            if (!ReplaySegment(i).TryGet(out bool ended, out DiskError error))
            {
                return error;
            }

            if (ended)
            {
                break;
            }
        }

        foreach (SegmentSlot slot in _order)
        {
            // What is delivered counts as durable from now on, so it must be.
            Result<Unit, DiskError> synced = slot.Sync();
            if (!synced.IsOk)
            {
                return synced.Error;
            }

            slot.IsSealed = true;
            slot.SyncedThrough = slot.LastSeq;
            if (slot.Live == 0)
            {
                Unneeded.Add(slot);
            }
        }

        return new JournalReplayReport(_records, _wasClean, _damage);
    }

    private Result<Unit, DiskError> Identify(SegmentSlot slot)
    {
        if (!FrameScanner.Open(slot.File).TryGet(out FrameScanner? scanner, out DiskError error))
        {
            return error;
        }

        using (scanner)
        {
            bool isNamed = scanner.TryHeader(0, 0, out FrameHeader header);
            if (!isNamed && (scanner.FileBytes == 0 || IsWiped(slot.File)))
            {
                segments.AddUnclean(slot);
                return Unit.Value;
            }

            if (!isNamed)
            {
                // The name is unreadable but was not wiped: the frames behind it still carry the number.
                int first = scanner.FindNext(JournalFormat.Alignment, 0, 0);
                if (first < 0)
                {
                    Report(slot, 0, scanner.FileBytes, "the file holds no frame that can be read");
                    segments.AddUnclean(slot);
                    return Unit.Value;
                }

                _ = scanner.TryHeader(first, 0, out header);
                Report(slot, 0, first, "the name of the segment is damaged; its frames are used");
            }

            if (header.Is(FrameKind.Segment) && scanner.FileBytes < header.Checksum)
            {
                Report(slot, scanner.FileBytes, (int)header.Checksum - scanner.FileBytes, "the file was cut short");
            }

            slot.Number = header.Segment;
            slot.FirstSeq = header.Seq;
            slot.LastSeq = header.Seq - 1;
            LastSegment = Math.Max(LastSegment, header.Segment);
            _order.Add(slot);
            return Unit.Value;
        }
    }

    private static bool IsWiped(IDiskFile file)
    {
        Span<byte> bytes = stackalloc byte[JournalFormat.HeaderBytes];
        return !file.Read(0, bytes).IsOk ? false : !bytes.ContainsAnyExcept((byte)0);
    }

    /// <returns>Whether the journal ends in this segment.</returns>
    private Result<bool, DiskError> ReplaySegment(int position)
    {
        SegmentSlot slot = _order[position];
        if (!FrameScanner.Open(slot.File).TryGet(out FrameScanner? scanner, out DiskError error))
        {
            return error;
        }

        using (scanner)
        {
            int offset = JournalFormat.HeaderBytes;
            ulong seq = slot.FirstSeq;
            while (true)
            {
                bool isHeader = scanner.TryHeader(offset, slot.Number, out FrameHeader header) && header.Seq == seq;
                if (isHeader && TryDeliver(slot, scanner, offset, header))
                {
                    LastSeq = Math.Max(LastSeq, seq);
                    slot.LastSeq = seq++;
                    offset += header.FrameBytes;
                    slot.End = offset;
                    if (header.Is(FrameKind.Seal) || header.Is(FrameKind.Closed))
                    {
                        _wasClean = header.Is(FrameKind.Closed) && position == _order.Count - 1;
                        return false;
                    }

                    continue;
                }

                if (!WasDurable(position, scanner, offset, seq))
                {
                    Result<Unit, DiskError> cut = Cut(position, offset, seq);
                    return cut.IsOk ? true : cut.Error;
                }

                int next = scanner.FindNext(
                    isHeader ? offset + header.FrameBytes : offset + JournalFormat.Alignment, slot.Number, seq + 1);
                int end = next < 0 ? scanner.FileBytes : next;
                Report(slot, offset, end - offset, $"record {seq} cannot be read back");
                if (next < 0)
                {
                    return false;
                }

                _ = scanner.TryHeader(next, slot.Number, out header);
                offset = next;
                seq = header.Seq;
            }
        }
    }

    private bool TryDeliver(SegmentSlot slot, FrameScanner scanner, int offset, in FrameHeader header)
    {
        if (!header.IsRecord)
        {
            return true;
        }

        if (!scanner.TryBody(offset, header, out ReadOnlySpan<byte> head, out ReadOnlySpan<byte> payload))
        {
            return false;
        }

        _records++;
        JournalPosition position = new(slot.Number, offset, header.HeadLength);
        slot.Live += visitor(position, (JournalKind)header.Kind, head, payload) ? 1 : 0;
        return true;
    }

    /// <summary>Whether any later frame says that the disk had synced past this sequence.</summary>
    private bool WasDurable(int position, FrameScanner scanner, int offset, ulong seq)
    {
        if (HasEvidence(scanner, offset, _order[position].Number, seq))
        {
            return true;
        }

        for (int i = position + 1; i < _order.Count; i++)
        {
            if (!FrameScanner.Open(_order[i].File).TryGet(out FrameScanner? later, out _))
            {
                continue;
            }

            using (later)
            {
                if (HasEvidence(later, 0, _order[i].Number, seq))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static bool HasEvidence(FrameScanner scanner, int from, ulong segment, ulong seq)
    {
        for (int at = scanner.FindNext(from, segment, seq);
            at >= 0;
            at = scanner.FindNext(at + JournalFormat.Alignment, segment, seq))
        {
            if (scanner.TryHeader(at, segment, out FrameHeader header) && header.DurableThrough >= seq)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Ends the journal here: later segments are wiped, from the last, and this one is sealed.</summary>
    private Result<Unit, DiskError> Cut(int position, int offset, ulong seq)
    {
        // After kill -9 even this one's name may be in the system's cache alone, and the others' wiping must not outlive it.
        Result<Unit, DiskError> named = _order[position].Sync();
        if (!named.IsOk)
        {
            return named;
        }

        for (int i = _order.Count - 1; i > position; i--)
        {
            Result<Unit, DiskError> wiped = _order[i].Clear();
            if (!wiped.IsOk)
            {
                return wiped;
            }

            _order[i].Number = 0;
            segments.AddUnclean(_order[i]);
        }

        _order.RemoveRange(position + 1, _order.Count - position - 1);
        SegmentSlot slot = _order[position];
        Span<byte> seal = stackalloc byte[JournalFormat.HeaderBytes];
        JournalFormat.Write(
            seal, new FrameHeader((byte)FrameKind.Seal, 0, 0, 0, slot.Number, seq, seq - 1));
        Result<Unit, DiskError> written = slot.File.Write(offset, seal);
        written = written.IsOk ? slot.Sync() : written;
        LastSeq = Math.Max(LastSeq, seq);
        slot.LastSeq = seq;
        slot.End = offset + JournalFormat.HeaderBytes;
        return written;
    }

    private void Report(SegmentSlot slot, int offset, int length, string detail) =>
        _damage.Add(new StoreFinding(
            new StoreError(StoreErrorKind.Corrupt, $"{slot.File.Path}+{offset}", detail), length, null));
}
