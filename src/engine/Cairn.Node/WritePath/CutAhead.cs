using Cairn.Core.Manifests;

namespace Cairn.Node.WritePath;

/// <summary>How much of a draft was cut while it was still being written: only what was written in order.</summary>
/// <remarks>
/// Where a chunk ends depends on the bytes before it alone, so what is cut early is cut as it would be at the end. A change
/// of anything that was written in order makes it void: the whole draft is cut when it is published, as if there were none.
/// Guarded by the volume's gate; <see cref="Content"/> and <see cref="End"/> change in a round of the publisher only.
/// </remarks>
internal sealed class CutAhead
{
    /// <summary>Where the first write began.</summary>
    public long Start { get; private set; } = -1;

    /// <summary>The chunks of the bytes from <see cref="Start"/> to <see cref="End"/>.</summary>
    public ManifestBuilder Content { get; } = new();

    /// <summary>Behind the last byte that was cut.</summary>
    public long End { get; set; }

    /// <summary>Behind the last byte that was written in order.</summary>
    public long WrittenEnd { get; private set; }

    /// <summary>Whether it counts no longer; its chunks may be named by no version.</summary>
    public bool IsVoid { get; private set; }

    /// <summary>Takes note of a write.</summary>
    public void NoteWrite(long start, long end)
    {
        if (Start < 0)
        {
            (Start, End, WrittenEnd) = (start, start, start);
        }

        NoteChange(start);
        WrittenEnd = start == WrittenEnd ? end : WrittenEnd;
    }

    /// <summary>Takes note that the bytes from <paramref name="start"/> on may be others, or no bytes, now.</summary>
    public void NoteChange(long start) => IsVoid |= start < WrittenEnd;

    /// <summary>Gives it up.</summary>
    public void Void() => IsVoid = true;

    /// <summary>Whether so much waits to be cut that beginning is worth it.</summary>
    public bool IsDue(PublishOptions options) =>
        !IsVoid && WrittenEnd - Start >= options.AheadFromBytes && WrittenEnd - End >= options.AheadStepBytes;
}
