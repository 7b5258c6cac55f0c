using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Storage;

namespace Cairn.Node.Logs.Recovery;

/// <summary>Own work that a start finds in the index alone: the blocks that held it are lost here.</summary>
/// <remarks>
/// The index is made anew then, of what is left. What it keeps to be undone, which is just what no peer may have, is put into
/// the journal before, under the numbers it has: it is in doubt from then on, as if it had never been sealed.
/// </remarks>
internal sealed class LostWork
{
    private readonly List<Unsealed> _saved = [];

    /// <summary>The logs of which an index, thrown away since, knew more than logs and journal hold: their end was lost.</summary>
    public SortedSet<LogId> Logs { get; } = [];

    /// <summary>What was kept of them.</summary>
    public IReadOnlyList<Unsealed> Saved => _saved;

    /// <summary>Saves what is kept of a log behind what blocks and journal hold. Syncs the journal.</summary>
    /// <param name="log">With the fold that the index has.</param>
    /// <param name="own">A log of this node.</param>
    /// <param name="lastHeld">The last transaction that is in a block here, or waits to be sealed.</param>
    public void Save(ReplicatedLog log, LogId own, ulong lastHeld)
    {
        var known = new HashSet<TransactionId>(
            log.Own.Doubtful.Concat(_saved).Select(static unsealed => unsealed.Transaction.Id));
        int before = _saved.Count;
        foreach (Transaction lost in log.Fold.KeptOf(own, lastHeld + 1, log.Fold.LastOf(own)))
        {
            if (known.Contains(lost.Id))
            {
                continue;
            }

            if (!log.Own.Write(lost, default).TryGet(out Unsealed saved, out StoreError error))
            {
                log.Report(own, $"what its lost blocks did from {lost.Id} on cannot be kept: {error}");
                break;
            }

            _saved.Add(saved);
        }

        if (_saved.Count > before && !log.Ports.Journal.Commit().TryGet(out _, out StoreError unsynced))
        {
            log.Report(own, $"what its lost blocks did is not safe yet: {unsynced}");
        }
    }
}
