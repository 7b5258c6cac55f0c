using Cairn.Core.Primitives;

namespace Cairn.Core.Log;

/// <summary>The author begins every fold of a volume with a checkpoint from now on, or says that it cannot.</summary>
/// <remarks>It is settled once all have said so: docs/decisions/compaction.md.</remarks>
/// <param name="Volume">Of which volume.</param>
/// <param name="Checkpoint">One that stands.</param>
/// <param name="Agrees">
/// Whether what it has folded is that checkpoint and what came behind it; false: something came before it since, or it is not
/// known here.
/// </param>
public sealed record SettleCheckpoint(VolumeId Volume, MadeCheckpoint Checkpoint, bool Agrees) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.SettleCheckpoint;
}
