using System.Buffers;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Core.Repair;
using Cairn.Node.Peers;
using Cairn.Node.Ports;
using Cairn.Storage;
using Cairn.Storage.Packs;

namespace Cairn.Node.Replication;

/// <summary>Answers what peers ask of this node's chunks: bytes, holdings, digests, lists, and who keeps what.</summary>
/// <remarks>Thread: the engine's loop; disk reads run on workers.</remarks>
internal sealed class ChunkServer(NodePorts ports, ChunkStore store, PoolView view, DropProtocol drops, RateLimiter limiter)
{
    private readonly SortedDictionary<NodeId, Outstanding> _sending = [];
    private readonly Dictionary<NodeId, List<PartitionId>> _shared = [];
    private readonly Dictionary<NodeId, Bytes32> _roots = [];
    private long _rootsAt;
    private PlacementTable _placement = PlacementTable.Empty;

    /// <summary>Stored chunks found unreadable while serving: to be fetched anew.</summary>
    public event Action<RecordKey>? Damaged;

    /// <summary>A peer wants a chunk.</summary>
    public void OnGet(PeerLink link, ChunkGet message) => ports.Workers.Start("chunk get", () => Serve(link, message));

    /// <summary>A peer asks what is held.</summary>
    public void OnHolding(PeerLink link, HoldingAsk message) =>
        ports.Workers.Start("holding", () => Holding(link, message));

    /// <summary>A peer compares holdings.</summary>
    public void OnDigest(PeerLink link, DigestAsk message)
    {
        bool isEqual = RootWith(link.Peer) == message.Root;
        link.Send(new DigestReply(
            message.Request, isEqual ? default(ReadOnlyMemory<byte>) : HoldingsDigest.Encode(Reports(link.Peer))));
    }

    /// <summary>The root over the partitions it shares with a peer, remembered as long as nothing comes or goes here.</summary>
    public Bytes32 RootWith(NodeId peer)
    {
        List<PartitionId> shared = SharedWith(peer);
        if (_rootsAt != store.DigestChanges)
        {
            _rootsAt = store.DigestChanges;
            _roots.Clear();
        }

        if (!_roots.TryGetValue(peer, out Bytes32 root))
        {
            root = HoldingsDigest.Root(new SharedReports(shared, store));
            _roots.Add(peer, root);
        }

        return root;
    }

    /// <summary>This node's digests of the partitions it shares with a peer, as they are when they are looked at.</summary>
    public IReadOnlyList<PartitionReport> Reports(NodeId peer) => new SharedReports(SharedWith(peer), store);

    /// <summary>Whether a chunk is about to be brought to a peer, so that it need not be fetched: such are not listed for it.</summary>
    public Func<ChunkAddress, NodeId, bool> IsBrought { get; init; } = static (_, _) => false;

    /// <summary>A peer wants the list of a partition.</summary>
    public void OnPartition(PeerLink link, PartitionAsk message)
    {
        ChunkAddress[] addresses =
        [
            .. store.Enumerate(message.Partition)
                .Where(record => record.Use != ChunkUse.Cached && record.Key.Kind == RecordKind.Copy)
                .Select(record => record.Key.Address)
                .Where(address => message.After == default || address > message.After)
                .Where(address => !IsBrought(address, link.Peer))
                .Take(PartitionReply.CountMax + 1),
        ];
        bool hasMore = addresses.Length > PartitionReply.CountMax;
        link.Send(new PartitionReply(message.Request, hasMore ? addresses[..^1] : addresses, hasMore));
    }

    /// <summary>A peer means to drop copies: whoever keeps them proves it.</summary>
    public void OnDrop(PeerLink link, DropAsk message) => ports.Workers.Start("drop proof", () => Prove(link, message));

    /// <summary>What a peer is answered that may count on it: a staged copy is not let go of after that as if nobody had asked.</summary>
    public ChunkOutcome Answer(ChunkAddress address)
    {
        ChunkOutcome outcome = OutcomeOf(address);
        RecordKey key = RecordKey.Copy(address);
        if (outcome == ChunkOutcome.Held && store.TryGet(key, out StoredRecord record) && record.Use == ChunkUse.Staged)
        {
            drops.CountOn(key);
        }

        return outcome;
    }

    /// <summary>Whether this node has a chunk that it may answer for now.</summary>
    public ChunkOutcome OutcomeOf(ChunkAddress address)
    {
        RecordKey key = RecordKey.Copy(address);
        return !store.TryGet(key, out StoredRecord record) || record.Use == ChunkUse.Cached ? ChunkOutcome.Absent
            : drops.MayConfirm(key) ? ChunkOutcome.Held
            : ChunkOutcome.Dropping;
    }

    /// <summary>Remembered as long as placement stays: to find it out is a walk over all partitions.</summary>
    private List<PartitionId> SharedWith(NodeId peer)
    {
        if (!ReferenceEquals(_placement, view.Placement))
        {
            _placement = view.Placement;
            _shared.Clear();
            _roots.Clear();
        }

        if (!_shared.TryGetValue(peer, out List<PartitionId>? shared))
        {
            shared = HoldingsDigest.Shared(_placement, view.Self, peer);
            _shared.Add(peer, shared);
        }

        return shared;
    }

