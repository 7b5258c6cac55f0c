using Cairn.Core.Membership;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Core.Repair;
using Cairn.Node.Control;
using Cairn.Node.Garbage;
using Cairn.Node.Offline;
using Cairn.Node.Peers;
using Cairn.Node.Pool;
using Cairn.Node.Ports;
using Cairn.Node.Repair;
using Cairn.Node.Replication;
using Cairn.Storage;
using Cairn.Storage.Home;
using Cairn.Storage.Logs;
using Cairn.Storage.Packs;

namespace Cairn.Node;

/// <summary>One node's engine: everything it keeps and does, wired together. One per home.</summary>
/// <remarks>
/// (1) <see cref="Open"/> locks the home and opens stores and the pool's log. (2) <see cref="Start"/> opens the volumes and
/// begins to listen, connect, gossip, replicate and repair. (3) <see cref="DisposeAsync"/> says goodbye and closes. A node
/// that is killed instead finds everything it owes in its stores. Thread: the engine's loop.
/// </remarks>
public sealed partial class CairnNode : INodeControl, IAsyncDisposable
{
    // Everything under way ends at the word to stop; a disk may be slow to take what was begun.
    private static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(30);

    private readonly NodePorts _ports;
    private readonly NodeWork _work;
    private readonly NodeOptions _options;
    private readonly HomeLayout _home;
    private readonly ChunkStore _chunks;
    private readonly LogStore _logs;
    private readonly NodeDiary _diary;
    private readonly UnreadableFiles _unreadable;
    private readonly ProgramErrors _errors;
    private PoolConfig _config;
    private readonly PoolLog _poolLog;
    private readonly PoolView _view;
    private readonly SpaceKeeper _space;
    private readonly OwnRecord _record;
    private readonly PeerSet _peers;
    private readonly LogSync _sync;
    private readonly GossipLoop _gossip;
    private readonly JoinHost _joinHost;
    private readonly RateLimiter _sendLimiter;
    private readonly RateLimiter _receiveLimiter;
    private readonly ChunkInbox _inbox;
    private readonly Replicator _replicator;
    private readonly ChunkServer _server;
    private readonly ReadSource _source;
    private readonly RepairLoop _repair;
    private readonly DropLoop _drops;
    private readonly StoreUpkeep _upkeep;
    private readonly VolumeSet _volumes;
    private readonly CloneKeeper _clones;
    private readonly WeightKeeper _weights;
    private readonly KeyKeeper _keys;
    private readonly ReturnKeeper _returns;
    private readonly VolumeTransfers _taking;
    private readonly TableCopy _copies;
    private readonly GroundCopy _grounds;
    private readonly TableServer _tables;
    private readonly OwnReturn _ownReturn;
    private readonly HorizonKeeper _horizon;
    private readonly MarkKeeper _marks;
    private readonly DamageReport _damage;
    private readonly OnlyHere _onlyHere;
    private readonly CopyCensus _census;
    private readonly BadCopies _badCopies;
    private readonly LastCached _lastCached;
    private readonly PinKeeper _pins;
    private readonly LocalCopies _local;
    private readonly PresenceLoop _presence;
    private readonly CancellationTokenSource _stop = new();
    private readonly long _started;
    private SortedSet<NodeId> _remembered;
    private TaskCompletionSource _progress = new();
    private volatile bool _isLeaving;

