using Cairn.Core.Membership;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Core.Repair;
using Cairn.Node.Control;
using Cairn.Node.Peers;
using Cairn.Node.Pool;
using Cairn.Node.ReadPath;
using Cairn.Node.Replication;
using Cairn.Storage;
using Cairn.Storage.Packs;

namespace Cairn.Node.Repair;

/// <summary>Makes holdings equal placement, from this node's side: it finds out what it should hold and does not, and fetches it.</summary>
/// <remarks>
/// (1) Nodes that are away past the grace period are given up and placement is computed without them. (2) Each connected
/// peer is asked for one root; only when it differs, for digests, and for the lists of partitions that differ. (3) What is
/// missing here is fetched, a few at a time, rarest first. A round runs when something changed and once per
/// <see cref="NodeOptions.RepairInterval"/>. Thread: the engine's loop.
/// </remarks>
internal sealed class RepairLoop : IDisposable
{
    private const int PullsAtOnce = 4;
    private const int PullsPlanned = 256;
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(500);

    // Longer than one target of a write lags behind another, shorter than anybody waits for a repair.
    private static readonly TimeSpan OnItsWay = TimeSpan.FromSeconds(3);

    private readonly NodePorts _ports;
    private readonly NodeOptions _options;
    private readonly ChunkStore _store;
    private readonly PoolView _view;
    private readonly PeerSet _set;
    private readonly ChunkServer _server;
    private readonly ReadSource _source;
    private readonly NodeDiary _diary;
    private readonly RepairPlanner _planner;
    private readonly AbsenceWatch _absence;
    private readonly Queue<RepairPull> _pulls = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly long _started;
    private PlacementTable _placement = PlacementTable.Empty;
    private TaskCompletionSource _wake = new();

    /// <summary>Quiet until <see cref="Start"/>.</summary>
    public RepairLoop(
        NodePorts ports, NodeOptions options, ChunkStore store, PoolView view, PeerSet set, ChunkServer server, ReadSource source,
        NodeDiary diary)
    {
        _ports = ports;
        _options = options;
        _store = store;
        _view = view;
        _set = set;
        _server = server;
        _source = source;
        _diary = diary;
        _planner = new RepairPlanner(view.Self, (long)OnItsWay.TotalMilliseconds);
        _started = ports.Time.GetTimestamp();
        long graceMs = (long)options.RepairGrace.TotalMilliseconds;
        _absence = new AbsenceWatch(AbsenceOptions.Default with { GraceMs = graceMs });
        view.Changed += OnChanged;
        view.LivenessChanged += (_, _) => OnChanged();
        set.Connected += _ => Wake();
        server.Damaged += OnDamaged;
    }

    /// <summary>Whether a chunk is condemned: it is not brought back.</summary>
    public Func<ChunkAddress, bool> IsCondemned { get; init; } = static _ => false;

    /// <summary>A round ended.</summary>
    public event Action? RoundEnded;

    /// <summary>Chunks this node should hold and does not, as far as known.</summary>
    public int MissingCount => _planner.WantedCount;

    /// <summary>Copies fetched since the start.</summary>
    public long RemadeCount { get; private set; }

    /// <summary>Whether so many nodes vanished together that only last copies are remade.</summary>
    public bool IsBraked => _absence.IsBraked(NowMs);

    private long NowMs => (long)_ports.Time.GetElapsedTime(_started).TotalMilliseconds;

    /// <summary>Begins.</summary>
    public void Start() => _ports.Workers.Start("repair", Loop);

    /// <summary>Stops.</summary>
    public void Stop() => _stop.Cancel();

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();

    /// <summary>Something changed: a round soon.</summary>
    public void Wake() => _wake.TrySetResult();

    /// <summary>A record here turned out bad: it is set aside and fetched anew.</summary>
    public void OnDamaged(RecordKey key)
    {
        if (!_store.Verify(key).TryGet(out _, out StoreError error) && error.Kind == StoreErrorKind.Corrupt)
        {
            _store.Quarantine(key, error);
            _diary.Add(LogLevel.Error, "repair", $"{key.Address.Short} is damaged here and fetched anew: {error}");
            Wake();
        }
    }

