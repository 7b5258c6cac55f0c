using System.Collections.Immutable;
using Cairn.Core.Primitives;

namespace Cairn.Core.Log;

/// <summary>
/// An atomic step of one log: all its primitives take effect together, after everything it depends on.
/// </summary>
/// <param name="Id">Its place in its author's log; the previous one of the same log is an implicit dependency.</param>
/// <param name="Dependencies">
/// The heads of the history that the author had newly seen; sorted, none of its own log.
/// </param>
/// <param name="Claimed">The author's clock, shown to people, never used to order.</param>
/// <param name="Primitives">At least one.</param>
public sealed record Transaction(
    TransactionId Id, ImmutableArray<TransactionId> Dependencies, WallTime Claimed,
    ImmutableArray<Primitive> Primitives)
{
    /// <summary>The longest encoded transaction.</summary>
    public const int EncodedBytesMax = 900 * 1024;

    /// <summary>The longest name of an entry.</summary>
    public const int NameBytesMax = 255;

    /// <summary>The longest encoded ManifestRoot in a version.</summary>
    public const int ManifestBytesMax = 64 * 1024;
}