    /// <summary>What this node answers for, power loss included: whoever asks may give up its own copy for the answer.</summary>
    /// <remarks>What is written while the sync runs is not covered by it; what was there before may be in intent by now.</remarks>
    internal async Task<ChunkOutcome[]> DurableOutcomes(IReadOnlyList<ChunkAddress> addresses)
    {
        ChunkOutcome[] outcomes = [.. addresses.Select(OutcomeOf)];
        Result<Unit, StoreError> synced = await ports.Workers.Run(WorkPriority.Foreground, store.Commit);
        for (int i = 0; i < outcomes.Length; i++)
        {
            outcomes[i] = !synced.IsOk ? ChunkOutcome.DiskFailed
                : outcomes[i] == ChunkOutcome.Held ? Answer(addresses[i])
                : outcomes[i];
        }

        return outcomes;
    }

    private async Task Holding(PeerLink link, HoldingAsk message) =>
        link.Send(new HoldingReply(message.Request, await DurableOutcomes(message.Addresses)));

    private async Task Prove(PeerLink link, DropAsk message)
    {
        ChunkOutcome[] outcomes = await DurableOutcomes(message.Addresses);
        ChunkAddress[] kept = [.. message.Addresses.Where((_, i) => outcomes[i] == ChunkOutcome.Held)];
        Dictionary<ChunkAddress, Bytes32> proofs =
            await ports.Workers.Run(WorkPriority.Background, () => Proofs(kept, message.Nonce));
        link.Send(new DropReply(
            message.Request,
            [.. message.Addresses.Select(address =>
                Answer(address) == ChunkOutcome.Held ? proofs.GetValueOrDefault(address) : default)]));
    }

    private Dictionary<ChunkAddress, Bytes32> Proofs(ChunkAddress[] addresses, Bytes16 nonce)
    {
        Dictionary<ChunkAddress, Bytes32> proofs = [];
        foreach (ChunkAddress address in addresses)
        {
            if (ProofOf(store, address, nonce) is { } proof)
            {
                proofs[address] = proof;
            }
        }

        return proofs;
    }

    /// <summary>The proof for one record here; null when it cannot be read.</summary>
    internal static Bytes32? ProofOf(ChunkStore store, ChunkAddress address, Bytes16 nonce)
    {
        RecordKey key = RecordKey.Copy(address);
        int length = store.Length(key);
        if (length <= 0)
        {
            return null;
        }

        (int offset, int count) = DropProof.SegmentOf(nonce, length);
        byte[] segment = new byte[count];
        return store.Read(key, offset, segment).IsOk ? DropProof.Compute(nonce, length, segment) : null;
    }

    private async Task Serve(PeerLink link, ChunkGet message)
    {
        RecordKey key = RecordKey.Copy(message.Address);
        int length = store.Length(key);
        ArrayBufferWriter<byte> head = new(16);
        if (length <= 0)
        {
            link.Send(new ChunkData(message.Request, ChunkOutcome.Absent, default));
            return;
        }

        await Room(link, length);
        if (link.IsClosed)
        {
            // Thousands may have waited for one that is gone: none of them is read any more.
            Release(link, length);
            return;
        }

        int room = ChunkStore.ReadRoom;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(room + length);
        Result<Unit, StoreError> read = await ports.Workers.Run(
            WorkPriority.Foreground, () => store.ReadToSend(key, buffer.AsSpan(0, room + length)));
        if (!read.IsOk)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            Release(link, length);
            Damaged?.Invoke(key);
            link.Send(new ChunkData(message.Request, ChunkOutcome.DiskFailed, default));
            return;
        }

        await limiter.Wait(length);
        PeerMessageCodec.EncodeDataHead(message.Request, ChunkOutcome.Held, head);
        link.SendBody(head.WrittenMemory, buffer.AsMemory(room, length), () =>
        {
            ArrayPool<byte>.Shared.Return(buffer);
            Release(link, length);
        });
    }

    /// <summary>A peer that asks for more than it takes waits here, not in memory.</summary>
    private async Task Room(PeerLink link, int bytes)
    {
        if (!_sending.TryGetValue(link.Peer, out Outstanding? outstanding))
        {
            outstanding = new Outstanding();
            _sending.Add(link.Peer, outstanding);
        }

        // Whoever asks for far more than anybody reads at once would fill the memory with its questions.
        if (outstanding.Waiting >= Outstanding.WaitingMax)
        {
            link.Close(GoodbyeReason.ProtocolError);
        }

        outstanding.Waiting++;
        while (outstanding.Bytes > Outstanding.BytesMax && !link.IsClosed)
        {
            outstanding.Freed ??= new TaskCompletionSource();
            await outstanding.Freed.Task;
        }

        outstanding.Waiting--;

        outstanding.Bytes += bytes;
    }

    private void Release(PeerLink link, int bytes)
    {
        Outstanding outstanding = _sending[link.Peer];
        outstanding.Bytes -= bytes;
        TaskCompletionSource? freed = outstanding.Freed;
        outstanding.Freed = null;
        freed?.TrySetResult();
    }

    private sealed class Outstanding
    {
        public const long BytesMax = 32 << 20;

        public const int WaitingMax = 1 << 14;

        public int Waiting { get; set; }

        public long Bytes { get; set; }

        public TaskCompletionSource? Freed { get; set; }
    }
}
