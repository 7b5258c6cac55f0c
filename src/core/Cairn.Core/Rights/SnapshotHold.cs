using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Rights;

/// <summary>A clone needs a snapshot from now on, or no longer.</summary>
/// <param name="Snapshot">Which.</param>
/// <param name="By">The volume that needs it.</param>
/// <param name="IsHeld">Whether it does.</param>
/// <param name="Seen">What the author had of the logs of the snapshot's volume: judged as it was before.</param>
public sealed record SnapshotHold(Bytes16 Snapshot, VolumeId By, bool IsHeld, LogPositions Seen);
