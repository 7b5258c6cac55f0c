using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Storage;

namespace Cairn.Node.Logs;

/// <summary>Own logs whose last blocks were lost here to damage: only peers may know what stood there.</summary>
/// <remarks>
/// What the journal still holds of lost blocks must not be sealed again: a second block of one number is a fork, and peers
/// take nothing of that log, and nothing that builds on it, ever after. So nothing is sealed until every reader of the
/// volume has said what it holds since this start, and all of it is back here. What is written meanwhile is in the
/// journal, and shown as not sent. docs/decisions/lost-log-end.md. Thread: under the log's gate,
/// but for <see cref="AreKnown"/> and <see cref="AllSaid"/>.
/// </remarks>
internal sealed class OwnLogEnds(ReplicatedLog log, LogPorts ports)
{
    private readonly SortedSet<LogId> _lost = [];

    /// <summary>Whether none was lost: own transactions may be sealed.</summary>
    public bool AreKnown => _lost.Count == 0;

    /// <summary>Finds out, at start, when the tips are restored.</summary>
    public void Examine()
    {
        foreach (LogId id in ports.Blocks.Logs(log.Volume).Where(id => id.Author == ports.Identity.Node))
        {
            ulong last = ports.Blocks.LastSeq(log.Volume, id);
            if (!ports.Blocks.IsEndKnown(log.Volume, id) || log.Exchange.TipOf(id).BlockSeq < last)
            {
                _lost.Add(id);
                log.Report(id, "its last blocks were lost here: nothing is sent until every member said what it holds");
            }
        }
    }

    /// <summary>Whether the last blocks of this one were lost.</summary>
    public bool IsLost(LogId id) => _lost.Contains(id);

    /// <summary>A peer gives an own block back: this node writes above it from now on.</summary>
    /// <returns>False when it contradicts what this node has written since.</returns>
    public bool MakeRoom(LogBlock block)
    {
        if (block.Log.Incarnation < log.Own.Current.Incarnation)
        {
            return true;
        }

        // This node came back from a backup: it writes above what it had written from now on.
        if (log.Fold.LastOf(log.Own.Current) > log.Exchange.TipOf(log.Own.Current).TransactionSeq)
        {
            log.Report(block.Log, "a peer has blocks of this node that contradict unsent ones");
            return false;
        }

        log.Own.Current = block.Log with { Incarnation = block.Log.Incarnation + 1 };
        return true;
    }

    /// <summary>A block was stored: if it is an own one, what waited to be sealed into such a block waits no longer.</summary>
    public void Returned(LogBlock block)
    {
        if (block.Log.Author == ports.Identity.Node)
        {
            log.Own.Drop(waiting => waiting.Log == block.Log && waiting.Seq <= block.LastTransaction);
        }
    }

    /// <summary>Every reader has said what it holds.</summary>
    /// <param name="most">The most of each log that anybody holds.</param>
    /// <returns>Whether sealing may go on that could not before.</returns>
    public bool AllSaid(LogPositions most)
    {
        lock (log.Gate)
        {
            LogId[] ended = [.. _lost.Where(id => log.Exchange.TipOf(id).BlockSeq >= most[id].BlockSeq)];
            foreach (LogId id in ended)
            {
                Result<Unit, StoreError> cut =
                    ports.Blocks.CutAfter(log.Volume, id, log.Exchange.TipOf(id).BlockSeq);
                if (!cut.TryGet(out _, out StoreError error))
                {
                    log.Report(id, $"its end cannot be cut; tried again when a member speaks: {error}");
                    return false;
                }

                _lost.Remove(id);
                DropStranded(id);
            }

            return ended.Length > 0 && AreKnown;
        }
    }

    /// <summary>What follows transactions that nobody has any more can never be folded by anybody.</summary>
    private void DropStranded(LogId id)
    {
        ulong next = log.Exchange.TipOf(id).TransactionSeq + 1;
        foreach (Unsealed waiting in log.Own.Waiting.Where(waiting => waiting.Transaction.Id.Log == id))
        {
            next += waiting.Transaction.Id.Seq == next ? 1UL : 0;
        }

        if (log.Own.Drop(waiting => waiting.Log == id && waiting.Seq >= next) is > 0 and int count)
        {
            log.Report(id, $"{count} transactions follow one that was lost here and that no member holds: lost, too");
        }
    }
}
