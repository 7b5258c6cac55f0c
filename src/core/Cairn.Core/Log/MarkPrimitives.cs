using System.Collections.Immutable;
using Cairn.Core.Primitives;

namespace Cairn.Core.Log;

/// <summary>
/// An admin wrote another mark, for what came into limited folders of a volume since the last: whoever may not edit some
/// folder is only obeyed in what was written after it, or what the admin had seen.
/// </summary>
/// <param name="Volume">Which volume.</param>
/// <param name="Seen">What the author had of the volume's logs: judged as before.</param>
/// <param name="After">A transaction of the volume that the author wrote behind all it had seen.</param>
/// <param name="Idle">The marks of earlier renewals that judge nothing any more beside this one: they are forgotten.</param>
public sealed record RenewMark(
    VolumeId Volume, LogPositions Seen, TransactionId After, ImmutableArray<TransactionId> Idle) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.RenewMark;
}

/// <summary>A mark never came, and another stands for it from now on: its limit is the same, and has seen the same.</summary>
/// <param name="Volume">Which volume.</param>
/// <param name="Lost">The mark of a limit, or of a renewal.</param>
/// <param name="After">A transaction of the volume that the author wrote instead.</param>
public sealed record ReplaceMark(VolumeId Volume, TransactionId Lost, TransactionId After) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.ReplaceMark;
}
