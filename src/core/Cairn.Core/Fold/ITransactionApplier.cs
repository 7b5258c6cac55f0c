using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;

namespace Cairn.Core.Fold;

/// <summary>What transactions mean: a function of the state before and the transaction, and of nothing else.</summary>
public interface ITransactionApplier
{
    /// <summary>
    /// Applies one transaction to the state. It never fails: what makes no sense (any more) has no effect.
    /// </summary>
    /// <remarks>
    /// All state is in <paramref name="state"/>, whose writes are recorded to be undone; keys starting with
    /// <see cref="FoldKeys.Reserved"/> are the fold's own. An applier may keep decoded copies only if it drops them in
    /// <see cref="Forget"/>.
    /// </remarks>
    /// <returns>Whether it has its effect; false if it is refused or set aside as a whole.</returns>
    bool Apply(Transaction transaction, ITreeTable state);

    /// <summary>
    /// Whether a transaction is about the whole state that its author saw. Transactions that the author did not know
    /// may come before it in the order: then the state at its place is another.
    /// </summary>
    bool IsAboutWhatWasSeen(Transaction transaction) => false;

    /// <summary>Applies a transaction that is about what its author saw.</summary>
    /// <param name="transaction">The transaction.</param>
    /// <param name="state">The state at its place.</param>
    /// <param name="seenOtherwise">
    /// Keys whose value in the state that the author saw is another, with that value; sorted. The fold's own are not
    /// among them.
    /// </param>
    /// <returns>Whether it has its effect.</returns>
    bool Apply(
        Transaction transaction, ITreeTable state, IReadOnlyList<TableChange> seenOtherwise) =>
        Apply(transaction, state);

    /// <summary>Takes note of a transaction that has no effect at its place, and that others may have seen all the same.</summary>
    void LeaveOut(Transaction transaction, ITreeTable state)
    {
    }

    /// <summary>The state was changed behind the applier's back (an undo, a load): decoded copies are void.</summary>
    void Forget();
}

/// <summary>The part of the key space that belongs to the fold itself.</summary>
public static class FoldKeys
{
    /// <summary>The state ends before this first byte: what follows is each node's own, then the fold's.</summary>
    public const byte StateEnd = 0xE0;

    /// <summary>First byte of the fold's own keys.</summary>
    public const byte Reserved = 0xF0;
}
