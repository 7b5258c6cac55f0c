namespace Cairn.Storage.Journaling;

/// <summary>A place in a segment that one append may write, outside the lock.</summary>
internal readonly record struct Reservation(
    SegmentSlot Slot, ulong Segment, int Offset, ulong Seq, ulong DurableThrough)
{
    /// <summary>The header of the frame that goes there.</summary>
    public FrameHeader Header(byte kind, int headLength, int payloadLength, uint checksum) =>
        new(kind, headLength, payloadLength, checksum, Segment, Seq, DurableThrough);
}