    private CairnNode(
        NodePorts ports, NodeOptions options, HomeLayout home, ChunkStore chunks, LogStore logs, PoolConfig config,
        Coding.Encryption.VolumeKeyring keyring, BandwidthLimit limit, IVolumeFactory factory)
    {
        ports = ports with { Workers = _work = new NodeWork(ports.Workers) };
        (_ports, _options, _home) = (ports, options, home);
        (_chunks, _logs) = (chunks, logs);
        (_config, _started) = (config, ports.Time.GetTimestamp());
        _diary = new NodeDiary(ports.Time);
        (_unreadable, _errors) = (new UnreadableFiles(ports.Time, _diary), new ProgramErrors(_diary));
        _poolLog = new PoolLog(ports, logs, _diary, config.Pool, config.FounderKey, keyring);
        SignedNodeRecord[] remembered = [.. DecodeRecords(config, ports.CheckSignature)];
        _remembered = [.. remembered.Select(record => record.Record.Node)];
        _view = new PoolView(ports.Identity.Node, config.Pool, config.Bootstrap, _remembered);
        _space = new SpaceKeeper(chunks, SpacePlan.For(options.SpaceBytes).Journal, OthersBytes, options.SpaceBytes);
        _record = new OwnRecord(ports, options, _space.CapacityBytes, remembered);
        ulong seed = RandomUInt64(ports);
        _joinHost = new JoinHost(ports, _poolLog, _view, _diary) { OwnRecord = () => _record.Current };
        _peers = new PeerSet(ports, options, _view, _diary, seed)
        {
            OwnRecord = () => _record.Current,
            Handler = Handle,
            Joiner = _joinHost.Serve,
        };
        _gossip = new GossipLoop(ports, options, _view, _peers, _diary, seed ^ 1, RandomUInt64(ports));
        _sync = new LogSync(ports, _view, _peers, _diary);
        _sendLimiter = new RateLimiter(ports.Time) { BytesPerSecond = limit.SendBytesPerSecond };
        _receiveLimiter = new RateLimiter(ports.Time) { BytesPerSecond = limit.ReceiveBytesPerSecond };
        DropProtocol drops = new(ports.Identity.Node);
        _replicator = new Replicator(ports, chunks, _view, _peers, _diary, _sendLimiter, drops);
        _server = new ChunkServer(ports, chunks, _view, drops, _sendLimiter) { IsBrought = _replicator.Brings };
        _inbox = new ChunkInbox(ports, chunks, _diary, _receiveLimiter, _server.Answer)
        {
            IsRemoved = address => AnyCondemned(garbage => garbage.IsRemoved(address)),
        };
        _source = new ReadSource(ports, options, _view, _peers, _diary, _receiveLimiter);
        _repair = new RepairLoop(ports, options, chunks, _view, _peers, _server, _source, _diary)
        {
            IsCondemned = address => AnyCondemned(garbage => garbage.Contains(address)),
        };
        _upkeep = new StoreUpkeep(ports, options, chunks, _diary, _repair.Wake);
        _drops = new DropLoop(ports, chunks, _view, _peers, _diary, drops)
        {
            IsCondemned = address => AnyCondemned(garbage => garbage.Contains(address)),
            Owe = _replicator.OweAgain,
        };
        _keys = new KeyKeeper(ports, _view, _poolLog, _diary);
        _returns = new ReturnKeeper(_view, _peers, _sync, _poolLog, _diary, member => _ownReturn!.HasMet(member));
        _horizon = new HorizonKeeper(ports, _view, _peers, _poolLog, _diary, options.Horizon);
        _weights = new WeightKeeper(ports.Workers, _view, _poolLog, _diary);
        _taking = new VolumeTransfers(ports.Workers);
        _copies = new TableCopy(ports, _view, _peers, _sync, _diary, _taking) { TransactionsMin = options.TableFrom };
        _grounds = new GroundCopy(ports, _view, _peers, _diary, _taking);
        _volumes = new VolumeSet(ports, _poolLog, _view, _sync, _diary, factory, _source, _replicator, PoolSpace)
        {
            Unreadable = _unreadable.Note,
            IsReturning = () => _view.IsReturning(),
            HasLeft = () => HasLeft || _isLeaving,
            Copies = _copies,
            Settling = new SettleKeeper(ports, _poolLog, _view, _peers, _diary, _taking, options.Horizon),
            Grounds = _grounds,
            AllKnowBeginnings = AllKnowBeginnings,
        };
        _clones = new CloneKeeper(ports, _view, _poolLog, _volumes, _diary);
        _marks = new MarkKeeper(ports, _view, _poolLog, _volumes, _diary, options.MarkInterval);
        _tables = new TableServer(ports, _view, _volumes, _sendLimiter);
        _ownReturn = NewReturn();
        _damage = new DamageReport(chunks, logs, _volumes, _view, _peers);
        _onlyHere = new OnlyHere(ports, chunks, _view, _peers, _sync, _replicator, _volumes);
        _badCopies = new BadCopies(ports, chunks, _view, _census = new(_view, _peers), _volumes, _stop.Token);
        (_lastCached, _pins) = (NewLastCached(), new PinKeeper(ports, chunks, _volumes, _peers, _source, _diary));
        _local = new LocalCopies(chunks, _view, _census);
        _presence = new PresenceLoop(ports, _view, _peers, _volumes);
        Listen();
    }

