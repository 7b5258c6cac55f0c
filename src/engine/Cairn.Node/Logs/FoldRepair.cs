using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Node.Logs;

/// <summary>Folds everything again when something belongs where nothing can be undone.</summary>
/// <remarks>
/// Where a block cannot be read any more it is done later, when a peer has sent the block again: without it, what builds
/// on it would be missing from the fold, this node's own writing among it. Thread: under the log's gate.
/// </remarks>
internal sealed class FoldRepair(ReplicatedLog log)
{
    private LogPositions? _waitsFor;

    /// <summary>Whether it was put off, and everything is back now.</summary>
    public bool IsDue => _waitsFor is not null && log.Exchange.Positions.Covers(_waitsFor);

    /// <summary>Folds everything again, or puts it off.</summary>
    /// <returns>The keys that changed.</returns>
    public IReadOnlyList<byte[]> Run()
    {
        LogPositions before = log.Exchange.Positions;
        IReadOnlyList<byte[]>? changed = new LogRecovery(log, log.Ports).Refold();
        _waitsFor = changed is null ? before : null;
        log.NoteLoss();
        return changed ?? [];
    }

    /// <summary>A block that was held cannot be read: its log ends before it, and peers send the rest again.</summary>
    /// <remarks>Not so an own log: it goes on where it ends, and who lacks the block asks those that have it.</remarks>
    public void Lose(LogId id, ulong seq)
    {
        if (id.Author != log.Ports.Identity.Node)
        {
            new LogRecovery(log, log.Ports).EndBefore(id, seq);
            log.NoteLoss();
        }
    }
}
