using Cairn.Core.Membership;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Core.Repair;
using Cairn.Core.Text;
using Cairn.Node.Control;

namespace Cairn.Node.Owner;

/// <summary>What is not safe yet, here and where others said so.</summary>
internal sealed class SafetyState(NodeParts parts)
{
    /// <summary>What is owed, and what is at risk.</summary>
    public SafetyCounts Counts(NodeId[] absent)
    {
        PlacementTable table = parts.View.Placement;
        return new SafetyCounts
        {
            CopiesWanted = PlacementPolicy.CopiesDefault,
            CopiesPossible = Math.Min(table.Copies, table.NodeCount),
            Chunks = parts.Chunks.Count,
            FilesUnpublished = UnpublishedFiles,
            ChunksOwed = parts.Copies.Replicator.OwedCount,
            BytesOwed = parts.Copies.Replicator.OwedBytes,
            BlocksOnlyHere = BlocksOnlyHere,
            ChunksOwedElsewhere = OtherRecords().Aggregate(
                0L, static (sum, record) => sum + Math.Min(record.OwedChunks, long.MaxValue - sum)),
            OwingNodes = OwingNodes(),
            ChunksToRepair = parts.Copies.Repair.MissingCount,
            ChunksUnreachable = Math.Max(parts.Chunks.Aside.Count, parts.Copies.Replicator.Unreadable.Count),
            ChunksLost = parts.BadCopies.Problem is null ? 0 : parts.Copies.Source.Nowhere.All.Count,
            AbsentNodes = [.. absent.Select(parts.View.NameOf)],
            IsBraked = parts.Copies.Repair.IsBraked,
            IsPoolFull = parts.View.Nodes.Count > 0
                && parts.View.Nodes.All(
                    node => parts.View.Map.TryGet(node, out SignedNodeRecord? record) && record.Record.IsFull),
        };
    }

    /// <summary>How far this node is with what it owes.</summary>
    public SafetyProgress OwnProgress(ref (long Chunks, long Bytes) most)
    {
        long chunks = parts.Copies.Replicator.OwedCount;
        long bytes = parts.Copies.Replicator.OwedBytes;
        most = (Math.Max(most.Chunks, chunks), Math.Max(most.Bytes, bytes));
        bool isPublished = !parts.Grounds.IsAny && !parts.Volumes.Open.Any(volume => volume.HasUnpublishedWrites);
        PlacementTable table = parts.View.Placement;
        bool isLogSafe = parts.Sync.IsSafe(Math.Min(table.Copies, table.NodeCount));

        // What is on no machine is named in the status: to wait for it would be to wait for ever.
        SafetyVerdict verdict = SafetyVerdict.Of(Counts([]) with { ChunksLost = 0 });
        bool isSafe = chunks == 0 && isPublished && isLogSafe && parts.Copies.Repair.MissingCount == 0
            && verdict.Level != VerdictLevel.Danger;
        string sentence = isSafe || verdict.Level == VerdictLevel.Danger ? verdict.Text
            : parts.Grounds.Problems.FirstOrDefault() is { Message: { } waits } ? waits
            : !isPublished ? "Writes are being published."
            : chunks > 0 ? $"{CountText.Of(chunks, "chunk is", "chunks are")} {OnTheWay}."
            : !isLogSafe ? $"The log is {OnTheWay}."
            : verdict.Text;
        return new SafetyProgress(most.Chunks, most.Chunks - chunks, most.Bytes, most.Bytes - bytes, isSafe, sentence);
    }

    /// <summary>The names of the other nodes that said, some seconds ago, that they owe copies of what was written there.</summary>
    public List<string> OwingNodes() =>
        [.. OtherRecords().Where(record => record.OwedChunks > 0).Select(record => record.Name)];

    /// <summary>The records of the other nodes whose copies count; one that is given up owes nothing any more.</summary>
    private IEnumerable<NodeRecord> OtherRecords()
    {
        foreach (NodeId node in parts.View.Nodes)
        {
            bool counts = node != parts.View.Self && !parts.View.IsGivenUp(node);
            if (counts && parts.View.Map.TryGet(node, out SignedNodeRecord? signed))
            {
                yield return signed.Record;
            }
        }
    }

    /// <summary>While somebody is connected, a block is on its way for a moment: that is no state to speak of.</summary>
    private long BlocksOnlyHere =>
        parts.View.Nodes.Count > 1 && parts.Peers.Links.All(static link => link.IsClosed) ? parts.Sync.OnlyHere() : 0;

    private long UnpublishedFiles => parts.Volumes.Open.Sum(static volume => volume.UnpublishedFiles);

    private string OnTheWay =>
        parts.Peers.Links.Count > 0 ? "on the way" : "to be sent, and no other node can be reached";
}
