using Cairn.Core.Primitives;
using Cairn.Storage.Checksums;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Journaling;

/// <summary>The node's one journal: staged extents and operations, in one order, acknowledged from here.</summary>
/// <remarks>
/// Invariants:
/// <list type="number">
/// <item>An append returns when its frame and all frames before it are written: what was acknowledged is always a
/// prefix, so that a replay may stop at the first frame that is not whole, and kill -9 loses nothing acknowledged.</item>
/// <item>Every frame names how far the disk had synced when it was made. A broken frame before that is damage
/// (reported, skipped); a broken frame after it is a torn tail (cut).</item>
/// <item>A segment file is reused only after the name of its segment was wiped and synced, and that is done only when a
/// later segment's name is durable: numbers of segments never come twice.</item>
/// <item>It is wiped only when all that was acknowledged before is durable: a record is released because something replaces it,
/// which may be a later record that nobody asked to sync.</item>
/// </list>
/// Threads: all members may be called from any thread; appends write side by side, outside the lock.
/// Format: docs/formats/journal.md.
/// </remarks>
public sealed class Journal : IDisposable
{
    private const int RingSize = 1024;

    private readonly object _gate = new();
    private readonly JournalSegments _segments;
    private readonly JournalOptions _options;
    private readonly bool[] _done = new bool[RingSize];
    private readonly JournalCommits _commits;
    private readonly CommitRunner _runner;
    private readonly JournalMaintenance _maintenance;
    private readonly HeldRecords _held = new();
    private SegmentSlot? _current;
    private ulong _nextSegment = 1;
    private ulong _nextSeq = 1;
    private ulong _completeThrough;
    private int _waiting;
    private bool _isReplayed;
    private bool _disposed;
    private StoreError? _failure;

    private Journal(IDisk disk, JournalOptions options, Action<Action> background)
    {
        _segments = new JournalSegments(disk, options);
        _segments.Wiped += wiped => ReleaseAll(_held.Take(wiped));
        _options = options;
        _commits = new JournalCommits(_gate, CollectForSync, MarkDurable);
        _runner = new CommitRunner(_commits.Commit, background);
        _maintenance = new JournalMaintenance(
            _gate, _segments, _held, background, () => (_completeThrough, _disposed || _failure is not null), Fail,
            ReleaseAll, slot => _ = FreeIfUnneeded(slot));
    }

    /// <summary>Whether an append of an extent would find a segment to go to; false asks writers to wait.</summary>
    public bool HasRoom
    {
        get
        {
            lock (_gate)
            {
                return _segments.Available > _options.SegmentsReserved;
            }
        }
    }

    /// <summary>Bytes of the segments in use: no more than that waits to be written elsewhere.</summary>
    public long UsedBytes
    {
        get
        {
            lock (_gate)
            {
                return (long)Math.Max(0, _options.SegmentsMax - _segments.Available) * _options.SegmentBytes;
            }
        }
    }

    /// <summary>
    /// Whether a record lies so far back that it, and what is held for its segment's sake, keeps a quarter of the journal from being
    /// used again. Who needs such a small record for long writes it anew and releases the old one.
    /// </summary>
    public bool IsFarBack(JournalPosition position)
    {
        lock (_gate)
        {
            ulong behind = (_current?.Number ?? position.Segment) - position.Segment;
            return behind >= (ulong)Math.Max(1, _options.SegmentsMax / 4);
        }
    }

    /// <summary>Opens the segment files of a home. <see cref="Replay"/> must follow, once.</summary>
    /// <param name="background">Runs an action soon, away from the caller; null runs it at once (tests, simulator).</param>
    public static Result<Journal, StoreError> Open(
        IDisk disk, JournalOptions? options = null, Action<Action>? background = null)
    {
        options ??= new JournalOptions();
        Invariant.That(
            options.SegmentBytes is >= 4096 and <= 64 << 20 && options.SegmentBytes % 4096 == 0,
            $"a segment of {options.SegmentBytes} bytes");
        Journal journal = new(disk, options, background ?? (static action => action()));
        Result<Unit, DiskError> opened = journal._segments.OpenExisting();
        if (opened.IsOk)
        {
            return journal;
        }

        journal._segments.Dispose();
        return StoreError.From(opened.Error);
    }