    /// <summary>What happened lately.</summary>
    public NodeDiary Diary => _diary;

    /// <summary>The pool this node belongs to.</summary>
    public PoolId Pool => _view.Pool;

    /// <summary>What the pool's log amounts to here.</summary>
    public PoolState State => _view.State;

    /// <summary>Where this node thinks that chunks should lie.</summary>
    public PlacementTable Placement => _view.Placement;

    /// <summary>Copies that repair made here since the start.</summary>
    public long ChunksRemade => _repair.RemadeCount;

    /// <summary>Told what escaped from a loop of this node's: a bug. On the engine's loop.</summary>
    public void NoteFailure(string loop, Exception escaped) => _errors.Note(loop, escaped);

    /// <summary>(1) Opens a home that belongs to a pool.</summary>
    /// <param name="ports">The world. On failure the caller keeps it.</param>
    /// <param name="options">How to behave.</param>
    /// <param name="makeVolumes">Makes the opener of volumes; it may find the journal unusable.</param>
    public static Result<CairnNode, ControlError> Open(
        NodePorts ports, NodeOptions options, Func<NodeStores, Result<IVolumeFactory, StoreError>> makeVolumes)
    {
        IReadOnlyList<string> problems = options.Validate();
        if (problems.Count > 0)
        {
            return new ControlError(ControlErrorKind.InvalidArgument, string.Join("; ", problems));
        }

        if (!HomeLayout.Open(ports.Disk).TryGet(out HomeLayout? home, out StoreError error))
        {
            return new ControlError(ControlErrorKind.Storage, error.ToString());
        }

        Result<CairnNode, ControlError> opened = OpenHome(ports, options, home, makeVolumes);
        if (!opened.IsOk)
        {
            home.Dispose();
        }

        return opened;
    }

    /// <summary>(2) Begins.</summary>
    public void Start()
    {
        Warn(_record.Save());
        _view.Load(DecodeRecords(_config, _ports.CheckSignature).Append(_record.Current), _poolLog.State);
        _view.Changed += RememberMembers;
        RememberMembers();
        _sync.Add(_poolLog);
        _volumes.Refresh();
        if (HasLeft && !_record.HasLeft)
        {
            // A crash came between the pool's log and the record.
            Say(NodeState.Gone);
        }

        _ownReturn.Look(_stop.Token);
        _gossip.Overtaken += counter => ChangeRecord(record => record with { Counter = counter });
        _gossip.Start();
        _peers.Start();
        _repair.Start();
        _upkeep.Start();
        _pins.Start();
        _ports.Workers.Start("housekeeping", Housekeeping);
        _ports.Workers.Start("presence", () => _presence.Run(_stop.Token));
        _diary.Add(LogLevel.Info, "node", $"{_options.Name} ({_view.Self.Short}) listens at {_ports.Transport.ListenAddress}");
    }

