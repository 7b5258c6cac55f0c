using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Storage;

namespace Cairn.Node.Logs.Recovery;

/// <summary>Brings a node's own log together again with what its peers hold of it, after its end was lost here.</summary>
/// <remarks>
/// A number that peers may know is never given to something else: that would be a fork, and nobody could fold both. So
/// (1) what comes back from peers is taken in, and journal records it covers are given back; (2) what no peer has is
/// written again behind everything known, under new numbers, in a new incarnation. docs/decisions/own-log-damage.md.
/// Thread: under the log's gate, and never while sealing.
/// </remarks>
internal sealed class OwnLogRepair(ReplicatedLog log, LogPorts ports)
{
    /// <summary>Takes note of an own block that came from a peer and was stored.</summary>
    /// <returns>Transactions that carry its numbers and say something else: to be folded out, and written again.</returns>
    public List<Unsealed> Accepted(LogBlock block)
    {
        List<Unsealed> contradicted = [];
        if (block.Log == log.Own.Current && block.LastTransaction > log.Own.LastSealed(log.Fold.LastOf(block.Log)))
        {
            // Nothing told at the start that there was more of this log: a home from a backup, or a log deleted whole.
            contradicted = log.Own.TakeUnsealed(block.Log);
            log.Own.Current = block.Log with
            {
                Incarnation = Incarnations.After(block.Log.Incarnation, ports.Entropy),
            };
            if (!ports.Blocks.Begin(log.Volume, log.Own.Current).TryGet(out _, out StoreError error))
            {
                log.Report(log.Own.Current, $"the new incarnation cannot be noted yet: {error}");
            }
        }

        log.Own.Cover(block.Log, block.LastTransaction);
        return contradicted;
    }

    /// <summary>Peers have said what they hold: what none of them can give back is written again.</summary>
    /// <param name="held">The most that any of them is known to hold.</param>
    public void Settle(LogPositions held)
    {
        foreach (Unsealed doubtful in log.Own.Doubtful)
        {
            LogId id = doubtful.Transaction.Id.Log;
            if (held[id].BlockSeq > log.Exchange.TipOf(id).BlockSeq)
            {
                // Its blocks are on their way, or with a member that is away.
                return;
            }
        }

        // The journal may give back what was written again in an earlier run: a record is there as long as its segment.
        List<Unsealed> lost = log.Own.TakeDoubtful();
        HashSet<Bytes32> written = WrittenAfter(lost.Min(static unsealed => unsealed.Transaction.Id.Log.Incarnation));
        bool IsWritten(Unsealed unsealed) => written.Contains(TransactionMeaning.Of(unsealed.Transaction));
        foreach (Unsealed known in lost.Where(IsWritten))
        {
            log.Own.Rewritten(known);
        }

        lost.RemoveAll(IsWritten);
        WriteAgain(lost, Repeats.Again);
    }

    /// <summary>What own transactions of later incarnations mean. Reads all their blocks: only damage asks for it.</summary>
    private HashSet<Bytes32> WrittenAfter(uint incarnation)
    {
        var written = new HashSet<Bytes32>(
            log.Own.Waiting.Where(unsealed => unsealed.Transaction.Id.Log.Incarnation > incarnation)
                .Select(unsealed => TransactionMeaning.Of(unsealed.Transaction)));
        foreach ((LogId id, LogPosition tip) in log.Exchange.Positions.Logs
            .Where(pair => pair.Key.Author == ports.Identity.Node && pair.Key.Incarnation > incarnation))
        {
            written.UnionWith(LogHistory.Read(log, id, 1, tip.BlockSeq).Select(TransactionMeaning.Of));
        }

        return written;
    }

    /// <summary>Writes what was contradicted under new numbers: the old ones say something else.</summary>
    public void WriteAgain(List<Unsealed> contradicted) =>
        WriteAgain(contradicted, static transaction => transaction.Primitives);

    /// <summary>Writes transactions behind everything that is folded; each keeps its record until the new one is written.</summary>
    private void WriteAgain(List<Unsealed> lost, Func<Transaction, ImmutableArray<Primitive>> again)
    {
        for (int i = 0; i < lost.Count; i++)
        {
            Transaction old = lost[i].Transaction;
            Result<TransactionId, StoreError> written = log.Append(again(old), old.Claimed, lost[i].Ended);
            if (!written.TryGet(out TransactionId id, out StoreError error))
            {
                log.Report(old.Id.Log, $"{old.Id} cannot be written again yet: {error}");
                lost[i..].ForEach(left => log.Own.Doubt(left));
                return;
            }

            log.Report(old.Id.Log, $"no peer has {old.Id}: it is written again as {id}");
            log.Own.Rewritten(lost[i]);
        }
    }
}
