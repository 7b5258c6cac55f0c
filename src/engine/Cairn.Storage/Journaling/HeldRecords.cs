namespace Cairn.Storage.Journaling;

/// <summary>A record that is needed only because a replay may still find the one that it makes void.</summary>
/// <param name="Position">The record.</param>
/// <param name="After">What it makes void, in an earlier segment.</param>
internal readonly record struct HeldRecord(JournalPosition Position, JournalPosition After);

/// <summary>Records that wait for an earlier segment to be wiped.</summary>
/// <remarks>
/// They keep their own segments, for whose sake others wait: one record that is needed for long, in the oldest segment, would by and by
/// keep all of them. So where segments get few, <see cref="JournalMaintenance"/> makes void by itself what they make void.
/// Guarded by the journal's gate.
/// </remarks>
internal sealed class HeldRecords
{
    private readonly SortedDictionary<ulong, List<HeldRecord>> _bySegment = [];

    /// <summary>The segments that something waits for, oldest first.</summary>
    public IEnumerable<ulong> Segments => _bySegment.Keys;

    /// <summary>A record waits from now on.</summary>
    public void Add(JournalPosition position, JournalPosition after)
    {
        if (!_bySegment.TryGetValue(after.Segment, out List<HeldRecord>? held))
        {
            _bySegment.Add(after.Segment, held = []);
        }

        held.Add(new HeldRecord(position, after));
    }

    /// <summary>Takes out what waits for a segment.</summary>
    public IReadOnlyList<HeldRecord> Take(ulong segment) =>
        _bySegment.Remove(segment, out List<HeldRecord>? held) ? held : [];
}
