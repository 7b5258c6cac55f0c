using System.Net;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Engine;
using Cairn.Node.Peers;
using Cairn.Node.Pool;
using Cairn.Node.Volumes;
using Cairn.Simulation;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Indexes;
using Cairn.Simulation.Network;
using Cairn.Simulation.Time;
using Cairn.Storage;
using Cairn.Storage.Packs;

namespace Cairn.Node.Tests.Peers;

/// <summary>Several nodes in one thread on virtual time: founded, joined, killed and restarted by a test.</summary>
internal sealed class PoolBench
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    public PoolBench(ulong seed)
    {
        Seed = seed;
        Network = new SimulatedNetwork(Scheduler, seed);
        Random = new Prng(seed);
    }

    public ulong Seed { get; }

    public SimulatedScheduler Scheduler { get; } = new();

    public SimulatedNetwork Network { get; }

    public Prng Random { get; }

    public List<BenchNode> Nodes { get; } = [];

    public NodeOptions Options { get; private set; } = new()
    {
        SpaceBytes = 256L << 20,
        RepairGrace = TimeSpan.FromSeconds(30),
        RepairInterval = TimeSpan.FromSeconds(10),
        MarkInterval = TimeSpan.FromMinutes(1),
    };

    /// <summary>Whether nodes open real volumes instead of reduced ones.</summary>
    public bool HasDrives { get; init; }

    /// <summary>
    /// A pool of so many running nodes with real volumes, all connected, and one volume open on each; the first so many are admins.
    /// </summary>
    public static PoolBench WithDrives(
        int count, ulong seed, long spaceBytes = 256L << 20, long tableFrom = 50_000, TimeSpan? horizon = null,
        int adminsMax = int.MaxValue)
    {
        PoolBench bench = new(seed) { HasDrives = true };
        bench.Options = bench.Options with { TableFrom = tableFrom };
        if (horizon is { } soon)
        {
            bench.Options = bench.Options with { Horizon = soon, DropsBlocks = true, DropBytesMin = 1 };
        }

        Fill(bench, [.. Enumerable.Repeat(spaceBytes, count)], adminsMax);
        bench.Ok(bench.Nodes[0], () => bench.Nodes[0].Node.CreateVolume("shared", default).AsTask());
        bench.Until(() => bench.Nodes.TrueForAll(node => node.FindDrive() is not null), "the volume is everywhere");
        return bench;
    }

    /// <summary>A pool of so many running nodes, all connected.</summary>
    public static PoolBench Of(int count, ulong seed, NodeOptions? options = null) =>
        Of([.. Enumerable.Repeat((options ?? new PoolBench(seed).Options).SpaceBytes, count)], seed, options);

    /// <summary>A pool of running nodes that give so much each, all connected.</summary>
    public static PoolBench Of(long[] spaces, ulong seed, NodeOptions? options = null)
    {
        PoolBench bench = options is null ? new PoolBench(seed) : new PoolBench(seed) { Options = options };
        Fill(bench, spaces);
        return bench;
    }

    public BenchNode NewNode(long? spaceBytes = null)
    {
        BenchNode node = new(this, Nodes.Count, Network.NewAddress());
        node.Options = node.Options with { SpaceBytes = spaceBytes ?? node.Options.SpaceBytes };
        Nodes.Add(node);
        return node;
    }

    public void Join(
        BenchNode node, BenchNode inviter, MemberRole role = MemberRole.Admin, bool isReadOnly = false)
    {
        InviteTicket ticket =
            Ok(inviter, () => inviter.Node.Invite(new InviteTerms(role, isReadOnly), default).AsTask());
        Result<JoinedPool, ControlError> joined =
            Do(node, () => Founding.Join(node.Ports, node.Options, ticket.Code, CancellationToken.None));
        Assert.True(joined.IsOk, joined.ToString());
        node.Start();
    }

    /// <summary>Runs work in a node's process and returns its result.</summary>
    public T Do<T>(BenchNode node, Func<Task<T>> work) => Scheduler.Complete(node.Process.Run(work), Patience);

    public T Ok<T>(BenchNode node, Func<Task<Result<T, ControlError>>> work)
    {
        Result<T, ControlError> result = Do(node, work);
        Assert.True(result.IsOk, result.ToString());
        return result.Value;
    }

    public void Until(Func<bool> condition, string what, TimeSpan? within = null)
    {
        bool held = Scheduler.RunUntil(condition, within ?? Patience);
        string diary = held ? string.Empty : string.Join('\n', Nodes.SelectMany(node => node.Lines));
        Assert.True(held, $"seed {Seed}: not {what} at {Scheduler.Now}\n{diary}");
        AssertNoFailures();
    }

    public void AssertNoFailures() =>
        Assert.True(
            Scheduler.Failures.Count == 0, string.Join('\n', Scheduler.Failures.Select(failure => failure.ToString())));

    public byte[] Bytes(int length)
    {
        byte[] bytes = new byte[length];
        Random.Fill(bytes);
        return bytes;
    }

    private static void Fill(PoolBench bench, long[] spaces, int adminsMax = int.MaxValue)
    {
        BenchNode first = bench.NewNode(spaces[0]);
        bench.Do(first, () => Task.FromResult(Founding.Found(first.Ports, first.Options)));
        first.Start();
        foreach (long space in spaces.Skip(1))
        {
            MemberRole role = bench.Nodes.Count < adminsMax ? MemberRole.Admin : MemberRole.Member;
            bench.Join(bench.NewNode(space), first, role);
        }

        bench.Until(() => bench.Nodes.TrueForAll(node => node.Connected == spaces.Length - 1), "all connected");
    }
}

