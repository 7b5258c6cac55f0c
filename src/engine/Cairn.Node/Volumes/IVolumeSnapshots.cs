using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Core.Text;
using Cairn.Core.Tree.Past;

namespace Cairn.Node.Volumes;

/// <summary>A snapshot of a folder.</summary>
/// <param name="Name">What it is called in this volume: the name under <c>.snapshots</c>.</param>
/// <param name="Folder">What it covers, from the root, with '/'; empty for the whole volume.</param>
/// <param name="TakenAt">The claim of when it was made.</param>
/// <param name="Author">The node that made it.</param>
/// <param name="AuthorName">What that node calls itself.</param>
public sealed record VolumeSnapshot(
    string Name, string Folder, WallTime TakenAt, NodeId Author, string AuthorName)
{
    /// <summary>The person who uses that node's machine; empty: nobody in particular, or the volume was asked alone.</summary>
    public string AuthorUser { get; init; } = string.Empty;
}

/// <summary>A past state of a volume: a snapshot, or a moment; or what it would be if nothing were refused.</summary>
/// <param name="Name">
/// A snapshot's name, or '@' and a time: what every node had written by then, by its own clock; or
/// <see cref="Refused"/>.
/// </param>
public sealed record PastState(string Name)
{
    /// <summary>
    /// The volume with all that was refused because its author may not write there: to look at it, and to copy it out.
    /// There is no such state while nothing is refused.
    /// </summary>
    public const string Refused = "@refused";

    /// <summary>With a time: all that others did since stays in it, only these nodes' work after the time is left out.</summary>
    public IReadOnlyList<NodeId> Without { get; init; } = [];
}

/// <summary>An entry that differs between a past state and now.</summary>
/// <param name="Path">From the root, with '/'; bytes that are not UTF-8 are U+EF80 to U+EFFF.</param>
/// <param name="Change">What became of it since.</param>
/// <param name="Kind">What it is, or was.</param>
/// <param name="SizeBefore">Its length then; null when it was not there.</param>
/// <param name="SizeAfter">Its length now; null when it is not there.</param>
public sealed record PastDifference(
    string Path, EntryChange Change, ObjectKind Kind, long? SizeBefore, long? SizeAfter);

/// <summary>What a restoration did.</summary>
/// <param name="Undo">
/// The snapshot that was made before: going back to it undoes the restoration. Empty when it changed nothing.
/// </param>
/// <param name="Changed">How many entries it changed.</param>
/// <param name="Lost">Paths whose data is no longer kept anywhere: they stay as they are.</param>
public sealed record RestoreOutcome(string Undo, long Changed, IReadOnlyList<string> Lost);

/// <summary>Past states of a volume as a whole.</summary>
/// <remarks>
/// Thread: any. What takes long takes the
/// volume's gate for short steps.
/// </remarks>
public interface IVolumeSnapshots
{
    /// <summary>Makes a snapshot of a folder as it is now, what is written and not yet published included.</summary>
    /// <returns>AlreadyExists when the name is taken, InvalidName when it is no <see cref="GivenName"/>.</returns>
    ValueTask<Result<VolumeSnapshot, VolumeError>> Create(
        InodeNumber folder, ReadOnlyMemory<byte> name, CancellationToken cancellation);

    /// <summary>All snapshots, the oldest first.</summary>
    IReadOnlyList<VolumeSnapshot> List();

    /// <summary>Which snapshots of the volume are made by themselves.</summary>
    SnapshotSchedule Schedule { get; }

    /// <summary>Sets that for all nodes; what was made before stays as far as the new schedule keeps its kind.</summary>
    Result<Unit, VolumeError> SetSchedule(SnapshotSchedule schedule);

    /// <summary>Removes a snapshot, on every node; what only it showed is collected.</summary>
    /// <returns>InUse while a clone of it is there.</returns>
    Result<Unit, VolumeError> Remove(string name);

    /// <summary>What differs below a path between a past state and now, by path.</summary>
    ValueTask<Result<IReadOnlyList<PastDifference>, VolumeError>> Compare(
        PastState past, string path, CancellationToken cancellation);

    /// <summary>
    /// Makes a file or folder what it was: what was not there goes into the trash, what is gone comes back. No data
    /// moves.
    /// </summary>
    /// <returns>
    /// NotSupported for what was refused: nothing keeps its data, and only who copies it out knows that it is there.
    /// </returns>
    ValueTask<Result<RestoreOutcome, VolumeError>> Restore(
        PastState past, string path, CancellationToken cancellation);
}
