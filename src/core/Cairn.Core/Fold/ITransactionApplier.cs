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
    void Apply(Transaction transaction, ITreeTable state);

    /// <summary>The state was changed behind the applier's back (an undo, a load): decoded copies are void.</summary>
    void Forget();
}

/// <summary>The part of the key space that belongs to the fold itself.</summary>
public static class FoldKeys
{
    /// <summary>First byte of the fold's own keys.</summary>
    public const byte Reserved = 0xF0;
}
