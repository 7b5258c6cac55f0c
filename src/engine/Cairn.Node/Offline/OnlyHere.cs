using System.Runtime.CompilerServices;
using Cairn.Core.Log;
using Cairn.Core.Repair;
using Cairn.Core.Text;
using Cairn.Node.Control;
using Cairn.Node.Peers;
using Cairn.Node.Pool;
using Cairn.Node.Replication;
using Cairn.Storage.Packs;

namespace Cairn.Node.Offline;

/// <summary>Knows what is on this node alone, and pushes it out before the machine leaves.</summary>
/// <remarks>
/// A chunk is elsewhere when another node confirmed it after its sync, a log block when a peer said it holds it. What was
/// confirmed once is not asked about again: copies that others lost since are repair's business. Thread: the engine's loop.
/// </remarks>
internal sealed class OnlyHere(
    NodePorts ports, ChunkStore store, PoolView view, PeerSet peers, LogSync sync, Replicator replicator,
    VolumeSet volumes)
{
    private const int PathsMax = 10;

    /// <summary>How long nobody there, or nobody with room, is borne with: a network that just came up needs a moment.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>What would be lost now, with some of the files.</summary>
    public OnlyHereStatus Look()
    {
        if (IsAlone)
        {
            StoreSpace space = store.Space;
            long all = space.Staged + space.Replicated;
            return new OnlyHereStatus(
                0, store.Count, all, sync.OnlyHere(), [],
                all == 0 ? string.Empty : "This pool has one node: everything is only here. `cairn invite` adds one.");
        }

        UnconfirmedChunks chunks = replicator.OnlyHere();
        long blocks = sync.OnlyHere();
        if (chunks.Addresses.Count == 0 && blocks == 0 && !HasUnpublishedWrites)
        {
            return new OnlyHereStatus(0, 0, 0, 0, [], string.Empty);
        }

        long files = 0;
        long bytes = chunks.Bytes;
        List<string> paths = [];
        foreach (IHostedVolume volume in volumes.Open)
        {
            LogPositions elsewhere = sync.Elsewhere(volume.Log.Volume);
            UnsharedFiles unshared = volume.Unshared(elsewhere, chunks.Addresses);
            files += unshared.Count;
            bytes += unshared.Bytes;
            paths.AddRange(unshared.Paths.Take(PathsMax - paths.Count));
        }

        return new OnlyHereStatus(
            files, chunks.Addresses.Count, bytes, blocks, paths,
            view.HasLeft(view.Self)
                ? SentenceOfLeft(files, chunks.Addresses.Count)
                : Sentence(files, chunks.Addresses.Count, blocks));
    }

    /// <summary>Pushes everything out that is only here; the last report says whether that is done, or why it cannot be.</summary>
    public async IAsyncEnumerable<SafetyProgress> Evacuate(
        Func<Task> progress, [EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (IHostedVolume volume in volumes.Open.ToArray())
        {
            await volume.Publish(cancellation);
        }

        (long Chunks, long Bytes) most = (0, 0);
        long fewest = long.MaxValue;
        long? stuckSince = null;
        while (!cancellation.IsCancellationRequested)
        {
            Task news = progress();
            (OnlyHereCounts counts, long bytes) = Count();
            EvacuationVerdict verdict = EvacuationVerdict.Of(counts);
            bool isOver = verdict.Step == EvacuationStep.Done;
            most = (Math.Max(most.Chunks, counts.Chunks), Math.Max(most.Bytes, bytes));
            yield return new SafetyProgress(
                most.Chunks, most.Chunks - counts.Chunks, most.Bytes, most.Bytes - bytes, isOver, verdict.Text);
            long left = counts.Chunks + counts.Blocks;
            stuckSince = left < fewest ? null : stuckSince;
            fewest = Math.Min(fewest, left);
            if (verdict.Step is EvacuationStep.NobodyThere or EvacuationStep.Full or EvacuationStep.Unreadable)
            {
                // What was refused is offered again from time to time: only fewer that are left are a sign of progress.
                stuckSince ??= ports.Time.GetTimestamp();
                isOver = ports.Time.GetElapsedTime(stuckSince.Value) > Patience;
            }

            if (isOver)
            {
                yield break;
            }

            await Waiting.AtMost(news, NodeProgress.ReportEvery, ports.Time, cancellation);
        }
    }

    private bool IsAlone => view.Nodes.Count < 2;

    /// <summary>What the journal has of a volume that waits for its checkpoint is not known before it is open.</summary>
    private bool HasUnpublishedWrites =>
        volumes.Grounds.IsAny || volumes.Open.Any(volume => volume.HasUnpublishedWrites);

    private (OnlyHereCounts Counts, long Bytes) Count()
    {
        UnconfirmedChunks chunks = replicator.OnlyHere();
        OnlyHereCounts counts = new()
        {
            Chunks = IsAlone ? store.Count : chunks.Addresses.Count,
            ChunksRefused = chunks.Refused,
            ChunksUnreadable = chunks.Unreadable,
            Blocks = sync.OnlyHere(),
            HasUnpublishedWrites = HasUnpublishedWrites,
            Connected = peers.Links.Count(link => !link.IsClosed),
        };
        return (counts, chunks.Bytes);
    }

    private static string Sentence(long files, long chunks, long blocks)
    {
        string what = files switch
        {
            > 0 => CountText.Of(files, "file is", "files are"),
            _ when chunks > 0 => CountText.Of(chunks, "chunk is", "chunks are"),
            _ when blocks > 0 => "Changed names are",
            _ => "Something just written is",
        };
        return $"{what} only here and would be lost with this machine: `cairn evacuate` pushes it out.";
    }

    /// <summary>Who left is told nothing any more: what nobody said to have may be there all the same.</summary>
    private static string SentenceOfLeft(long files, long chunks)
    {
        string what = files > 0 ? CountText.Of(files, "file")
            : chunks > 0 ? CountText.Of(chunks, "chunk")
            : "what was written last";
        return $"This node has left the pool and does not hear any more whether the others have {what}: "
            + "look there before its home is deleted.";
    }
}