/// <summary>One node of a bench: its disk, key and address stay when its process dies.</summary>
internal sealed class BenchNode : IDisposable
{
    private readonly PoolBench _bench;
    private readonly SimulatedIdentity _identity;
    private CairnNode? _node;
    private int _life;

    public BenchNode(PoolBench bench, int index, IPEndPoint address)
    {
        _bench = bench;
        Index = index;
        Address = address;
        _identity = new SimulatedIdentity((bench.Seed * 1000) + (ulong)index);
        Options = bench.Options with { Name = $"node{index}" };
        NewProcess();
    }

    public int Index { get; }

    public IPEndPoint Address { get; private set; }

    public NodeOptions Options { get; set; }

    public SimulatedDisk Disk { get; private set; } = new(4L << 30);

    public SimulatedProcess Process { get; private set; } = null!;

    public SimulatedTransport Transport { get; private set; } = null!;

    public NodePorts Ports { get; private set; } = null!;

    /// <summary>What the node keeps in its embedded database.</summary>
    public SortedDictionary<string, SimulatedIndex> Indexes { get; } = new(StringComparer.Ordinal);

    public ScrapVolume.Factory? Volumes { get; private set; }

    /// <summary>The log of its reduced volumes; null for none.</summary>
    public Func<VolumeId, ISharedLog>? Log { get; set; }

    public NodeStores? Stores { get; private set; }

    /// <summary>What its program is given in the place of its ports, from the next start on.</summary>
    public Func<NodePorts, NodePorts> Adapt { get; set; } = static ports => ports;

    public CairnNode Node => _node ?? throw new InvalidOperationException("not started");

    public bool IsUp => _node is not null && Process.IsAlive;

    /// <summary>What the home takes on the disk, index included.</summary>
    public long TakenBytes => Disk.Files.Sum(Disk.LengthOf) + Indexes.Values.Sum(index => index.Bytes);

    public NodeId Id => _identity.Node;

    public int Connected => IsUp ? Info().Count(node => node.IsConnected) - 1 : 0;

    public IEnumerable<string> Lines => _node is null
        ? []
        : _node.Diary.After(0, 60).Select(line => $"{Options.Name} {line.Time} {line.Source}: {line.Text}");

