namespace Cairn.Storage.Journaling;

/// <summary>What a journal record is. The journal carries its consumers' bytes without understanding them.</summary>
public enum JournalKind : byte
{
    /// <summary>Encrypted bytes of an open file. Refused first when the journal fills up.</summary>
    Extent = 1,

    /// <summary>A transaction of this node, not yet in a sealed block.</summary>
    Operation = 2,

    /// <summary>Anything small a consumer must remember until it is stored elsewhere.</summary>
    Note = 3,
}

/// <summary>Where a record lies in the journal, ordered as it was appended.</summary>
/// <param name="Value">Segment number (32 bits), frame offset / 64 (20 bits), length of the record's head (12 bits).</param>
public readonly record struct JournalPosition(ulong Value) : IComparable<JournalPosition>
{
    /// <summary>Before every record.</summary>
    public static JournalPosition Start => default;

    internal JournalPosition(ulong segment, int frameOffset, int headLength)
        : this((segment << 32) | ((ulong)(frameOffset / JournalFormat.Alignment) << 12) | (uint)headLength)
    {
    }

    internal ulong Segment => Value >> 32;

    internal int FrameOffset => (int)(Value >> 12 & 0xFFFFF) * JournalFormat.Alignment;

    internal int HeadLength => (int)(Value & 0xFFF);

    internal int PayloadOffset => FrameOffset + JournalFormat.HeaderBytes + HeadLength;

    /// <inheritdoc/>
    public int CompareTo(JournalPosition other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => $"{Segment}+{FrameOffset}";

    /// <summary>Before.</summary>
    public static bool operator <(JournalPosition left, JournalPosition right) => left.Value < right.Value;

    /// <summary>After.</summary>
    public static bool operator >(JournalPosition left, JournalPosition right) => left.Value > right.Value;

    /// <summary>Before or equal.</summary>
    public static bool operator <=(JournalPosition left, JournalPosition right) => left.Value <= right.Value;

    /// <summary>After or equal.</summary>
    public static bool operator >=(JournalPosition left, JournalPosition right) => left.Value >= right.Value;
}

/// <summary>Receives a record at replay, in the order of appending.</summary>
/// <returns>Whether the record is still needed; false releases it at once.</returns>
/// <remarks>The spans are valid only during the call. Records released before the crash may come again.</remarks>
public delegate bool JournalVisitor(
    JournalPosition position, JournalKind kind, ReadOnlySpan<byte> head, ReadOnlySpan<byte> payload);

/// <summary>What a replay found.</summary>
/// <param name="Records">Records delivered.</param>
/// <param name="WasClean">Whether the journal had been closed in order, so that no tail can have been lost.</param>
/// <param name="Damage">Committed bytes that could not be read back: reported, everything else was delivered.</param>
public sealed record JournalReplayReport(long Records, bool WasClean, IReadOnlyList<StoreFinding> Damage);

/// <summary>How the journal uses the disk.</summary>
public sealed record JournalOptions
{
    /// <summary>Folder below the home. Default <c>journal</c>.</summary>
    public string Folder { get; init; } = "journal";

    /// <summary>Bytes of one segment file; a multiple of 4 KiB, at most 64 MiB. Default 64 MiB.</summary>
    public int SegmentBytes { get; init; } = 64 << 20;

    /// <summary>At most so many segment files: what can wait to be written elsewhere. Default 32 (2 GiB).</summary>
    public int SegmentsMax { get; init; } = 32;

    /// <summary>Free segments are kept for reuse up to this count: a reused block costs no metadata at fdatasync. Default 20.</summary>
    public int SegmentsKept { get; init; } = 20;

    /// <summary>Segments made ahead, so that a burst of writes waits for no file system. Default 8 (512 MiB).</summary>
    public int SegmentsReady { get; init; } = 8;

    /// <summary>Segments that <see cref="JournalKind.Extent"/> may not take, so that operations still can. Default 2.</summary>
    public int SegmentsReserved { get; init; } = 2;

    /// <summary>Options that keep the journal to an eighth of the space a node gives, with at least six segments of 4 MiB.</summary>
    public static JournalOptions ForSpace(long allocatedBytes)
    {
        long share = Math.Clamp(allocatedBytes / 8, 24L << 20, 2L << 30);
        int segment = (int)Math.Clamp(share / 8 / (4 << 20) * (4 << 20), 4 << 20, 64 << 20);
        int count = (int)(share / segment);
        return new JournalOptions
        {
            SegmentBytes = segment,
            SegmentsMax = count,
            SegmentsKept = Math.Min(count, 20),
            SegmentsReady = Math.Min(count / 2, 8),
        };
    }

    /// <summary>The bytes the journal may take on the disk.</summary>
    public long BytesMax => (long)SegmentBytes * SegmentsMax;
}
