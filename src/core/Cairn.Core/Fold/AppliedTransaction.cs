using Cairn.Core.Log;

namespace Cairn.Core.Fold;

/// <summary>A transaction in its place, with what it takes to undo it.</summary>
internal sealed class AppliedTransaction(Transaction transaction, TransactionOrder order)
{
    internal readonly Transaction Transaction = transaction;
    internal readonly TransactionOrder Order = order;
    internal ReadOnlyMemory<PreImage> Undo;
}