    /// <summary>(3) Ends.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        _view.Changed -= RememberMembers;
        Waiting.End(_stop);
        _source.Stop();
        _sync.Stop();
        _taking.Stop();
        _tables.Stop();
        _volumes.Stop();
        Warn(_sync.Save());
        _replicator.Stop();
        _sendLimiter.Stop();
        _receiveLimiter.Stop();
        _repair.Stop();
        _pins.Stop();
        await _upkeep.Stop();
        _gossip.Stop();
        _peers.Stop();
        await _ports.Transport.DisposeAsync();
        await EndLoops();
        await _volumes.DisposeAsync();
        _gossip.Dispose();
        _repair.Dispose();
        _pins.Dispose();
        _upkeep.Dispose();
        _logs.Dispose();
        _chunks.Dispose();
        _home.Dispose();
        RaiseProgress();
    }

    /// <summary>What peers sent last is stored, or given up, before what it is stored in is closed.</summary>
    private async Task EndLoops()
    {
        if (!await _work.Drain(DrainPatience, _ports.Time))
        {
            InvalidOperationException hung = new("still under way: " + string.Join(", ", _work.UnderWay));
            _ports.Workers.Start("stop", () => Task.FromException(hung));
        }
    }

    private OwnReturn NewReturn()
    {
        MadeGood madeGood = new(_ports.Disk, _view.Self);
        return new OwnReturn(
            _ports.Workers, _ports.Time, _view, _sync, _volumes, madeGood, _diary, state => Say(state));
    }

    private void Listen()
    {
        _view.IsReturning = () => _ownReturn.IsUnderWay;
        _copies.Ended += _volumes.Refresh;
        _grounds.Taken += _volumes.Refresh;
        _poolLog.Changed += OnPoolLog;
        _poolLog.Granting += _volumes.Share;
        _poolLog.KeyringChanged += SaveKeyring;
        _replicator.Progress += OnReplicated;
        _replicator.Damaged += _repair.Wake;
        _replicator.Unreadable.Fetch = address => _source.FetchHere(address, _stop.Token);
        _inbox.Stored += PublishUse;
        _sync.Progress += RaiseProgress;
        _repair.RoundEnded += OnRepairRound;
    }

    private static Result<CairnNode, ControlError> OpenHome(
        NodePorts ports, NodeOptions options, HomeLayout home,
        Func<NodeStores, Result<IVolumeFactory, StoreError>> makeVolumes)
    {
        if (!PoolConfig.Load(ports.Disk).TryGet(out PoolConfig? config, out StoreError error))
        {
            return new ControlError(ControlErrorKind.Storage, error.ToString());
        }

        if (config is null)
        {
            return new ControlError(ControlErrorKind.NotMember, "This home belongs to no pool yet. Use `cairn init` or `cairn join`.");
        }

        if (PoolKeys.Open(ports.Identity, config.Pool, config.SealedKeyring.Span) is not { } keyring)
        {
            return new ControlError(
                ControlErrorKind.Locked, "The pool's keys do not open with this node's identity key. Was the home copied?");
        }

        ChunkStoreOptions storeOptions = SpacePlan.For(options.SpaceBytes).Chunks;
        if (!ChunkStore.Open(ports.Disk, storeOptions, ports.RunInBackground).TryGet(out ChunkStore? chunks, out error))
        {
            return new ControlError(ControlErrorKind.Storage, error.ToString());
        }

        Result<LogStore, StoreError> opened = LogStore.Open(ports.Disk, HomeLayout.LogsFolder, ports.RunInBackground);
        if (!opened.TryGet(out LogStore? logs, out error))
        {
            chunks.Dispose();
            return new ControlError(ControlErrorKind.Storage, error.ToString());
        }

        NodeStores stores = new(ports, options, chunks, logs, config.Pool);
        if (!makeVolumes(stores).TryGet(out IVolumeFactory? factory, out error))
        {
            logs.Dispose();
            chunks.Dispose();
            return new ControlError(ControlErrorKind.Storage, error.ToString());
        }

        return new CairnNode(ports, options, home, chunks, logs, config, keyring, NodeSettings.Load(ports.Disk).Limit, factory);
    }

    private void Handle(PeerLink link, PeerMessage message, IFrame frame)
    {
        switch (message)
        {
            case LogBlocks blocks:
                _sync.OnBlocks(link, blocks, frame);
                return;
            case LogBegins begins:
                _sync.OnBegins(link, begins, frame);
                return;
            case ChunkPut put:
                _inbox.OnPut(link, put, frame);
                return;
            case LogPositionsMessage positions:
                _sync.OnPositions(link, positions);
                break;
            case OpenFilesMessage open:
                _presence.OnOpenFiles(link, open);
                break;
            case MapRoot or MapBuckets or MapRecords:
                _gossip.OnMap(link, message);
                break;
            case ChunkGet get:
                _server.OnGet(link, get);
                break;
            case HoldingAsk ask:
                _server.OnHolding(link, ask);
                break;
            case DigestAsk ask:
                _server.OnDigest(link, ask);
                break;
            case PartitionAsk ask:
                _server.OnPartition(link, ask);
                break;
            case DropAsk ask:
                _server.OnDrop(link, ask);
                break;
            case Ping ping:
                // Who asks waits for what this node owes: the record that says so goes before the answer.
                PublishOwed();
                link.Send(new Pong(ping.Request));
                break;
            case TableAsk or CheckpointAsk:
                _tables.OnAsk(link, message);
                break;
            default:
                link.Close(GoodbyeReason.ProtocolError);
                break;
        }

        frame.Dispose();
    }

    private void OnPoolLog()
    {
        _view.SetState(_poolLog.State);
        _volumes.Refresh();
        _ownReturn.Look(_stop.Token);
        RaiseProgress();
    }

    /// <summary>Who is not there, or speaks an older protocol, would wait for blocks that nobody has any more.</summary>
    private bool AllKnowBeginnings() => _view.State.ActiveNodes.All(member => member.Node == _view.Self
        || _peers.Find(member.Node) is { IsClosed: false, Version: >= ProtocolVersion.Beginnings });

    private void SaveKeyring() =>
        Keep(_config with { SealedKeyring = PoolKeys.SealToSelf(_ports, _config.Pool, _poolLog.Keyring) });

    /// <summary>Keeps the members' records where damage to the pool's log does not reach them: it is they who can mend it.</summary>
    /// <remarks>At once when one comes: of a founder's log only who was let in a moment ago has another copy.</remarks>
    private void RememberMembers()
    {
        SignedNodeRecord[] members = [.. _view.Map.Records.Where(record => _view.IsMember(record.Record.Node))];
        if (!_remembered.SetEquals(members.Select(record => record.Record.Node)))
        {
            _remembered = [.. members.Select(record => record.Record.Node)];
            Keep(_config with { Records = [.. members.Select(record => record.Bytes)] });
        }
    }

    private void Keep(PoolConfig changed)
    {
        _config = changed;
        Warn(changed.Save(_ports.Disk));
    }

    private void Warn(Result<Unit, StoreError> saved)
    {
        if (!saved.TryGet(out _, out StoreError error))
        {
            _diary.Add(LogLevel.Error, "node", error.ToString());
        }
    }

    private static IEnumerable<SignedNodeRecord> DecodeRecords(PoolConfig config, SignatureCheck check)
    {
        foreach (ReadOnlyMemory<byte> bytes in config.Records)
        {
            if (NodeRecordCodec.Decode(bytes.Span, check).TryGet(out SignedNodeRecord? record, out _))
            {
                yield return record;
            }
        }
    }

    private bool AnyCondemned(Func<CondemnedChunks, bool> asked) => _volumes.Condemned.Any(asked);

    private void OnRepairRound()
    {
        if (!_ownReturn.IsUnderWay)
        {
            _ports.Workers.Start("drop", _drops.Run);
        }
    }

    private void OnReplicated()
    {
        PublishUse();
        RaiseProgress();
    }

    private void RaiseProgress()
    {
        TaskCompletionSource progress = _progress;
        _progress = new TaskCompletionSource();
        progress.TrySetResult();
    }

    private static ulong RandomUInt64(NodePorts ports)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        ports.Entropy.Fill(bytes);
        return BitConverter.ToUInt64(bytes);
    }
}