    /// <summary>Delivers every record that is still there, in order, and makes the journal ready for appends.</summary>
    public Result<JournalReplayReport, StoreError> Replay(JournalVisitor visitor)
    {
        Invariant.That(!_isReplayed, "a journal is replayed once");
        JournalRecovery recovery = new(_segments, visitor);
        if (!recovery.Run().TryGet(out JournalReplayReport? report, out DiskError error))
        {
            return StoreError.From(error);
        }

        lock (_gate)
        {
            _nextSegment = recovery.LastSegment + 1;
            _nextSeq = recovery.LastSeq + 1;
            _completeThrough = recovery.LastSeq;
            _commits.DurableThrough = recovery.LastSeq;
            Result<Unit, DiskError> begun = BeginSegment();
            begun = begun.IsOk ? _current!.Sync() : begun;
            if (!begun.IsOk)
            {
                return StoreError.From(begun.Error);
            }

            _isReplayed = true;
            foreach (SegmentSlot slot in recovery.Unneeded)
            {
                _segments.Free(slot);
            }
        }

        _maintenance.Schedule();
        return report;
    }

    /// <summary>Appends a record. When it returns, the record survives kill -9; after <see cref="Commit"/>, power loss.</summary>
    /// <param name="kind">What it is.</param>
    /// <param name="head">The consumer's description of the payload, at most 1,024 bytes.</param>
    /// <param name="payload">The bytes, at most 2 MiB; written from where they are, not copied.</param>
    /// <remarks>Allocates: no.</remarks>
    public Result<JournalPosition, StoreError> Append(
        JournalKind kind, ReadOnlySpan<byte> head, ReadOnlySpan<byte> payload)
    {
        int frameBytes = JournalFormat.FrameBytes(head.Length, payload.Length);
        if (head.Length > JournalFormat.HeadBytesMax || payload.Length > JournalFormat.PayloadBytesMax
            || frameBytes > _options.SegmentBytes - (2 * JournalFormat.HeaderBytes))
        {
            return new StoreError(StoreErrorKind.TooLarge, _options.Folder, $"a record of {payload.Length} bytes");
        }

        uint checksum = Crc32C.Append(Crc32C.Compute(head), payload);
        if (!Reserve((byte)kind, frameBytes).TryGet(out Reservation place, out StoreError error))
        {
            return error;
        }

        Span<byte> first = stackalloc byte[JournalFormat.HeaderBytes + JournalFormat.HeadBytesMax];
        FrameHeader header = place.Header((byte)kind, head.Length, payload.Length, checksum);
        JournalFormat.Write(first, header);
        head.CopyTo(first[JournalFormat.HeaderBytes..]);
        first = first[..(JournalFormat.HeaderBytes + head.Length)];
        Result<Unit, DiskError> written = place.Slot.File.Write(place.Offset, first, payload);
        Result<Unit, StoreError> ended = Complete(place, header, written);
        return ended.IsOk ? new JournalPosition(place.Segment, place.Offset, head.Length) : ended.Error;
    }

    /// <summary>Makes everything appended before the call survive power loss. Callers that come together share one sync.</summary>
    /// <remarks>Blocks. A failed sync is final: the journal refuses everything until the daemon is started again.</remarks>
    public Result<Unit, StoreError> Commit() => _commits.Commit();

    /// <summary>As <see cref="Commit"/>, run by the background runner.</summary>
    public Task<Result<Unit, StoreError>> CommitAsync() => _runner.CommitAsync();

    /// <summary>Reads part of a record's payload. One positional read; allocates nothing; not checked against the checksum.</summary>
    public Result<Unit, StoreError> Read(JournalPosition position, int offset, Span<byte> destination)
    {
        SegmentSlot? slot;
        lock (_gate)
        {
            slot = _segments.Find(position.Segment);
        }

        if (slot is null)
        {
            return new StoreError(StoreErrorKind.NotFound, _options.Folder, $"segment {position.Segment} was released");
        }

        Result<Unit, DiskError> read = slot.File.Read(position.PayloadOffset + offset, destination);
        return read.IsOk ? Unit.Value : StoreError.From(read.Error);
    }

