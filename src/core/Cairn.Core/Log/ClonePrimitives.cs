using System.Collections.Immutable;
using Cairn.Core.Primitives;

namespace Cairn.Core.Log;

/// <summary>A snapshot that a clone needs.</summary>
/// <param name="Volume">The volume that it is a snapshot of.</param>
/// <param name="Snapshot">Which: there for whoever had the positions.</param>
/// <param name="Seen">What the author had of that volume's logs: no removal that is not in it removes the snapshot.</param>
public readonly record struct CloneOrigin(VolumeId Volume, Bytes16 Snapshot, LogPositions Seen);

/// <summary>A volume is made that begins with the chunks of a snapshot, and the snapshot is held for it.</summary>
/// <param name="Volume">A fresh random id.</param>
/// <param name="Name">UTF-8.</param>
/// <param name="Origins">The snapshot; if its volume is a clone, also what that needs, and so on.</param>
public sealed record CloneVolume(
    VolumeId Volume, ReadOnlyMemory<byte> Name, ImmutableArray<CloneOrigin> Origins) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.CloneVolume;
}

/// <summary>A clone has all that it begins with: from now on its keys are everybody's.</summary>
/// <param name="Volume">Which.</param>
public sealed record CompleteClone(VolumeId Volume) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.CompleteClone;
}

/// <summary>A clone is removed, and holds no snapshot any more.</summary>
/// <param name="Volume">Which.</param>
/// <param name="Seen">
/// What the author had of the logs of the volumes it came from: what that has not removed a snapshot with yet, does not.
/// </param>
public sealed record RemoveClone(VolumeId Volume, ImmutableArray<SeenLogs> Seen) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.RemoveClone;
}
