using Cairn.Core.Primitives;
using Cairn.Node.Logs.Recovery;
using Cairn.Storage.Journaling;

namespace Cairn.Node.Logs;

/// <summary>Draft layers in a replayed journal that a transaction ended.</summary>
internal static class EndedLayers
{
    /// <summary>Where the layers begin that the journal has.</summary>
    public static IReadOnlyDictionary<VersionId, JournalPosition> Begun(IReadOnlyList<RecoveredRecord> records)
    {
        var begun = new Dictionary<VersionId, JournalPosition>();
        foreach (RecoveredRecord record in records.Where(record => record.Entry.Type == JournalEntryType.LayerBegun))
        {
            begun.TryAdd(record.Entry.Layer, record.Position);
        }

        return begun;
    }

    /// <summary>Gives their records back; what is left of the records is for the volume engine.</summary>
    /// <remarks>
    /// The tree is no witness: when garbage collection has forgotten a superseded version, its layer would look as if it
    /// had never been published, and would come back as a conflict.
    /// </remarks>
    public static IReadOnlyList<RecoveredRecord> Release(
        ReplicatedLog log, Journal journal, IReadOnlyList<RecoveredRecord> records)
    {
        var waiting = new HashSet<TransactionId>(
            log.Own.Waiting.Concat(log.Own.Doubtful).Select(unsealed => unsealed.Transaction.Id));
        var ended = new HashSet<VersionId>();
        foreach (RecoveredRecord record in records)
        {
            JournalEntry entry = record.Entry;
            if (entry.Type == JournalEntryType.Transaction && entry.Layer != default)
            {
                var id = new TransactionId(
                    new LogId(log.OwnLogId.Author, (uint)entry.Offset), (ulong)entry.Length);
                if (log.Fold.Has(id) || waiting.Contains(id) || IsInBlock(log, id))
                {
                    ended.Add(entry.Layer);
                }
            }
        }

        var left = new List<RecoveredRecord>();
        foreach (RecoveredRecord record in records.Where(record => record.Entry.Type != JournalEntryType.Transaction))
        {
            if (ended.Contains(record.Entry.Layer))
            {
                journal.Release(record.Position);
            }
            else
            {
                left.Add(record);
            }
        }

        return left;
    }

    /// <summary>
    /// Whether a block here holds a transaction. It need not be folded: what it builds on may have been lost here, and comes back
    /// from peers. They have folded it, so published again it would come before what it once replaced.
    /// </summary>
    private static bool IsInBlock(ReplicatedLog log, TransactionId id) =>
        id.Seq <= log.Exchange.TipOf(id.Log).TransactionSeq;
}