    private async Task Loop()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                GiveUpAbsent();
                TimeSpan pause = await Round();
                RoundEnded?.Invoke();
                await Wait(pause);
                await Task.Delay(Settle, _ports.Time, _stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task Wait(TimeSpan atMost)
    {
        long? next = _absence.NextChangeMs(NowMs);
        TimeSpan wait = next is { } at && TimeSpan.FromMilliseconds(at - NowMs) is var left && left < atMost ? left : atMost;
        wait = wait > TimeSpan.FromMilliseconds(1) ? wait : TimeSpan.FromMilliseconds(1);
        await Waiting.AtMost(_wake.Task, wait, _ports.Time, _stop.Token);
        _wake = _wake.Task.IsCompleted ? new TaskCompletionSource() : _wake;
    }

    private void OnChanged()
    {
        if (!ReferenceEquals(_placement, _view.Placement))
        {
            _placement = _view.Placement;
            _planner.UseTable(_placement);
        }

        Wake();
    }

    /// <summary>(1) Absence past the grace period.</summary>
    private void GiveUpAbsent()
    {
        long now = NowMs;
        foreach (NodeId node in _view.Nodes.Where(node => node != _view.Self))
        {
            if (_view.Map.TryGet(node, out SignedNodeRecord? record))
            {
                _absence.Observe(node, _view.LivenessOf(node), record.Record.State, now);
            }
        }

        NodeId[] lost = [.. _absence.Lost(now).Where(_view.Nodes.Contains)];
        foreach (NodeId node in lost.Where(node => !_view.IsGivenUp(node)))
        {
            _diary.Add(LogLevel.Warning, "repair", $"{_view.NameOf(node)} has been away for too long: its copies are remade");
        }

        _view.SetGivenUp(lost);
    }

    /// <summary>(2) and (3); how long until the next round, if nothing changes.</summary>
    private async Task<TimeSpan> Round()
    {
        _planner.StartRound();
        // What a forgotten node holds may be what was collected meanwhile: it is looked at when it belongs again.
        foreach (PeerLink link in _set.Links.Where(link => !_view.MayReturn(link.Peer)).ToArray())
        {
            await Compare(link);
        }

        Task[] pullers = [.. Enumerable.Range(0, PullsAtOnce).Select(_ => PullLoop())];
        await Task.WhenAll(pullers);
        return _planner.WantedCount == 0 && !_planner.IsCutShort ? _options.RepairInterval
            : _planner.NextReadyMs(NowMs) is { } readyMs ? TimeSpan.FromMilliseconds(readyMs - NowMs)
            : Settle;
    }

    private async Task Compare(PeerLink link)
    {
        Bytes32 root = _server.RootWith(link.Peer);
        using PeerReply reply = await link.Ask(number => new DigestAsk(number, root));
        if (reply.Message is not DigestReply { Reports.IsEmpty: false } differing)
        {
            return;
        }

        if (HoldingsDigest.Decode(differing.Reports.Span) is not { } theirs)
        {
            link.Close(GoodbyeReason.ProtocolError);
            return;
        }

        foreach (PartitionId partition in _planner.Compare(link.Peer, theirs, _store.Digest))
        {
            await AskList(link, partition);
        }
    }

    private async Task AskList(PeerLink link, PartitionId partition)
    {
        List<RecordKey> keys = [];
        ChunkAddress after = default;
        for (bool more = true; more;)
        {
            using PeerReply reply = await link.Ask(number => new PartitionAsk(number, partition, after));
            if (reply.Message is not PartitionReply list)
            {
                return;
            }

            if (!list.Follows(after))
            {
                link.Close(GoodbyeReason.ProtocolError);
                return;
            }

            keys.AddRange(list.Addresses.Select(RecordKey.Copy));
            more = list.HasMore && list.Addresses.Count > 0 && keys.Count < RepairPlanner.WantedMax;
            after = list.Addresses.Count > 0 ? list.Addresses[^1] : after;
        }

        _planner.TakeList(link.Peer, partition, keys, Has, NowMs);
    }

    private bool Has(RecordKey key) => IsCondemned(key.Address) || Holds(key);

    private bool Holds(RecordKey key) => _store.TryGet(key, out StoredRecord record) && record.Use != ChunkUse.Cached;

    private async Task PullLoop()
    {
        while (!_stop.IsCancellationRequested)
        {
            if (_pulls.Count == 0)
            {
                Plan();
            }

            if (!_pulls.TryDequeue(out RepairPull? pull))
            {
                return;
            }

            await Pull(pull);
        }
    }

    /// <summary>Many at once: finding the rarest walks everything that is wanted.</summary>
    private void Plan()
    {
        bool IsOnline(NodeId node) => _set.Find(node) is { IsClosed: false };
        foreach (RepairPull pull in _planner.NextPulls(PullsPlanned, IsBraked, IsOnline, NowMs))
        {
            _pulls.Enqueue(pull);
        }
    }

    private async Task Pull(RepairPull pull)
    {
        if (Holds(pull.Key) || Promote(pull.Key))
        {
            _planner.Done(pull.Key);
            return;
        }

        PeerLink? link = pull.Sources.Select(_set.Find).FirstOrDefault(found => found is { IsClosed: false });
        if (link is null)
        {
            _planner.Retry(pull.Key);
            return;
        }

        Result<ChunkLease, ChunkOutcome> fetched = await _source.FetchFrom(link, pull.Key.Address);
        if (!fetched.TryGet(out ChunkLease? lease, out _))
        {
            _planner.Failed(pull.Key, link.Peer);
            return;
        }

        using (lease)
        {
            Result<Unit, StoreError> kept = await _ports.Workers.Run(
                Ports.WorkPriority.Background, () => _store.Put(pull.Key, lease.Bytes.Span, ChunkUse.Replicated));
            kept = kept.IsOk ? await _ports.Workers.Run(Ports.WorkPriority.Background, _store.Commit) : kept;
            if (kept.TryGet(out _, out StoreError error))
            {
                RemadeCount++;
                _planner.Done(pull.Key);
            }
            else
            {
                _diary.Add(LogLevel.Warning, "repair", error.ToString());
                _planner.Failed(pull.Key, link.Peer);
            }
        }
    }

    /// <summary>A cached copy that is whole becomes an owed one without a transfer.</summary>
    private bool Promote(RecordKey key)
    {
        bool isCached = _store.TryGet(key, out StoredRecord record) && record.Use == ChunkUse.Cached;
        bool isDone = isCached && _store.Verify(key).IsOk && _store.SetUse(key, ChunkUse.Replicated).IsOk;
        if (isDone)
        {
            _planner.Done(key);
        }

        return isDone;
    }
}
