using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Owner;
using Cairn.Node.Peers;
using Cairn.Node.Pool;
using Cairn.Node.Volumes;
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
public sealed class CairnNode : INodeControl, IAsyncDisposable
{
    // Everything under way ends at the word to stop; a disk may be slow to take what was begun.
    private static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _stop;
    private readonly NodeParts _parts;
    private readonly Housekeeping _housekeeping;
    private readonly StatusOperations _status;
    private readonly MemberOperations _members;
    private readonly VolumeOperations _volumes;
    private readonly CloneOperations _clones;
    private readonly WriterOperations _writers;
    private readonly SafetyOperations _safety;
    private readonly LeaveOperations _leaving;
    private readonly OfflineOperations _offline;
    private readonly SettingOperations _settings;

    private CairnNode(NodeParts parts, CancellationTokenSource stop)
    {
        (_parts, _stop) = (parts, stop);
        _housekeeping = new Housekeeping(parts);
        PoolNames names = new(parts);
        SafetyState safety = new(parts);
        _settings = new SettingOperations(parts);
        _members = new MemberOperations(parts, names);
        _volumes = new VolumeOperations(parts, names);
        _clones = new CloneOperations(parts, names, _volumes);
        _writers = new WriterOperations(parts, names);
        _safety = new SafetyOperations(parts, names, safety);
        _leaving = new LeaveOperations(parts, safety);
        _offline = new OfflineOperations(parts, names, _volumes);
        _status = new StatusOperations(parts, safety, new ProblemList(parts), _volumes, _settings);
        Listen();
    }

    /// <inheritdoc/>
    public NodeId Self => _parts.View.Self;

    /// <summary>What happened lately.</summary>
    public NodeDiary Diary => _parts.Diary;

    /// <summary>The pool this node belongs to.</summary>
    public PoolId Pool => _parts.View.Pool;

    /// <summary>What the pool's log amounts to here.</summary>
    public PoolState State => _parts.View.State;

    /// <summary>Where this node thinks that chunks should lie.</summary>
    public PlacementTable Placement => _parts.View.Placement;

    /// <summary>Copies that repair made here since the start.</summary>
    public long ChunksRemade => _parts.Copies.Repair.RemadeCount;

    /// <summary>Told what escaped from a loop of this node's: a bug. On the engine's loop.</summary>
    public void NoteFailure(string loop, Exception escaped) => _parts.Errors.Note(loop, escaped);

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
        (PoolView view, PoolLog log) = (_parts.View, _parts.PoolLog);
        _parts.Diary.AddFailure(_parts.Record.Save());
        view.Load(_parts.Config.Records.Append(_parts.Record.Current), log.State);
        view.Changed += RememberMembers;
        RememberMembers();
        _parts.Sync.Add(log);
        _parts.Volumes.Refresh();
        if (_parts.HasLeft && !_parts.Record.HasLeft)
        {
            // A crash came between the pool's log and the record.
            _parts.Publisher.Say(NodeState.Gone);
        }

