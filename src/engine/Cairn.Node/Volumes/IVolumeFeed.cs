using Cairn.Core.Primitives;

namespace Cairn.Node.Volumes;

/// <summary>What happened to a path. The names are part of what `cairn watch --json` prints.</summary>
public enum ChangeKind
{
    /// <summary>A name came: a new file, folder or link, or something brought back.</summary>
    Created,

    /// <summary>A file has a new version.</summary>
    Written,

    /// <summary>A name was moved or renamed.</summary>
    Moved,

    /// <summary>A name was removed.</summary>
    Removed,

    /// <summary>Mode, owner, times, an extended attribute or a rule changed.</summary>
    Attributes,

    /// <summary>A side of a conflict was given up.</summary>
    Resolved,
}

/// <summary>One change.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Path">Where, from the root: as that place is called now, or was last.</param>
/// <param name="FromPath">For a move, where it was; else null.</param>
/// <param name="Time">The author's claim of when.</param>
/// <param name="Author">The node that did it.</param>
/// <param name="AuthorName">What that node calls itself.</param>
public sealed record VolumeChange(
    ChangeKind Kind, string Path, string? FromPath, WallTime Time, NodeId Author, string AuthorName);

/// <summary>A step through the changes of a volume.</summary>
/// <param name="Changes">What happened, in an order in which nothing comes before what its author had seen.</param>
/// <param name="Position">Where to go on; all changes of this step are before it.</param>
/// <param name="IsCaughtUp">Whether there was nothing more when this was read.</param>
public sealed record ChangeStep(IReadOnlyList<VolumeChange> Changes, string Position, bool IsCaughtUp);

/// <summary>The changes of a volume, by all nodes, from a position on.</summary>
/// <remarks>
/// A reader that remembers the position behind what it has dealt with sees every change at least once. Thread: any; reads the
/// disk.
/// </remarks>
public interface IVolumeFeed
{
    /// <summary>The position behind everything that is here now.</summary>
    string Now { get; }

    /// <summary>The next changes.</summary>
    /// <param name="position">From an earlier step or <see cref="Now"/>; empty for the beginning.</param>
    /// <returns><see cref="VolumeError.InvalidArgument"/> when that is no position.</returns>
    Result<ChangeStep, VolumeError> After(string position);
}
