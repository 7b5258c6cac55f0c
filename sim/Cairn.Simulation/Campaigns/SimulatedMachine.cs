using System.Net;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node;
using Cairn.Node.Control;
using Cairn.Node.Engine;
using Cairn.Node.Pool;
using Cairn.Node.Volumes;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Indexes;
using Cairn.Simulation.Network;
using Cairn.Simulation.Time;
using Cairn.Storage;

namespace Cairn.Simulation.Campaigns;

/// <summary>One machine of a simulated pool: its disk, indexes, key and address stay when its process dies.</summary>
/// <remarks>Thread: the simulation's.</remarks>
public sealed class SimulatedMachine : IDisposable
{
    private readonly SortedDictionary<string, SimulatedIndex> _indexes = new(StringComparer.Ordinal);
    private readonly SimulatedScheduler _scheduler;
    private readonly SimulatedNetwork _network;
    private readonly SimulatedIdentity _identity;
    private readonly ulong _seed;
    private SimulatedTransport? _transport;
    private RecordedVolumes? _volumes;
    private long _remadeBefore;
    private int _life;
    private bool _hasOutlivedDisk;

    /// <summary>A machine that is switched off, with an empty disk.</summary>
    public SimulatedMachine(
        SimulatedScheduler scheduler, SimulatedNetwork network, int number, ulong seed, NodeOptions options,
        EqualPages? equal = null)
    {
        _scheduler = scheduler;
        _network = network;
        _seed = seed;
        _identity = new SimulatedIdentity((seed * 1000) + (ulong)number);
        Number = number;
        Address = network.NewAddress();
        Options = options with { Name = $"node{number}" };
        Disk = new SimulatedDisk(options.SpaceBytes * 2, equal);
        NewProcess();
    }

    /// <summary>Its number, from 0.</summary>
    public int Number { get; }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Address { get; }

    /// <summary>How its node behaves.</summary>
    public NodeOptions Options { get; }

    /// <summary>Its disk.</summary>
    public SimulatedDisk Disk { get; }

    /// <summary>The process of this life.</summary>
    public SimulatedProcess Process { get; private set; } = null!;

    /// <summary>The world of this life.</summary>
    public NodePorts Ports { get; private set; } = null!;

    /// <summary>The running node; null while it is down.</summary>
    public CairnNode? Node { get; private set; }

    /// <summary>The running node's stores; those of the last life while it is down.</summary>
    public NodeStores? Stores { get; private set; }

    /// <summary>
    /// Whether <see cref="Stores"/> says what is on the medium. A process whose disk died is told by every read that what it
    /// holds is gone; the next one finds it there.
    /// </summary>
    public bool KnowsItsMedium => !_hasOutlivedDisk && !Disk.Faults.IsDead;

    /// <summary>Copies that repair made here, in all lives.</summary>
    public long ChunksRemade => _remadeBefore + (Node?.ChunksRemade ?? 0);

    /// <summary>Whether the node runs.</summary>
    public bool IsUp => Node is not null;

    /// <summary>Whether somebody asked it to run.</summary>
    public bool IsWanted { get; private set; }

    /// <summary>Why the last start failed; null if it did not.</summary>
    public string? StartFailure { get; private set; }

    /// <summary>The node's id.</summary>
    public NodeId Id => _identity.Node;

    /// <summary>Called in the node's process each time it has begun to run.</summary>
    public Action<SimulatedMachine>? Started { get; set; }

    /// <summary>How signatures are checked; as usual by default.</summary>
    public SignatureCheck CheckSignature { get; init; } = Signatures.CheckEcdsa;

    /// <summary>Told what happens to it, and every line of its diary, with its name.</summary>
    public Action<string, string>? Told { get; init; }

    /// <summary>The open volume of this life, when there is one.</summary>
    public IHostedVolume? Hosted => IsUp ? _volumes?.First : null;

    /// <summary>What doors use; null while there is none.</summary>
    public IVolume? Volume => Hosted?.Volume;

    /// <summary>Switches it on. It may fail (a full disk): it is then tried again every ten seconds.</summary>
    public void Start()
    {
        IsWanted = true;
        if (!IsUp)
        {
            Process.Run(OpenNode);
        }
    }

