using Cairn.Core.Primitives;
using Cairn.Node.Volumes;

namespace Cairn.Gateway.Control;

/// <summary>An entry in a listing without a mount (<c>cairn ls</c>, <c>cairn stat</c>).</summary>
/// <param name="Name">The name; bytes that are not UTF-8 are U+EF80 to U+EFFF.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Mode">Permission bits.</param>
/// <param name="UserId">Owner.</param>
/// <param name="GroupId">Group.</param>
/// <param name="SizeBytes">Length.</param>
/// <param name="DataBytes">Length without holes.</param>
/// <param name="LinkCount">Entries that point at it.</param>
/// <param name="Inode">Its number.</param>
/// <param name="Modified">Last change of content.</param>
/// <param name="Changed">Last change of anything.</param>
/// <param name="OpenOn">The other nodes that have it open for writing.</param>
public sealed record EntrySummary(
    string Name,
    ObjectKind Kind,
    uint Mode,
    uint UserId,
    uint GroupId,
    long SizeBytes,
    long DataBytes,
    uint LinkCount,
    ulong Inode,
    WallTime Modified,
    WallTime Changed,
    IReadOnlyList<string> OpenOn)
{
    /// <summary>From what the volume says.</summary>
    public static EntrySummary From(IVolume volume, string name, in ObjectAttributes attributes) => new(
        name,
        attributes.Kind,
        attributes.Mode,
        attributes.UserId,
        attributes.GroupId,
        attributes.SizeBytes,
        attributes.DataBytes,
        attributes.LinkCount,
        attributes.Inode.Value,
        attributes.Modified,
        attributes.Changed,
        volume.Presence?.Elsewhere(attributes.Inode) ?? []);
}
