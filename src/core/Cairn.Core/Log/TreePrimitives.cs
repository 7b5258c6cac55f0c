using System.Collections.Immutable;
using Cairn.Core.Primitives;

namespace Cairn.Core.Log;

/// <summary>
/// What a name held when something else was put there: the object and those of its heads the author had seen.
/// </summary>
/// <param name="Object">The object that held the name.</param>
/// <param name="Heads">Its heads as seen; empty for anything but a file.</param>
public sealed record Predecessor(ObjectId Object, ImmutableArray<VersionId> Heads);

/// <summary>A new object, without an entry and without content.</summary>
/// <param name="Object">A fresh random id.</param>
/// <param name="Type">What it is.</param>
/// <param name="Mode">Permission bits, 07777.</param>
/// <param name="UserId">Owner.</param>
/// <param name="GroupId">Group.</param>
/// <param name="Device">Device number of a device node, else 0.</param>
/// <param name="Modified">Claimed time of creation.</param>
/// <param name="LinkTarget">Where a symbolic link points (at most 4,095 bytes), else empty.</param>
public sealed record CreateObject(
    ObjectId Object, TreeKind Type, uint Mode, uint UserId, uint GroupId, uint Device, WallTime Modified,
    ReadOnlyMemory<byte> LinkTarget) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.CreateObject;
}

/// <summary>An entry for an object that exists (a new one, or one more hard link).</summary>
/// <param name="Parent">The directory.</param>
/// <param name="Name">1 to 255 bytes, without '/' and NUL.</param>
/// <param name="Object">What the entry points at.</param>
/// <param name="Replaced">What held the name before, if the author saw something there.</param>
public sealed record Place(ObjectId Parent, ReadOnlyMemory<byte> Name, ObjectId Object, Predecessor? Replaced)
    : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.Place;
}

/// <summary>Removes an entry, and with the last one the object; only as far as its author saw the object.</summary>
/// <param name="Parent">The directory.</param>
/// <param name="Name">The entry's name.</param>
/// <param name="Object">What it pointed at.</param>
/// <param name="Heads">The file's heads as seen; a head that is not among them keeps the entry.</param>
public sealed record Unplace(
    ObjectId Parent, ReadOnlyMemory<byte> Name, ObjectId Object, ImmutableArray<VersionId> Heads) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.Unplace;
}

/// <summary>An entry moves to another name or directory.</summary>
/// <param name="Object">What the entry points at.</param>
/// <param name="FromParent">The directory it was in.</param>
/// <param name="FromName">The name it had.</param>
/// <param name="ToParent">The directory it goes to.</param>
/// <param name="ToName">The name it gets.</param>
/// <param name="Replaced">What held the target name, if the author saw something there.</param>
public sealed record Move(
    ObjectId Object, ObjectId FromParent, ReadOnlyMemory<byte> FromName, ObjectId ToParent, ReadOnlyMemory<byte> ToName,
    Predecessor? Replaced) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.Move;
}

/// <summary>Two entries change places.</summary>
/// <param name="FirstObject">What the first points at.</param>
/// <param name="FirstParent">The first's directory.</param>
/// <param name="FirstName">The first's name.</param>
/// <param name="SecondObject">What the second points at.</param>
/// <param name="SecondParent">The second's directory.</param>
/// <param name="SecondName">The second's name.</param>
public sealed record Exchange(
    ObjectId FirstObject, ObjectId FirstParent, ReadOnlyMemory<byte> FirstName,
    ObjectId SecondObject, ObjectId SecondParent, ReadOnlyMemory<byte> SecondName) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.Exchange;
}

/// <summary>A new version of a file, in the place of those it was made from.</summary>
/// <param name="Object">The file.</param>
/// <param name="Version">A fresh random id.</param>
/// <param name="Parents">The heads it supersedes: what its writer had open, nothing else.</param>
/// <param name="SizeBytes">Length of the file.</param>
/// <param name="DataBytes">Of that, bytes that are not holes.</param>
/// <param name="Modified">Claimed time of the last write.</param>
/// <param name="Manifest">The encoded ManifestRoot, opaque here; at most 64 KiB, meant to stay below 4 KiB.</param>
public sealed record WriteVersion(
    ObjectId Object, VersionId Version, ImmutableArray<VersionId> Parents, long SizeBytes, long DataBytes,
    WallTime Modified, ReadOnlyMemory<byte> Manifest) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.WriteVersion;
}

/// <summary>Changes attributes; null leaves one as it is.</summary>
/// <param name="Object">The object.</param>
/// <param name="Head">
/// Which head a change of <paramref name="Modified"/> is for; default: the one that holds the name.
/// </param>
/// <param name="Mode">Permission bits.</param>
/// <param name="UserId">Owner.</param>
/// <param name="GroupId">Group.</param>
/// <param name="Modified">Modification time.</param>
public sealed record SetAttributes(
    ObjectId Object, VersionId Head, uint? Mode, uint? UserId, uint? GroupId, WallTime? Modified) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.SetAttributes;
}

/// <summary>Sets an extended attribute, or removes it when the value is null.</summary>
/// <param name="Object">The object.</param>
/// <param name="Name">1 to 255 bytes without NUL.</param>
/// <param name="Value">At most 64 KiB; null removes.</param>
public sealed record SetExtendedAttribute(
    ObjectId Object, ReadOnlyMemory<byte> Name, ReadOnlyMemory<byte>? Value) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.SetExtendedAttribute;
}

/// <summary>Gives up conflicting heads that the author saw; the last head of a file always stays.</summary>
/// <param name="Object">The file.</param>
/// <param name="Versions">The heads given up.</param>
public sealed record DiscardHeads(ObjectId Object, ImmutableArray<VersionId> Versions) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.DiscardHeads;
}

/// <summary>
/// The name under which this log's author appears in conflict names, so that every node shows the same.
/// </summary>
/// <param name="Name">UTF-8, at most 64 bytes.</param>
public sealed record NameAuthor(ReadOnlyMemory<byte> Name) : Primitive
{
    /// <summary>The longest name, in bytes.</summary>
    public const int BytesMax = 64;

    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.NameAuthor;
}

/// <summary>A rule for a file or folder, inherited below it.</summary>
/// <param name="Object">The file or folder.</param>
/// <param name="Rule">The encoded rule, opaque here; empty removes it.</param>
public sealed record SetRule(ObjectId Object, ReadOnlyMemory<byte> Rule) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.SetRule;
}

/// <summary>
/// A snapshot of a folder: it shows for ever what this transaction's author saw when it wrote it, the transaction
/// itself not included.
/// </summary>
/// <param name="Id">A fresh random id; one that exists already makes no second snapshot.</param>
/// <param name="Folder">What it covers.</param>
/// <param name="Name">Shown to people; empty removes the snapshot.</param>
public sealed record Snapshot(Bytes16 Id, ObjectId Folder, ReadOnlyMemory<byte> Name) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.Snapshot;
}

/// <summary>Forgets what was kept for snapshots that are gone, as far as no other snapshot shows it.</summary>
/// <param name="From">The first key of the table to look at.</param>
/// <param name="To">The end, excluded.</param>
public sealed record SweepKept(ReadOnlyMemory<byte> From, ReadOnlyMemory<byte> To) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.SweepKept;
}