        _parts.OwnReturn.Look(_parts.Stop);
        _parts.Gossip.Overtaken += counter => _parts.Publisher.Change(record => record with { Counter = counter });
        _parts.Gossip.Start();
        _parts.Peers.Start();
        _parts.Copies.Start();
        _parts.Pins.Start();
        _parts.Ports.Workers.Start("housekeeping", _housekeeping.Run);
        _parts.Ports.Workers.Start("presence", () => _parts.Presence.Run(_parts.Stop));
        string address = _parts.Ports.Transport.ListenAddress.ToString();
        Diary.Add(LogLevel.Info, "node", $"{_parts.Options.Name} ({Self.Short}) listens at {address}");
    }

    /// <summary>(3) Ends.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_parts.IsStopping)
        {
            return;
        }

        _parts.View.Changed -= RememberMembers;
        Waiting.End(_stop);
        _parts.Copies.Source.Stop();
        _parts.Sync.Stop();
        _parts.Taking.Stop();
        _parts.TableServer.Stop();
        _parts.Volumes.Stop();
        Diary.AddFailure(_parts.Sync.Save());
        _parts.Pins.Stop();
        await _parts.Copies.Stop();
        _parts.Gossip.Stop();
        _parts.Peers.Stop();
        await _parts.Ports.Transport.DisposeAsync();
        await EndLoops();
        await _parts.Volumes.DisposeAsync();
        _parts.Gossip.Dispose();
        _parts.Copies.Dispose();
        _parts.Pins.Dispose();
        _parts.Logs.Dispose();
        _parts.Chunks.Dispose();
        _parts.Home.Dispose();
        _parts.Progress.Raise();
    }

    /// <inheritdoc/>
    public ValueTask<NodeStatus> Status(CancellationToken cancellation) =>
        new(_status.Status());

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<NodeSummary>> Nodes(CancellationToken cancellation) =>
        new(_members.Nodes());

    /// <inheritdoc/>
    public ValueTask<Result<InviteTicket, ControlError>> Invite(InviteTerms terms, CancellationToken cancellation) =>
        new(_members.Invite(terms));

    /// <inheritdoc/>
    public ValueTask<Result<Unit, ControlError>> PromoteNode(string node, CancellationToken cancellation) =>
        new(_members.PromoteNode(node));

    /// <inheritdoc/>
    public IAsyncEnumerable<Result<SafetyProgress, ControlError>> Leave(bool force, CancellationToken cancellation) =>
        _leaving.Leave(force, cancellation);

    /// <inheritdoc/>
    public ValueTask<Result<Unit, ControlError>> AssignUser(
        string node, string user, CancellationToken cancellation) =>
        new(_members.AssignUser(node, user));

    /// <inheritdoc/>
    public string UserOf(NodeId node) =>
        _members.UserOf(node);

    /// <inheritdoc/>
    public ValueTask<Result<Unit, ControlError>> ForgetNode(string node, CancellationToken cancellation) =>
        new(_members.ForgetNode(node));

    /// <inheritdoc/>
    public ValueTask<Result<Unit, ControlError>> RevokeNode(string node, CancellationToken cancellation) =>
        new(_members.RevokeNode(node));

    /// <inheritdoc/>
    public ValueTask<Result<Unit, ControlError>> ForbidWriting(string node, CancellationToken cancellation) =>
        new(_members.Limit(node, mayWrite: false, acceptsRefused: false));

    /// <inheritdoc/>
    public ValueTask<Result<Unit, ControlError>> AllowWriting(
        string node, bool acceptsRefused, CancellationToken cancellation) =>
        new(_members.Limit(node, mayWrite: true, acceptsRefused));

    /// <inheritdoc/>
    public ValueTask<Result<Unit, ControlError>> SetWriters(
        string path, FolderAccess access, IReadOnlyList<string> nodes, bool acceptsRefused,
        CancellationToken cancellation) =>
        _writers.SetWriters(path, access, nodes, acceptsRefused);

    /// <inheritdoc/>
    public ValueTask<Result<IReadOnlyList<FolderWriters>, ControlError>> FolderWriters(
        string volume, CancellationToken cancellation) =>
        new(_writers.FolderWriters(volume));

    /// <inheritdoc/>
    public ValueTask<Result<VolumeSummary, ControlError>> CreateVolume(string name, CancellationToken cancellation) =>
        new(_volumes.CreateVolume(name));

    /// <inheritdoc/>
    public ValueTask<Result<VolumeSummary, ControlError>> CloneSnapshot(
        string volume, string snapshot, string name, CancellationToken cancellation) =>
        _clones.CloneSnapshot(volume, snapshot, name);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<VolumeSummary>> Volumes(CancellationToken cancellation) =>
        new(_volumes.Summaries());

    /// <inheritdoc/>
    public ValueTask<Result<Unit, ControlError>> RemoveVolume(string name, CancellationToken cancellation) =>
        new(_volumes.RemoveVolume(name));

    /// <inheritdoc/>
    public ValueTask<Result<IVolume, ControlError>> Volume(string name, CancellationToken cancellation) =>
        new(_volumes.Volume(name));

    /// <inheritdoc/>
    public ValueTask<Result<SafetyReport, ControlError>> Safe(string path, CancellationToken cancellation) =>
        _safety.Safe(path, cancellation);

    /// <inheritdoc/>
    public IAsyncEnumerable<Result<SafetyProgress, ControlError>> WaitSafe(
        string? path, CancellationToken cancellation) =>
        _safety.WaitSafe(path, cancellation);

    /// <inheritdoc/>
    public IAsyncEnumerable<Result<SafetyProgress, ControlError>> Evacuate(CancellationToken cancellation) =>
        _offline.Evacuate(cancellation);

    /// <inheritdoc/>
    public ValueTask<Result<Unit, ControlError>> Pin(string? path, int recentDays, CancellationToken cancellation) =>
        _offline.Pin(path, recentDays);

    /// <inheritdoc/>
    public ValueTask<Result<Unit, ControlError>> Unpin(string path, CancellationToken cancellation) =>
        _offline.Unpin(path);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<PinSummary>> Pins(CancellationToken cancellation) =>
        new(_parts.Pins.Summaries);

    /// <inheritdoc/>
    public ValueTask<Result<FreeReport, ControlError>> Free(string path, CancellationToken cancellation) =>
        _offline.Free(path, cancellation);

    /// <inheritdoc/>
    public ValueTask<Result<SpaceStatus, ControlError>> SetSpace(long allocatedBytes, CancellationToken cancellation) =>
        new(_settings.SetSpace(allocatedBytes));

    /// <inheritdoc/>
    public ValueTask<Result<Unit, ControlError>> SetLimit(BandwidthLimit limit, CancellationToken cancellation) =>
        new(_settings.SetLimit(limit));

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<LogLine>> Logs(long afterNumber, int countMax, CancellationToken cancellation) =>
        new(Diary.After(afterNumber, countMax));

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
            return new ControlError(
                ControlErrorKind.NotMember, "This home belongs to no pool yet. Use `cairn init` or `cairn join`.");
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

        CancellationTokenSource stop = new();
        return new CairnNode(
            new NodeParts(ports, options, home, chunks, logs, config, keyring, factory, stop.Token), stop);
    }

    /// <summary>What peers sent last is stored, or given up, before what it is stored in is closed.</summary>
    private async Task EndLoops()
    {
        if (!await _parts.Work.Drain(DrainPatience, _parts.Ports.Time))
        {
            InvalidOperationException hung = new("still under way: " + string.Join(", ", _parts.Work.UnderWay));
            _parts.Ports.Workers.Start("stop", () => Task.FromException(hung));
        }
    }

    private void Listen()
    {
        (PoolLog log, CopyParts copies, VolumeSet volumes) = (_parts.PoolLog, _parts.Copies, _parts.Volumes);
        _parts.View.IsReturning = () => _parts.OwnReturn.IsUnderWay;
        _parts.Tables.Ended += volumes.Refresh;
        _parts.Grounds.Taken += volumes.Refresh;
        log.Changed += OnPoolLog;
        log.Granting += volumes.Share;
        log.KeyringChanged += () => _parts.Config.SaveKeyring(log.Keyring);
        copies.Replicator.Progress += OnReplicated;
        copies.Replicator.Damaged += copies.Repair.Wake;
        copies.Replicator.Unreadable.Fetch = address => copies.Source.FetchHere(address, _parts.Stop);
        copies.Inbox.Stored += _parts.Publisher.PublishUse;
        _parts.Sync.Progress += _parts.Progress.Raise;
        copies.Repair.RoundEnded += OnRepairRound;
    }

    private void RememberMembers() => _parts.Config.RememberMembers(_parts.View);

    private void OnPoolLog()
    {
        _parts.View.SetState(_parts.PoolLog.State);
        _parts.Volumes.Refresh();
        _parts.OwnReturn.Look(_parts.Stop);
        _parts.Progress.Raise();
    }

    private void OnRepairRound()
    {
        if (!_parts.OwnReturn.IsUnderWay)
        {
            _parts.Ports.Workers.Start("drop", _parts.Copies.Drops.Run);
        }
    }

    private void OnReplicated()
    {
        _parts.Publisher.PublishUse();
        _parts.Progress.Raise();
    }
}
