using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Node.Logs.Recovery;

/// <summary>Says whether an index that knows more of others' logs than can be read here is kept until they send the rest again.</summary>
/// <remarks>
/// Made anew of what is left, the tree would be that of long ago, with own work since among what is missing. Whoever changes
/// something in it takes up what all members, this one too, agreed to collect. docs/decisions/own-log-damage.md.
/// </remarks>
internal static class KeptIndex
{
    /// <summary>What is to come back; null: something of it may be nowhere, and the index is made anew.</summary>
    /// <param name="log">Whose index was found, at a start; what its blocks say is folded.</param>
    /// <param name="lastKnown">The last transaction of a log that is in a block here, or waits to be sealed into one.</param>
    public static LogPositions? Awaited(ReplicatedLog log, Func<LogId, ulong> lastKnown)
    {
        // What is missing of the own log, or of a table that came from another member, is found and asked for otherwise.
        LogPositions folded = log.Fold.Positions;
        LogPositions elsewhere = log.Ports.Elsewhere();
        return log.Copied.Awaited is null && folded.Logs.All(known =>
            lastKnown(known.Key) >= known.Value.TransactionSeq
            || (known.Key.Author != log.Ports.Identity.Node
                && elsewhere.Contains(new TransactionId(known.Key, known.Value.TransactionSeq))))
            ? folded
            : null;
    }
}