    /// <summary>Ends the node in order.</summary>
    public async Task Stop()
    {
        IsWanted = false;
        if (Node is { } node)
        {
            _remadeBefore += node.ChunksRemade;
            Node = null;
            await node.DisposeAsync();
            NewLife(CrashKind.ProcessKilled);
        }
    }

    /// <summary>kill -9, or power loss.</summary>
    public void Kill(CrashKind kind)
    {
        IsWanted = false;
        _remadeBefore += Node?.ChunksRemade ?? 0;
        Node = null;
        Told?.Invoke(Options.Name, kind.ToString());
        NewLife(kind);
    }

    /// <summary>The indexes of its volumes are gone, while it is down; checkpoints are kept.</summary>
    public void LoseIndexes() => Lose("volume-");

    /// <summary>All checkpoints it keeps are gone, while it is down.</summary>
    public void LoseCheckpoints() => Lose("checkpoint-");

    private void Lose(string beginning)
    {
        string[] names = [.. _indexes.Keys.Where(name => name.StartsWith(beginning, StringComparison.Ordinal))];
        Array.ForEach(names, name => _indexes.Remove(name));
    }

    /// <summary>What `cairn status` shows.</summary>
    public NodeStatus Status() => Now(Node!.Status(CancellationToken.None));

    /// <summary>What `cairn nodes` shows.</summary>
    public IReadOnlyList<NodeSummary> Nodes() => Now(Node!.Nodes(CancellationToken.None));

    /// <summary>What `cairn pin ls` shows.</summary>
    public IReadOnlyList<PinSummary> Pins() => Now(Node!.Pins(CancellationToken.None));

    /// <inheritdoc/>
    public void Dispose() => _identity.Dispose();

    private static T Now<T>(ValueTask<T> answer)
    {
        Invariant.That(answer.IsCompleted, "an answer about a node itself had to wait");
        return answer.GetAwaiter().GetResult();
    }

    private void OpenNode()
    {
        if (IsUp || !IsWanted)
        {
            return;
        }

        Result<CairnNode, ControlError> opened = CairnNode.Open(Ports, Options, OpenVolumes);
        StartFailure = opened.TryGet(out CairnNode? node, out ControlError error) ? null : error.ToString();
        if (node is null)
        {
            Told?.Invoke(Options.Name, $"does not start: {StartFailure}");
            NewLife(CrashKind.ProcessKilled);
            IsWanted = true;
            SimulatedProcess process = Process;
            _scheduler.After(TimeSpan.FromSeconds(10), () => process.Run(OpenNode));
            return;
        }

        Node = node;
        Told?.Invoke(Options.Name, "starts");
        node.Diary.Added += line => Told?.Invoke(Options.Name, $"{line.Source}: {line.Text}");
        node.Start();
        Started?.Invoke(this);
    }

    private Result<IVolumeFactory, StoreError> OpenVolumes(NodeStores stores)
    {
        Stores = stores;
        _hasOutlivedDisk = false;
        if (!EngineVolumes.Open(stores).TryGet(out IVolumeFactory? volumes, out StoreError error))
        {
            return error;
        }

        _volumes = new RecordedVolumes(volumes);
        return _volumes;
    }

    private void NewLife(CrashKind kind)
    {
        Process.Kill();
        _transport?.Close();
        _hasOutlivedDisk |= Disk.Faults.IsDead;
        Disk.Crash(kind, _seed + ((ulong)_life * 31) + (ulong)Number);
        NewProcess();
    }

    private void NewProcess()
    {
        TimeSpan clockError = Process?.ClockError ?? TimeSpan.Zero;
        _life++;
        Process = _scheduler.CreateProcess($"node{Number}");
        Process.ClockError = clockError;
        _transport = _network.Attach(Process, _identity, Address);
        Ports = new NodePorts
        {
            Disk = Disk,
            Transport = _transport,
            Entropy = new SimulatedEntropy((_seed * 7919) + (ulong)((Number * 10_000) + _life)),
            Time = Process.Time,
            Workers = Process,
            Identity = _identity,
            CheckSignature = (key, data, signature) => CheckSignature(key, data, signature),
            OpenIndex = OpenIndex,
        };
    }

    private SimulatedIndex OpenIndex(string name)
    {
        if (!_indexes.TryGetValue(name, out SimulatedIndex? index))
        {
            index = new SimulatedIndex();
            _indexes.Add(name, index);
        }

        return index;
    }
}