    /// <summary>Says that a record is needed no more, because what it says is durable elsewhere.</summary>
    /// <param name="position">Which record.</param>
    /// <param name="after">
    /// An earlier record that this one makes void, released or not: whoever finds it at a replay must find this one, too. So
    /// this one goes only when the segment of that one is wiped. Default: none.
    /// </param>
    /// <remarks>When nothing in a segment is needed, its file is used again.</remarks>
    public void Release(JournalPosition position, JournalPosition after = default)
    {
        bool isWork;
        lock (_gate)
        {
            if (after.Segment != position.Segment && after != default && _segments.IsThere(after.Segment))
            {
                // Where there is no room writers wait: no segment would be begun that has the maintenance look.
                _held.Add(position, after);
                isWork = _segments.IsCrowded;
            }
            else
            {
                isWork = ReleaseNow(position);
            }
        }

        if (isWork)
        {
            _maintenance.Schedule();
        }
    }

    /// <summary>Syncs and closes in order: the next replay knows that no tail was lost.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            while (_maintenance.IsRunning || _commits.IsSyncing)
            {
                Monitor.Wait(_gate);
            }

            if (_isReplayed && _failure is null && _current is { } current)
            {
                Span<byte> frame = stackalloc byte[JournalFormat.HeaderBytes];
                JournalFormat.Write(frame, ControlFrame(FrameKind.Closed, current));
                _ = current.File.Write(current.End, frame);
                foreach (SegmentSlot slot in _segments.Slots)
                {
                    _ = Math.Max(slot.Number, slot.Unwiped) != 0 ? slot.Sync() : Unit.Value;
                }
            }
        }

        _segments.Dispose();
    }

    private Result<Reservation, StoreError> Reserve(byte kind, int frameBytes)
    {
        Reservation place;
        bool rolled = false;
        lock (_gate)
        {
            Invariant.That(_isReplayed && !_disposed, "a journal takes records between replay and disposal");
            if (_failure is { } failure)
            {
                return failure;
            }

            if (_current!.End + frameBytes + JournalFormat.HeaderBytes > _options.SegmentBytes)
            {
                Result<Unit, StoreError> roll = Roll(isExtent: kind == (byte)JournalKind.Extent);
                if (!roll.IsOk)
                {
                    return roll.Error;
                }

                rolled = true;
            }

            Invariant.That(_nextSeq - _completeThrough < RingSize, "more appends side by side than threads can be");
            place = new Reservation(_current, _current.Number, _current.End, _nextSeq, _commits.DurableThrough);
            _current.PrepareFor(frameBytes);
            _current.End += frameBytes;
            _current.LastSeq = _nextSeq;
            _current.Writing++;
            _current.Live++;
            _nextSeq++;
        }

        if (rolled)
        {
            _maintenance.Schedule();
        }

        return place;
    }

    private Result<Unit, StoreError> Complete(
        in Reservation place, in FrameHeader header, Result<Unit, DiskError> written)
    {
        bool isVoid = !written.IsOk && Void(place, header);
        lock (_gate)
        {
            place.Slot.Writing--;
            if (!written.IsOk)
            {
                place.Slot.Live--;
                _failure ??= isVoid ? null : StoreError.From(written.Error);
            }

            if (_failure is null)
            {
                Finish(place.Seq);
                while (_completeThrough < place.Seq && _failure is null)
                {
                    _waiting++;
                    Monitor.Wait(_gate);
                    _waiting--;
                }
            }
            else
            {
                Monitor.PulseAll(_gate);
            }

            _commits.LastRecord = Math.Max(_commits.LastRecord, place.Seq);
            return !written.IsOk ? StoreError.From(written.Error)
                : _failure is { } failure ? failure
                : Unit.Value;
        }
    }

    /// <summary>A frame that could not be written is overwritten by an empty one, so that those behind it still count.</summary>
    private static bool Void(in Reservation place, in FrameHeader header)
    {
        Span<byte> frame = stackalloc byte[JournalFormat.HeaderBytes];
        JournalFormat.Write(frame, header with { Kind = (byte)FrameKind.Void });
        return place.Slot.File.Write(place.Offset, frame).IsOk;
    }

    private void Finish(ulong seq)
    {
        _done[seq % RingSize] = true;
        while (_done[(_completeThrough + 1) % RingSize])
        {
            _completeThrough++;
            _done[_completeThrough % RingSize] = false;
        }

        if (_waiting > 0)
        {
            Monitor.PulseAll(_gate);
        }
    }

    private Result<Unit, StoreError> Roll(bool isExtent)
    {
        if (isExtent && _segments.Available <= _options.SegmentsReserved)
        {
            return new StoreError(StoreErrorKind.NoSpace, _options.Folder, "the journal is full of unpublished bytes");
        }

        SegmentSlot old = _current!;
        Result<Unit, DiskError> begun = BeginSegment();
        if (!begun.IsOk)
        {
            return StoreError.From(begun.Error) is { Kind: StoreErrorKind.DiskFull } full && _segments.Available == 0
                ? full with { Kind = StoreErrorKind.NoSpace }
                : StoreError.From(begun.Error);
        }

        old.IsSealed = true;
        _ = FreeIfUnneeded(old);
        return Unit.Value;
    }

    /// <summary>Seals the current segment and begins the next; the seal's sequence comes before the new segment's.</summary>
    private Result<Unit, DiskError> BeginSegment()
    {
        Result<Unit, DiskError> durable = _segments.WipesToTake ? _segments.SyncAll(_completeThrough) : Unit.Value;
        if (!durable.IsOk)
        {
            Fail(StoreError.From(durable.Error));
            return durable;
        }

        if (!_segments.Take(isForced: !_isReplayed).TryGet(out SegmentSlot? slot, out DiskError error))
        {
            return error;
        }

        if (_current is { } current)
        {
            Result<Unit, DiskError> written = WriteControl(FrameKind.Seal, current);
            if (!written.IsOk)
            {
                _segments.AddReady(slot);
                return written;
            }
        }

        Result<Unit, DiskError> begun = slot.Begin(
            _nextSegment, _nextSeq, _commits.DurableThrough, _options.SegmentBytes);
        if (!begun.IsOk)
        {
            _failure = StoreError.From(begun.Error);
            return begun;
        }

        _nextSegment++;
        _current = slot;
        return Unit.Value;
    }

    private Result<Unit, DiskError> WriteControl(FrameKind kind, SegmentSlot slot)
    {
        Span<byte> frame = stackalloc byte[JournalFormat.HeaderBytes];
        JournalFormat.Write(frame, ControlFrame(kind, slot));
        slot.PrepareFor(frame.Length);
        Result<Unit, DiskError> written = slot.File.Write(slot.End, frame);
        if (written.IsOk)
        {
            slot.End += JournalFormat.HeaderBytes;
            slot.LastSeq = _nextSeq;
            _nextSeq++;
            Finish(slot.LastSeq);
        }

        return written;
    }

    private FrameHeader ControlFrame(FrameKind kind, SegmentSlot slot) =>
        new((byte)kind, 0, 0, 0, slot.Number, _nextSeq, _commits.DurableThrough);

    private bool FreeIfUnneeded(SegmentSlot slot)
    {
        bool isUnneeded = slot is { Live: 0, Writing: 0, IsSealed: true } && slot.Number != 0;
        if (isUnneeded)
        {
            _segments.Free(slot);
        }

        return isUnneeded;
    }

    private bool ReleaseNow(JournalPosition position)
    {
        SegmentSlot? slot = _segments.Find(position.Segment);
        Invariant.That(slot is { Live: > 0 }, $"record {position} released twice");
        slot.Live--;
        return FreeIfUnneeded(slot);
    }

    private void ReleaseAll(IReadOnlyList<HeldRecord> held)
    {
        foreach (HeldRecord record in held)
        {
            _ = ReleaseNow(record.Position);
        }
    }

    private (ulong Through, List<SegmentSlot> Slots, StoreError? Failure) CollectForSync() =>
        (_completeThrough, _segments.FindUnsynced(_completeThrough), _failure);

    /// <summary>Runs under the gate after a sync: notes it, and writes a mark behind the last frame.</summary>
    private void MarkDurable(StoreError? failure)
    {
        _failure ??= failure;
        if (_failure is null && !_disposed && _current is { } current
            && current.End + (2 * JournalFormat.HeaderBytes) <= _options.SegmentBytes)
        {
            _ = WriteControl(FrameKind.Mark, current);
        }
    }

    private void Fail(StoreError error)
    {
        _failure ??= error;
        Monitor.PulseAll(_gate);
    }
}
