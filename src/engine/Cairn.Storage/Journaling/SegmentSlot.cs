using Cairn.Core.Primitives;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Journaling;

/// <summary>One segment file: free, being written, or sealed and waiting until nothing in it is needed.</summary>
/// <remarks>Guarded by the journal's gate, but for writes into ranges that were reserved under it.</remarks>
internal sealed class SegmentSlot(int index, IDiskFile file)
{
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

    /// <summary>Makes a free slot an empty segment: its first frame names it.</summary>
    public Result<Unit, DiskError> Begin(ulong number, ulong nextSeq, ulong durableThrough, int fileBytes)
    {
        Span<byte> header = stackalloc byte[JournalFormat.HeaderBytes];
        JournalFormat.Write(
            header,
            new FrameHeader((byte)FrameKind.Segment, 0, 0, (uint)fileBytes, number, nextSeq, durableThrough));
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

    /// <summary>Wipes the name of the segment and syncs, so that no crash can bring its frames back into a replay.</summary>
    public Result<Unit, DiskError> Clear()
    {
        Span<byte> zeros = stackalloc byte[JournalFormat.HeaderBytes];
        zeros.Clear();
        Result<Unit, DiskError> written = File.Write(0, zeros);
        return written.IsOk ? File.Sync() : written;
    }
}
