using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Sync;

namespace Cairn.Node.Logs;

/// <summary>What this node says of its logs, made again only when something is new: it is asked for with each message of a peer.</summary>
/// <remarks>The same object as long as it says the same, so that whoever said it knows that. Thread: one at a time.</remarks>
internal sealed class SpokenWord(NodeId self)
{
    private LogPositions? _held;
    private LogPositions? _folded;
    private LogPositions? _vouched;
    private LogPositions _word = LogPositions.Empty;

    /// <summary>As <see cref="StabilityTracker.Word"/>.</summary>
    public LogPositions UpTo(LogPositions held, LogPositions folded, LogPositions vouched)
    {
        if (!ReferenceEquals(_held, held) || !ReferenceEquals(_folded, folded) || !ReferenceEquals(_vouched, vouched))
        {
            (_held, _folded, _vouched) = (held, folded, vouched);
            LogPositions word = StabilityTracker.Word(self, held, folded, vouched);
            _word = word.Equals(_word) ? _word : word;
        }

        return _word;
    }
}
