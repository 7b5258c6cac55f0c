using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Storage.Packs;

namespace Cairn.Node.Repair;

/// <summary>Walks the copies that placement does not want here, a batch at a time, round and round.</summary>
/// <remarks>
/// Each batch begins where the last one ended: copies that cannot be given up, because a node that should prove to have them
/// is away, hold up none of those behind them. Thread: the engine's loop.
/// </remarks>
/// <param name="store">Where the copies are.</param>
/// <param name="self">Whose copies they are.</param>
public sealed class StrayWalk(ChunkStore store, NodeId self)
{
    private RecordKey _last;

    /// <summary>The next copies, each once; fewer than asked for when there are no more.</summary>
    /// <param name="placement">Where copies belong now.</param>
    /// <param name="max">How many at most.</param>
    public RecordKey[] Next(PlacementTable placement, int max)
    {
        RecordKey[] batch = [.. AfterLast(placement).Take(max)];
        _last = batch.Length > 0 ? batch[^1] : _last;
        return batch;
    }

    /// <summary>All of them, in the order of their keys, from the one behind the last up to the last itself.</summary>
    private IEnumerable<RecordKey> AfterLast(PlacementTable placement)
    {
        for (int step = 0; step <= PartitionId.Count && placement.Copies > 0; step++)
        {
            PartitionId partition = new((ushort)((_last.Partition.Value + step) % PartitionId.Count));
            if (store.Digest(partition).IsEmpty || placement.AnswersFor(partition, self))
            {
                continue;
            }

            foreach (StoredRecord record in store.Enumerate(partition))
            {
                // The partition of the last one is gone through twice: first what is behind it, in the end the rest.
                bool isTurn = step switch
                {
                    0 => record.Key > _last,
                    PartitionId.Count => record.Key <= _last,
                    _ => true,
                };
                if (isTurn && record.Use == ChunkUse.Replicated && record.Key.Kind == RecordKind.Copy)
                {
                    yield return record.Key;
                }
            }
        }
    }
}
