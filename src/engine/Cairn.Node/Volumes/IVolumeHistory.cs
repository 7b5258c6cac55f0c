using Cairn.Core.Primitives;
using Cairn.Core.Tree;

namespace Cairn.Node.Volumes;

/// <summary>A version of a file, past or present.</summary>
/// <param name="Version">Which.</param>
/// <param name="SizeBytes">Length of the file.</param>
/// <param name="Modified">Claimed time of the last write.</param>
/// <param name="Published">Claimed time of publishing.</param>
/// <param name="Author">The node that wrote it.</param>
/// <param name="AuthorName">What that node calls itself.</param>
/// <param name="Origin">How it came to be.</param>
/// <param name="IsShown">Whether it is the content of a name now: the file's own, or a conflict's.</param>
/// <param name="ReplacedAt">The claim of when it stopped being shown; null while it is.</param>
public sealed record FileVersion(
    VersionId Version,
    long SizeBytes,
    WallTime Modified,
    WallTime Published,
    NodeId Author,
    string AuthorName,
    VersionOrigin Origin,
    bool IsShown,
    WallTime? ReplacedAt);

/// <summary>Something removed that can be brought back.</summary>
/// <param name="Inode">Its number: history and undeletion know it by this.</param>
/// <param name="Path">Where it was last, from the root, with '/'; bytes that are not UTF-8 are U+EF80 to U+EFFF.</param>
/// <param name="Kind">What it is.</param>
/// <param name="SizeBytes">Length.</param>
/// <param name="RemovedAt">The claim of when.</param>
/// <param name="RemovedBy">The node on which it was removed.</param>
/// <param name="RemovedByName">What that node calls itself.</param>
public sealed record TrashEntry(
    InodeNumber Inode,
    string Path,
    ObjectKind Kind,
    long SizeBytes,
    WallTime RemovedAt,
    NodeId RemovedBy,
    string RemovedByName);

/// <summary>One side of a conflict.</summary>
/// <param name="Inode">Its number.</param>
/// <param name="ShownName">The name it is shown under.</param>
/// <param name="Kind">What it is.</param>
/// <param name="SizeBytes">Length.</param>
/// <param name="Modified">Claimed time of the last write.</param>
/// <param name="Author">The node that wrote it.</param>
/// <param name="AuthorName">What that node calls itself.</param>
public sealed record ConflictSide(
    InodeNumber Inode,
    string ShownName,
    ObjectKind Kind,
    long SizeBytes,
    WallTime Modified,
    NodeId Author,
    string AuthorName);

/// <summary>A name that several versions or objects claim.</summary>
/// <param name="Path">The name's path from the root, with '/'.</param>
/// <param name="Sides">What claims it; the first holds the name.</param>
public sealed record NameConflict(string Path, IReadOnlyList<ConflictSide> Sides);

/// <summary>What became of a wish to merge.</summary>
public enum MergeOutcome
{
    /// <summary>The name has one version that has the changes of both.</summary>
    Merged,

    /// <summary>Both changed the same place; nothing was done.</summary>
    Overlap,

    /// <summary>One side is no text, or too long; nothing was done.</summary>
    NotText,

    /// <summary>They have no common ancestor, or it is not kept any more; nothing was done.</summary>
    NoAncestor,

    /// <summary>Somebody writes one of them now; trying again helps.</summary>
    Busy,

    /// <summary>The name is not in conflict.</summary>
    NoConflict,
}

/// <summary>How a merge ended.</summary>
/// <param name="Outcome">What happened.</param>
/// <param name="Line">For an overlap: the line of the common ancestor, counted from 1.</param>
public readonly record struct MergeReport(MergeOutcome Outcome, int Line);

/// <summary>The past of a volume: what files were, what was removed, and which names are in conflict.</summary>
/// <remarks>
/// Nothing here destroys: what is given up is in the history or the trash afterwards. Thread: any; calls complete
/// synchronously and take the volume's gate for short steps.
/// </remarks>
public interface IVolumeHistory
{
    /// <summary>The versions of a file (or removed file) that are still kept, the newest first.</summary>
    Result<IReadOnlyList<FileVersion>, VolumeError> Versions(InodeNumber file);

    /// <summary>Opens a version for reading; the handle is read and released like any other.</summary>
    Result<OpenedFile, VolumeError> OpenVersion(InodeNumber file, VersionId version);

    /// <summary>Makes a past version the content of its file again, of a removed one too; no data moves.</summary>
    Result<Unit, VolumeError> Restore(InodeNumber file, VersionId version);

    /// <summary>What was removed and is still kept, the latest removal first.</summary>
    IReadOnlyList<TrashEntry> Trash();

    /// <summary>Brings a removed object back, a removed directory above it, and what was removed together with it from within.</summary>
    /// <param name="removed">From <see cref="Trash"/>.</param>
    /// <param name="newName">Another name in the same directory; empty for the old one.</param>
    Result<Unit, VolumeError> Undelete(InodeNumber removed, ReadOnlyMemory<byte> newName);

    /// <summary>Lets go of everything that was removed up to now, whatever its rule says.</summary>
    Result<Unit, VolumeError> EmptyTrash();

    /// <summary>All names in conflict, in no particular order.</summary>
    IReadOnlyList<NameConflict> Conflicts();

    /// <summary>Ends a conflict.</summary>
    /// <param name="parent">The directory.</param>
    /// <param name="name">The name in conflict.</param>
    /// <param name="kept">The side that is to hold the name; null keeps all, each as a file of its own.</param>
    Result<Unit, VolumeError> Resolve(InodeNumber parent, ReadOnlyMemory<byte> name, InodeNumber? kept);

    /// <summary>Ends a conflict of texts by a version that has what either side changed of their common ancestor.</summary>
    /// <param name="parent">The directory.</param>
    /// <param name="name">The name in conflict.</param>
    ValueTask<Result<MergeReport, VolumeError>> Merge(InodeNumber parent, ReadOnlyMemory<byte> name);
}
