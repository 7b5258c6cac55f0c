using System.Text;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Core.Tree;

namespace Cairn.Node.Snapshots;

/// <summary>A volume's schedule of snapshots, replicated and ordered like everything else.</summary>
/// <remarks>Kept as the rule of an object that never exists. Format: docs/formats/snapshot-schedule.md.</remarks>
internal static class ScheduleMark
{
    /// <summary>The version of the layout, the first byte.</summary>
    public const byte FormatVersion = 1;

    private static ObjectId Place { get; } = MarkPlace.Of("cairn/snapshot-schedule"u8);

    /// <summary>What this state of the tree says; off if it is not to be understood.</summary>
    public static SnapshotSchedule Of(TreeQueries queries) =>
        queries.Rule(Place) is { Length: > 1 } bytes && bytes.Span[0] == FormatVersion
            ? SnapshotSchedule.Parse(Encoding.ASCII.GetString(bytes.Span[1..])) ?? SnapshotSchedule.Off
            : SnapshotSchedule.Off;

    /// <summary>The mark as a primitive.</summary>
    public static SetRule ToPrimitive(SnapshotSchedule schedule) => new(
        Place, (byte[])[FormatVersion, .. Encoding.ASCII.GetBytes(schedule.ToString())]);
}
