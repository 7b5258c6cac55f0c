using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Sync;

/// <summary>The end of a log as held here: what the next block must follow.</summary>
/// <param name="BlockSeq">The last block; 0 for none.</param>
/// <param name="Hash">Its hash; zeros for none.</param>
/// <param name="TransactionSeq">The last transaction in it; 0 for none.</param>
public readonly record struct ChainTip(ulong BlockSeq, BlockHash Hash, ulong TransactionSeq)
{
    /// <summary>As a position.</summary>
    public LogPosition Position => new(BlockSeq, TransactionSeq);
}

/// <summary>Consecutive blocks of one log.</summary>
/// <param name="Log">Which log.</param>
/// <param name="First">The first block, from 1.</param>
/// <param name="Last">The last block, included.</param>
public readonly record struct BlockRange(LogId Log, ulong First, ulong Last);
