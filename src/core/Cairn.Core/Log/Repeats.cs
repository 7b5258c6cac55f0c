using System.Collections.Immutable;
using Cairn.Core.Primitives;

namespace Cairn.Core.Log;

/// <summary>The rest of the transaction says once more what its author had written under other numbers, and lost.</summary>
/// <remarks>
/// First in its transaction. Should the original come back, the two count once: docs/decisions/own-log-damage.md.
/// </remarks>
/// <param name="Originals">Under which numbers, oldest first; transactions of others are none.</param>
public sealed record Repeats(ImmutableArray<TransactionId> Originals) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.Repeats;

    /// <summary>What a transaction repeats; empty for almost all.</summary>
    public static ImmutableArray<TransactionId> OriginalsOf(Transaction transaction) =>
        transaction.Primitives[0] is Repeats repeats
            ? repeats.Originals.RemoveAll(original => original.Log.Author != transaction.Id.Log.Author)
            : [];

    /// <summary>A transaction that says the same under other numbers.</summary>
    /// <param name="transaction">It may repeat others itself.</param>
    /// <returns>Its primitives, for a transaction that is yet to be made.</returns>
    public static ImmutableArray<Primitive> Again(Transaction transaction) =>
    [
        new Repeats(OriginalsOf(transaction).Add(transaction.Id)),
        .. transaction.Primitives.Where(static primitive => primitive is not Repeats),
    ];

    /// <summary>What a transaction says, whatever its number: primitives carry random ids, so two that say the same are one.</summary>
    public static byte[] MeaningOf(Transaction transaction) => TransactionCodec.Encode(transaction with
    {
        Id = new TransactionId(new LogId(default, 1), 1),
        Dependencies = [],
        Primitives = transaction.Primitives.RemoveAll(static primitive => primitive is Repeats),
    });
}