    /// <summary>The chunks of which a copy is here that counts, or waits to be sent.</summary>
    public SortedSet<ChunkAddress> Chunks =>
    [
        .. Stores!.Chunks.Enumerate(ChunkUse.Replicated).Concat(Stores.Chunks.Enumerate(ChunkUse.Staged))
            .Select(record => record.Key.Address),
    ];

    /// <summary>What another is to the pool, as it is listed here.</summary>
    public string RoleOf(BenchNode other) => Info().Single(node => node.Node == other.Id).Role;

    public IReadOnlyList<NodeSummary> Info() => Node.Nodes(default).AsTask().GetAwaiter().GetResult();

    public NodeStatus Status() => Node.Status(default).AsTask().GetAwaiter().GetResult();

    /// <summary>A volume as it is listed here.</summary>
    public VolumeSummary? FindVolume(string name) => Node.Volumes(default).AsTask().GetAwaiter().GetResult()
        .Where(volume => volume.Name == name).Cast<VolumeSummary?>().FirstOrDefault();

    /// <summary>A volume, the shared one if no other is named, once it is open here.</summary>
    public IVolume? FindDrive(string name = "shared") =>
        Node.Volume(name, default).AsTask().GetAwaiter().GetResult().TryGet(out IVolume? drive, out _)
            ? drive
            : null;

    public IVolume Drive => FindDrive() ?? throw new InvalidOperationException($"{Options.Name} has no drive open");

    public ScrapVolume Volume => Volumes!.Open.Values.First();

    public void Start()
    {
        Result<CairnNode, ControlError> opened = _bench.Do(this, () => Task.FromResult(Open()));
        Assert.True(opened.IsOk, opened.ToString());
        _node = opened.Value;
        Process.Run(_node.Start);
    }

    private Result<CairnNode, ControlError> Open() => CairnNode.Open(
        Adapt(Ports),
        Options,
        stores =>
        {
            Stores = stores;
            if (_bench.HasDrives)
            {
                return EngineVolumes.Open(stores);
            }

            Volumes = new ScrapVolume.Factory(stores, Log);
            return Result<IVolumeFactory, StoreError>.Ok(Volumes);
        });

    /// <summary>As SIGKILL, or as a power cut.</summary>
    public void Kill(CrashKind kind = CrashKind.ProcessKilled)
    {
        Process.Kill();
        Transport.Close();
        Disk.Crash(kind, _bench.Seed);
        _node = null;
        NewProcess();
    }

    /// <summary>The machine begins again at another address; the others still hold the connections with the old one.</summary>
    public void MoveTo(IPEndPoint address)
    {
        foreach (BenchNode other in _bench.Nodes.Where(node => node != this))
        {
            _bench.Network.Cut(Address, other.Address);
        }

        Address = address;
        Kill();
        Start();
    }

    /// <summary>The machine is gone with its disk.</summary>
    public void Wipe()
    {
        Kill();
        Disk = new SimulatedDisk(4L << 30);
        Transport.Close();
        NewProcess();
    }

    /// <summary>Whether a copy is here that the node answers for.</summary>
    public bool Holds(ChunkAddress address) =>
        Stores!.Chunks.TryGet(RecordKey.Copy(address), out StoredRecord record) && record.Use != ChunkUse.Cached;

    public void Dispose() => _identity.Dispose();

    private void NewProcess()
    {
        _life++;
        Process = _bench.Scheduler.CreateProcess($"node{Index}");
        Transport?.Close();
        Transport = _bench.Network.Attach(Process, _identity, Address);
        Ports = new NodePorts
        {
            Disk = Disk,
            Transport = Transport,
            Entropy = new SimulatedEntropy((_bench.Seed * 7919) + (ulong)((Index * 100) + _life)),
            Time = Process.Time,
            Workers = Process,
            Identity = _identity,
            OpenIndex = name =>
            {
                Indexes.TryAdd(name, new SimulatedIndex());
                return Indexes[name];
            },
        };
    }
}
