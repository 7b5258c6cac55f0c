using Cairn.Coding.Encryption;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Control;
using Cairn.Node.Offline;
using Cairn.Node.Peers;
using Cairn.Node.Pool;
using Cairn.Node.Repair;
using Cairn.Storage.Home;
using Cairn.Storage.Logs;
using Cairn.Storage.Packs;

namespace Cairn.Node;

/// <summary>What a node is made of, wired together. It does nothing until <see cref="CairnNode.Start"/>.</summary>
internal sealed class NodeParts
{
    private volatile bool _isLeaving;

    /// <summary>Wires them.</summary>
    public NodeParts(
        NodePorts ports, NodeOptions options, HomeLayout home, ChunkStore chunks, LogStore logs, PoolConfig config,
        VolumeKeyring keyring, IVolumeFactory factory, CancellationToken stop)
    {
        Stop = stop;
        Ports = ports = ports with { Workers = Work = new NodeWork(ports.Workers) };
        (Options, Home, Chunks, Logs) = (options, home, chunks, logs);
        Started = ports.Time.GetTimestamp();
        Diary = new NodeDiary(ports.Time);
        Unreadable = new UnreadableFiles(ports.Time, Diary);
        RefusedWrites = new RefusedWrites(ports.Time, Diary);
        Errors = new ProgramErrors(Diary);
        Config = new ConfigKeeper(ports, config, Diary);
        PoolLog = new PoolLog(ports, logs, Diary, config.Pool, config.FounderKey, keyring);
        View = new PoolView(ports.Identity.Node, config.Pool, config.Bootstrap, [.. Config.Remembered]);
        Space = new SpaceKeeper(chunks, SpacePlan.For(options.SpaceBytes).Journal, OthersBytes, options.SpaceBytes);
        Room = new PoolRoom(View, Space);
        Record = new OwnRecord(ports, options, Space.CapacityBytes, Config.Records);
        ulong seed = ports.RandomUInt64();
        JoinHost = new JoinHost(ports, PoolLog, View, Diary) { OwnRecord = () => Record.Current };
        Peers = new PeerSet(ports, options, View, Diary, seed)
        {
            OwnRecord = () => Record.Current,
            Handler = new MessageRouter(this).Handle,
            Joiner = JoinHost.Serve,
        };
        Gossip = new GossipLoop(ports, options, View, Peers, Diary, seed ^ 1, ports.RandomUInt64());
        Publisher = new RecordPublisher(ports.Time, Record, View, Gossip, Space, Diary, Stop);
        Sync = new LogSync(ports, View, Peers, Diary);
        Copies = new CopyParts(ports, options, chunks, View, Peers, Diary, IsCondemned, IsRemoved);
        Taking = new VolumeTransfers(ports.Workers);
        Grounds = new GroundCopy(ports, View, Peers, Diary, Taking);
        Tables = new TableCopy(ports, View, Peers, Sync, Diary, Taking) { TransactionsMin = options.TableFrom };
        Volumes = new VolumeSet(
            ports, PoolLog, View, Sync, Diary, factory, Copies.Source, Copies.Replicator, Room.Space)
        {
            Unreadable = Unreadable.Note,
            Refused = RefusedWrites.Note,
            IsReturning = () => View.IsReturning(),
            HasLeft = () => HasLeft || IsLeaving,
            Copies = Tables,
            Settling = new SettleKeeper(ports, PoolLog, View, Peers, Diary, Taking, options.Horizon),
            Grounds = Grounds,
            AllKnowBeginnings = AllKnowBeginnings,
        };
        Clones = new CloneKeeper(ports, View, PoolLog, Volumes, Diary);
        TableServer = new TableServer(ports, View, Volumes, Copies.SendLimiter);
        MadeGood madeGood = new(ports.Disk, View.Self);
        OwnReturn = new OwnReturn(
            ports.Workers, ports.Time, View, Sync, Volumes, madeGood, Diary, state => Publisher.Say(state));
        Damage = new DamageReport(chunks, logs, Volumes, View, Peers);
        OnlyHere = new OnlyHere(ports, chunks, View, Peers, Sync, Copies.Replicator, Volumes);
        BadCopies = new BadCopies(ports, chunks, View, Copies.Census, Volumes, Copies.Source.Nowhere, Stop);
        Pins = new PinKeeper(ports, chunks, Volumes, Peers, Copies.Source, Diary);
        Local = new LocalCopies(chunks, View, Copies.Census);
        Presence = new PresenceLoop(ports, View, Peers, Volumes);
    }

    public NodePorts Ports { get; }

    public NodeWork Work { get; }

    public NodeOptions Options { get; }

    public HomeLayout Home { get; }

    public ChunkStore Chunks { get; }

    public LogStore Logs { get; }

    public NodeDiary Diary { get; }

    public UnreadableFiles Unreadable { get; }

    public RefusedWrites RefusedWrites { get; }

    public ProgramErrors Errors { get; }

    public ConfigKeeper Config { get; }

    public PoolLog PoolLog { get; }

    public PoolView View { get; }

    public SpaceKeeper Space { get; }

    public PoolRoom Room { get; }

    public OwnRecord Record { get; }

    public JoinHost JoinHost { get; }

    public PeerSet Peers { get; }

    public GossipLoop Gossip { get; }

    public RecordPublisher Publisher { get; }

    public LogSync Sync { get; }

    public CopyParts Copies { get; }

    public VolumeTransfers Taking { get; }

    public GroundCopy Grounds { get; }

    public TableCopy Tables { get; }

    public VolumeSet Volumes { get; }

    public CloneKeeper Clones { get; }

    public TableServer TableServer { get; }

    public OwnReturn OwnReturn { get; }

    public DamageReport Damage { get; }

    public OnlyHere OnlyHere { get; }

    public BadCopies BadCopies { get; }

    public PinKeeper Pins { get; }

    public LocalCopies Local { get; }

    public PresenceLoop Presence { get; }

    public NodeProgress Progress { get; } = new();

    /// <summary>When the node was opened, by the clock of its ports.</summary>
    public long Started { get; }

    /// <summary>Ends what is under way.</summary>
    public CancellationToken Stop { get; }

    /// <summary>Whether the node stops.</summary>
    public bool IsStopping => Stop.IsCancellationRequested;

    /// <summary>Whether this node has left the pool, by the pool's log or by its record. Any thread.</summary>
    public bool HasLeft => Record.HasLeft || View.HasLeft(View.Self);

    /// <summary>Whether nothing is written here any more, because this node is about to leave. Any thread.</summary>
    public bool IsLeaving
    {
        get => _isLeaving;
        set => _isLeaving = value;
    }

    /// <summary>Whether a volume has condemned a chunk.</summary>
    public bool IsCondemned(ChunkAddress address) => Volumes.Condemned.Any(garbage => garbage.Contains(address));

    /// <summary>Whether a volume has removed a chunk here that it condemned and no member needs.</summary>
    private bool IsRemoved(ChunkAddress address) => Volumes.Condemned.Any(garbage => garbage.IsRemoved(address));

    private long OthersBytes() => Logs.Bytes + Volumes.IndexBytes;

    /// <summary>Who is not there, or speaks an older protocol, would wait for blocks that nobody has any more.</summary>
    private bool AllKnowBeginnings() => View.State.ActiveNodes.All(member => member.Node == View.Self
        || Peers.Find(member.Node) is { IsClosed: false, Version: >= ProtocolVersion.Beginnings });
}
