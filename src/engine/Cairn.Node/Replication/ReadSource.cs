using Cairn.Coding.Hashing;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Control;
using Cairn.Node.Peers;
using Cairn.Node.Pool;
using Cairn.Node.Ports;
using Cairn.Node.ReadPath;
using Cairn.Node.Volumes;

namespace Cairn.Node.Replication;

/// <summary>Fetches chunks that are not here: from the holders, one after the other, faster when one is slow.</summary>
/// <remarks>
/// (1) The holders that are connected are asked in an order that spreads load, others after them. (2) One that says it does
/// not have the chunk, or whose bytes are wrong, is passed over at once; one that does not answer within half of
/// <see cref="NodeOptions.ReadPassOver"/> is not waited for: the next is asked beside it. (3) The first right bytes win.
/// What all members said that they do not have is noted (<see cref="Nowhere"/>): nobody waits for that.
/// Thread: any; the work runs on the engine's loop, hashing on a worker.
/// </remarks>
internal sealed class ReadSource(
    NodePorts ports, NodeOptions options, PoolView view, PeerSet set, NodeDiary diary, RateLimiter limiter) : IChunkSource
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);
    private bool _isStopped;

    /// <summary>What no member has.</summary>
    public NowhereChunks Nowhere { get; } = new();

    /// <summary>How many fetches failed everywhere.</summary>
    public long Failures { get; private set; }

    /// <inheritdoc/>
    public ValueTask<Result<ChunkLease, VolumeError>> Fetch(ChunkAddress address, CancellationToken cancellation)
    {
        TaskCompletionSource<Result<ChunkLease, VolumeError>> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        ports.Workers.Start("fetch", async () =>
        {
            try
            {
                done.TrySetResult(await FetchPatiently(address, cancellation));
            }
            finally
            {
                // Whatever went wrong: a reader that nobody answers can only be ended with its machine.
                done.TrySetResult(VolumeError.InputOutput);
            }
        });
        return new ValueTask<Result<ChunkLease, VolumeError>>(done.Task);
    }

    /// <inheritdoc/>
    public bool IsNowhere(ChunkAddress address) => Nowhere.Has(address);

    /// <summary>Readers wait no longer.</summary>
    public void Stop() => _isStopped = true;

    /// <summary>As <see cref="Fetch"/>, for callers on the engine's loop.</summary>
    public async Task<Result<ChunkLease, VolumeError>> FetchHere(ChunkAddress address, CancellationToken cancellation)
    {
        await limiter.Wait();
        Queue<PeerLink> candidates = new(Candidates(address));
        List<Task<Answer>> open = [];
        List<NodeId> asked = [];
        HashSet<NodeId> without = [];
        bool sawCorrupt = false;
        while (!cancellation.IsCancellationRequested)
        {
            if (candidates.TryDequeue(out PeerLink? next))
            {
                open.Add(Ask(next, address));
                asked.Add(next.Peer);
            }
            else if (open.Count == 0)
            {
                break;
            }

            Answer? answer = await FirstOf(open, asked, candidates.Count > 0);
            if (answer is null)
            {
                if (candidates.Count == 0)
                {
                    break;
                }

                continue;
            }

            open.Remove(answer.Source!);
            sawCorrupt |= answer.IsCorrupt;
            without.UnionWith(answer.Without is { } node ? [node] : []);
            if (answer.Lease is { } lease)
            {
                Nowhere.Remove(address);
                Abandon(open);
                return lease;
            }
        }

        Abandon(open);
        Failures++;
        if (view.State.ActiveNodes.All(member => member.Node == view.Self || without.Contains(member.Node)))
        {
            Nowhere.Add(address);
        }

        return sawCorrupt ? VolumeError.Corrupt
            : cancellation.IsCancellationRequested ? VolumeError.Interrupted
            : VolumeError.Unreachable;
    }

    /// <summary>With the option to wait, asks again until a holder is there, or none is to be expected.</summary>
    /// <remarks>A copy may be on its way from one who is asked late to one who was asked early: so once more.</remarks>
    private async Task<Result<ChunkLease, VolumeError>> FetchPatiently(
        ChunkAddress address, CancellationToken cancellation)
    {
        long start = ports.Time.GetTimestamp();
        while (true)
        {
            bool wasNowhere = Nowhere.Has(address);
            Result<ChunkLease, VolumeError> fetched = await FetchHere(address, cancellation);
            bool isFinal = fetched.IsOk || fetched.Error != VolumeError.Unreachable
                || (wasNowhere && Nowhere.Has(address));
            if (isFinal || _isStopped || ports.Time.GetElapsedTime(start) >= options.ReadWait)
            {
                return fetched;
            }

            await Task.Delay(LookAgain, ports.Time, CancellationToken.None);
        }
    }

    /// <summary>Asks one peer and checks what it says.</summary>
    public async Task<Result<ChunkLease, ChunkOutcome>> FetchFrom(PeerLink link, ChunkAddress address)
    {
        await limiter.Wait();
        Answer answer = await Ask(link, address);
        return answer.Lease is { } lease ? lease : answer.IsCorrupt ? ChunkOutcome.Corrupt : ChunkOutcome.Absent;
    }

    private List<PeerLink> Candidates(ChunkAddress address)
    {
        List<PeerLink> links = [];
        PartitionId partition = PartitionId.Of(address);
        foreach (NodeId node in view.Placement.Order(partition))
        {
            if (set.Find(node) is { IsClosed: false } link)
            {
                links.Add(link);
            }
        }

        int holders = Math.Min(links.Count, Math.Max(1, view.Placement.Copies - 1));
        if (holders > 1)
        {
            // Readers start at different holders for different chunks, so that a large read uses all of them.
            int first = (int)(address.Value.Suffix % (ulong)holders);
            links = [.. links.Skip(first).Take(holders - first), .. links.Take(first), .. links.Skip(holders)];
        }

        links.AddRange(set.Links.Where(link => !link.IsClosed && !links.Contains(link)));
        return links;
    }

    private async Task<Answer?> FirstOf(List<Task<Answer>> open, List<NodeId> asked, bool hasMore)
    {
        TimeSpan patience = !hasMore ? options.RequestTimeout
            : view.HearsNobody ? TimeSpan.Zero
            : options.ReadPassOver / 2;
        long start = ports.Time.GetTimestamp();
        Task<Answer>? ended;
        do
        {
            // Whoever failure detection gave up meanwhile is not waited for to the end.
            await Waiting.AtMost(Task.WhenAny(open), patience < LookAgain ? patience : LookAgain, ports.Time);
            ended = open.Find(task => task.IsCompleted);
        }
        while (ended is null && !view.HearsNobody && asked.Exists(node => view.LivenessOf(node) != Liveness.Dead)
            && ports.Time.GetElapsedTime(start) < patience);

        return ended is null ? null : (await ended) with { Source = ended };
    }

    private async Task<Answer> Ask(PeerLink link, ChunkAddress address)
    {
        PeerReply reply = await link.Ask(number => new ChunkGet(number, address));
        if (reply.Message is not ChunkData { Outcome: ChunkOutcome.Held } data)
        {
            bool isWithout = reply.Message is ChunkData { Outcome: ChunkOutcome.Absent };
            reply.Dispose();
            return new Answer(null, false, null) { Without = isWithout ? link.Peer : null };
        }

        limiter.Count(data.Stored.Length);
        bool isRight = await ports.Workers.Run(WorkPriority.Foreground, () => IsRight(address, data.Stored.Span));
        if (isRight)
        {
            return new Answer(new ChunkLease(data.Stored, reply), false, null);
        }

        diary.Add(LogLevel.Error, "read", $"{view.NameOf(link.Peer)} sent wrong bytes for {address.Short}");
        reply.Dispose();
        return new Answer(null, true, null);
    }

    private static bool IsRight(ChunkAddress address, ReadOnlySpan<byte> stored) =>
        ChunkHasher.Address(stored) == address;

    /// <summary>Late answers are given back when they come.</summary>
    private void Abandon(List<Task<Answer>> open)
    {
        foreach (Task<Answer> task in open)
        {
            ports.Workers.Start("fetch", async () => (await task).Lease?.Dispose());
        }
    }

    private sealed record Answer(ChunkLease? Lease, bool IsCorrupt, Task<Answer>? Source)
    {
        /// <summary>Who said that it has no copy.</summary>
        public NodeId? Without { get; init; }
    }
}
