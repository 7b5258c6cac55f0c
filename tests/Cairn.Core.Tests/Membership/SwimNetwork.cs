using Cairn.Core.Membership;
using Cairn.Core.Membership.Swim;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Membership;

/// <summary>
/// Some SWIM nodes on virtual time: every datagram may be lost, late, doubled, reordered or cut off one way.
/// </summary>
internal sealed class SwimNetwork
{
    private const int TickMs = 50;
    private readonly SwimOptions _options;
    private readonly Prng _prng;
    private readonly ulong _seed;
    private readonly PriorityQueue<(int From, int To, byte[] Bytes), (long AtMs, long Order)> _flying = new();
    private readonly SwimProtocol?[] _nodes;
    private readonly NodeId[] _ids;
    private readonly Dictionary<NodeId, int> _numbers;
    private long _sent;
    private ulong _starts;

    public SwimNetwork(int count, ulong seed, SwimOptions? options = null)
    {
        _seed = seed;
        _options = options ?? SwimOptions.Default;
        _prng = new Prng(seed);
        _nodes = new SwimProtocol?[count];
        _ids = [.. Enumerable.Range(0, count).Select(MemberKit.Node)];
        _numbers = Enumerable.Range(0, count).ToDictionary(node => _ids[node]);
        for (int i = 0; i < count; i++)
        {
            Start(i);
        }
    }

    public long NowMs { get; private set; }

    /// <summary>Of 1,000 datagrams, how many are lost.</summary>
    public int LossPermille { get; set; }

    public int DelayMsMax { get; set; } = 20;

    public int DoubledPermille { get; set; }

    public long SentCount => _sent;

    /// <summary>Ticks of all nodes that had something to do.</summary>
    public long DueTicks { get; private set; }

    public long BadCount { get; private set; }

    public long BytesLongest { get; private set; }

    /// <summary>Whether a datagram can pass from one node to another.</summary>
    public Func<int, int, bool> Passes { get; set; } = (_, _) => true;

    /// <summary>Status changes seen: when, by whom, about whom.</summary>
    public List<(long AtMs, int By, int About, Liveness Status)> Changes { get; } = [];

    public SwimProtocol this[int node] => _nodes[node]!;

    public void Start(int node)
    {
        _nodes[node] = new SwimProtocol(Id(node), _options, _seed + (++_starts * 1000) + (ulong)node);
        for (int other = 0; other < _nodes.Length; other++)
        {
            Step(node, SwimInput.MemberAdded(Id(other), NowMs));
        }
    }

    public NodeId Id(int node) => _ids[node];

    public void Kill(int node) => _nodes[node] = null;

    public void Run(long forMs)
    {
        for (long endMs = NowMs + forMs; NowMs < endMs; NowMs += TickMs)
        {
            while (_flying.TryPeek(out (int From, int To, byte[] Bytes) item, out (long AtMs, long Order) due)
                && due.AtMs <= NowMs)
            {
                _flying.Dequeue();
                Step(item.To, SwimInput.Message(Id(item.From), item.Bytes, NowMs));
            }

            for (int node = 0; node < _nodes.Length; node++)
            {
                Tick(node);
            }
        }
    }

    public bool RunUntil(Func<bool> condition, long limitMs)
    {
        for (long endMs = NowMs + limitMs; NowMs < endMs && !condition();)
        {
            Run(TickMs);
        }

        return condition();
    }

    public void Step(int node, SwimInput input) => _nodes[node]?.Step(input, new Effects(this, node));

    public Liveness View(int by, int about) => _nodes[by]!.StatusOf(Id(about));

    public bool AllRunningSeeEachOtherAlive() => AllRunning((by, about) => View(by, about) == Liveness.Alive);

    public bool AllRunning(Func<int, int, bool> holds)
    {
        for (int by = 0; by < _nodes.Length; by++)
        {
            for (int about = 0; about < _nodes.Length; about++)
            {
                if (by != about && _nodes[by] is not null && _nodes[about] is not null && !holds(by, about))
                {
                    return false;
                }
            }
        }

        return true;
    }

    public bool AllRunningSeeDead(int dead) =>
        Enumerable.Range(0, _nodes.Length).All(by =>
            _nodes[by] is null || by == dead || View(by, dead) == Liveness.Dead);

    /// <summary>A tick before something is due does nothing: whoever drives a node may leave it out.</summary>
    private void Tick(int node)
    {
        bool isDue = _nodes[node] is { } protocol && protocol.NextDueMs <= NowMs;
        (long sent, int changes) = (_sent, Changes.Count);
        Step(node, SwimInput.Tick(NowMs));
        bool isQuiet = (sent, changes) == (_sent, Changes.Count);
        Assert.True(isDue || isQuiet, $"node {node} did something at {NowMs}, before it was due");
        DueTicks += isDue ? 1 : 0;
    }

    private void Post(int from, NodeId to, ReadOnlySpan<byte> bytes)
    {
        _sent++;
        BytesLongest = Math.Max(BytesLongest, bytes.Length);
        int target = _numbers[to];
        int copies = _prng.Next(1000) < DoubledPermille ? 2 : 1;
        for (int i = 0; i < copies; i++)
        {
            if (_prng.Next(1000) >= LossPermille && Passes(from, target))
            {
                _flying.Enqueue((from, target, bytes.ToArray()), (NowMs + 1 + _prng.Next(DelayMsMax), _sent));
            }
        }
    }

    private sealed class Effects(SwimNetwork network, int node) : ISwimEffects
    {
        public void Send(NodeId to, ReadOnlySpan<byte> bytes) => network.Post(node, to, bytes);

        public void StatusChanged(NodeId changed, Liveness status)
        {
            int about = network._numbers[changed];
            network.Changes.Add((network.NowMs, node, about, status));
        }

        public void BadMessage(NodeId from) => network.BadCount++;
    }
}
