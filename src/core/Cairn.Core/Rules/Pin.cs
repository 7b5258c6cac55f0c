using Cairn.Core.Primitives;

namespace Cairn.Core.Rules;

/// <summary>A file or folder that a node keeps whole, whatever placement wants of it.</summary>
/// <remarks>
/// An object follows renames; the name follows editors that save by writing a new file and renaming it over the old one.
/// So a pin knows both, and is the object's as long as that is shown.
/// </remarks>
public sealed record Pin
{
    /// <summary>The volume.</summary>
    public required VolumeId Volume { get; init; }

    /// <summary>The file or folder; the root's id is zeros.</summary>
    public required ObjectId Object { get; init; }

    /// <summary>The folder it was in when it was pinned.</summary>
    public ObjectId Parent { get; init; }

    /// <summary>The name it had there; empty for the root.</summary>
    public ReadOnlyMemory<byte> Name { get; init; }

    /// <summary>Only files that somebody wrote in the last so many days; 0 is all of them.</summary>
    public int RecentDays { get; init; }

    /// <summary>The oldest claim of a last write that is kept; the least of all times when everything is.</summary>
    public WallTime Since(WallTime now) => RecentDays == 0
        ? new WallTime(long.MinValue)
        : new WallTime(now.UnixNanoseconds - (RecentDays * TimeSpan.NanosecondsPerTick * TimeSpan.TicksPerDay));

    /// <summary>Whether both pin the same, however it is called.</summary>
    public bool IsSame(Pin other) => (Volume, Object, RecentDays) == (other.Volume, other.Object, other.RecentDays);
}
