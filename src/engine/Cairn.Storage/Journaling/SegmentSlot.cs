using Cairn.Core.Primitives;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Journaling;

/// <summary>One segment file: free, being written, or sealed and waiting until nothing in it is needed.</summary>
/// <remarks>Guarded by the journal's gate, but for writes into ranges that were reserved under it.</remarks>
internal sealed class SegmentSlot(int index, IDiskFile file)
{
    /// <summary>The page of the system's cache, in bytes: who writes a part of one has the rest of it read from the disk first.</summary>
    private const int PageBytes = 4096;

    private static readonly byte[] ZeroPage = new byte[PageBytes];

    private ulong _durableName;

    /// <summary>Its number among the files.</summary>
    public int Index { get; } = index;

    /// <summary>The open file.</summary>
    public IDiskFile File { get; } = file;

    /// <summary>The segment in it; 0 when free.</summary>
    public ulong Number { get; set; }

    /// <summary>The segment whose name is still in a freed file; 0 once it is wiped. Until then a replay finds it.</summary>
    public ulong Unwiped { get; set; }

    /// <summary>Where the next frame goes.</summary>
    public int End { get; set; }

    /// <summary>Records in it that are still needed.</summary>
    public int Live { get; set; }

    /// <summary>No frame will be added.</summary>
    public bool IsSealed { get; set; }

    /// <summary>The first sequence reserved in it.</summary>
    public ulong FirstSeq { get; set; }

    /// <summary>The last sequence reserved in it.</summary>
    public ulong LastSeq { get; set; }

    /// <summary>Everything in it up to this sequence survives power loss.</summary>
    public ulong SyncedThrough { get; set; }

    /// <summary>Frames in it that were reserved and are not yet written.</summary>
    public int Writing { get; set; }

    /// <summary>Syncs of the file that run outside the gate; it must not be closed meanwhile.</summary>
    public int Users { get; set; }

    /// <summary>Whether power loss would leave the segment's name.</summary>
    public bool IsNameDurable => Number != 0 && Volatile.Read(ref _durableName) == Number;

    /// <summary>Whether the file holds frames of a segment that is gone.</summary>
    public bool IsUsedAgain { get; private set; }

    /// <summary>Before a frame is written at <see cref="End"/>: sees that the disk is not read for it.</summary>
    /// <param name="bytes">Bytes of the frame.</param>
    /// <remarks>
    /// The last page of a frame is written in part. Where the page holds an older segment's bytes and has left the system's cache, the
    /// write would wait for them to be read: once for every file of 4 KiB, after 1 GiB has passed through. So such a page is first
    /// written whole, with zeros. Under the gate: the frame behind this one may be written into the same page before this one is.
    /// </remarks>
    public void PrepareFor(int bytes)
    {
        int lastPage = (End + bytes) & -PageBytes;
        if (IsUsedAgain && lastPage >= End && lastPage < End + bytes)
        {
            // If it fails the frame pays the reading, and says what is wrong with the disk.
            _ = File.Write(lastPage, ZeroPage);
        }
    }

    /// <summary>Makes a free slot an empty segment: its first frame names it.</summary>
    public Result<Unit, DiskError> Begin(ulong number, ulong nextSeq, ulong durableThrough, int fileBytes)
    {
        Span<byte> header = stackalloc byte[JournalFormat.HeaderBytes];
        JournalFormat.Write(
            header,
            new FrameHeader((byte)FrameKind.Segment, 0, 0, (uint)fileBytes, number, nextSeq, durableThrough));
        End = 0;
        PrepareFor(JournalFormat.HeaderBytes);
        Result<Unit, DiskError> written = File.Write(0, header);
        if (written.IsOk)
        {
            Number = number;
            End = JournalFormat.HeaderBytes;
            Live = 0;
            IsSealed = false;
            FirstSeq = nextSeq;
            LastSeq = nextSeq - 1;
            SyncedThrough = nextSeq - 1;
        }

        return written;
    }

    /// <summary>Overwrites the header of a record, so that no replay finds it; frames behind it still count. Needs a sync.</summary>
    public Result<Unit, DiskError> MakeVoid(JournalPosition position)
    {
        Span<byte> frame = stackalloc byte[JournalFormat.HeaderBytes];
        Result<Unit, DiskError> read = File.Read(position.FrameOffset, frame);
        if (!read.IsOk)
        {
            return read;
        }

        if (!JournalFormat.TryRead(frame, out FrameHeader header) || header.Segment != position.Segment)
        {
            // A replay does not find it either.
            return Unit.Value;
        }

        JournalFormat.Write(frame, header with { Kind = (byte)FrameKind.Void });
        return File.Write(position.FrameOffset, frame);
    }

    /// <summary>Syncs the file, and with it the name of its segment.</summary>
    public Result<Unit, DiskError> Sync()
    {
        ulong number = Number;
        Result<Unit, DiskError> synced = File.Sync();
        if (synced.IsOk)
        {
            Volatile.Write(ref _durableName, number);
        }

        return synced;
    }

    /// <summary>Wipes the name of the segment and syncs, so that no crash can bring its frames back into a replay.</summary>
    public Result<Unit, DiskError> Clear()
    {
        IsUsedAgain = true;
        Result<Unit, DiskError> written = File.Write(0, ZeroPage.AsSpan(0, JournalFormat.HeaderBytes));
        return written.IsOk ? File.Sync() : written;
    }
}
