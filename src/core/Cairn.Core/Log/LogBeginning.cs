using Cairn.Core.Primitives;

namespace Cairn.Core.Log;

/// <summary>Where a log begins whose older blocks were dropped: the last block before the first that may be held.</summary>
/// <remarks>
/// The next block is signed and names the hash of this one and the transaction behind its last, so a beginning can be
/// checked against what follows it. The default means that the log begins at its first block. docs/decisions/compaction.md.
/// </remarks>
/// <param name="BlockSeq">The last block that was dropped; 0 for none.</param>
/// <param name="Hash">Its hash; zeros for none.</param>
/// <param name="TransactionSeq">The last transaction in it; 0 for none.</param>
/// <param name="Depth">All that was dropped is of less than this depth of the order: it is in a state of that depth.</param>
public readonly record struct LogBeginning(ulong BlockSeq, BlockHash Hash, ulong TransactionSeq, ulong Depth)
{
    /// <summary>Whether nothing was dropped.</summary>
    public bool IsFirst => BlockSeq == 0;

    /// <summary>As a position: what whoever begins here need not be sent.</summary>
    public LogPosition Position => new(BlockSeq, TransactionSeq);

    /// <summary>Whether there can be such a beginning: a block has a transaction at least, and each is of some depth.</summary>
    public bool IsPossible => IsFirst ? this == default : TransactionSeq >= BlockSeq && Depth > 0;
}
