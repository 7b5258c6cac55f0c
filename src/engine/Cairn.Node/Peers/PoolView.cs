using Cairn.Core.Membership;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;

namespace Cairn.Node.Peers;

/// <summary>What this node knows of its pool now: members, records, who is up, and where chunks should lie.</summary>
/// <remarks>
/// Invariants: the placement table is a function of state, map and the set of nodes given up; it changes only in
/// <see cref="Rebuild"/>. Thread: the engine's loop; <see cref="Placement"/> and <see cref="State"/> may be read from any.
/// </remarks>
internal sealed class PoolView
{
    /// <summary>
    /// Records of so many nodes are kept that the pool's log does not name (yet): any member can make them up. Those with the
    /// smallest ids, or two nodes that heard of them in another order would never agree on the map.
    /// </summary>
    private const int StrangersMax = 1000;
    private readonly HashSet<NodeId> _givenUp = [];
    private readonly HashSet<(VolumeId Volume, NodeId Node)> _readers = [];
    private readonly Dictionary<NodeId, Liveness> _liveness = [];
    private readonly NodeId _bootstrap;
    private readonly SortedSet<NodeId> _remembered;
    private volatile bool _hasRoom = true;
    private volatile PlacementTable _placement = PlacementTable.Empty;
    private PlacementNode[] _counted = [];
    private int _unknown;
    private PlacementWeights _weights = PlacementWeights.None;
    private volatile PoolState _state = PoolState.Empty;
    private volatile NodeId[] _tracked = [];

    /// <summary>Starts with this node alone.</summary>
    /// <param name="self">This node.</param>
    /// <param name="pool">The pool.</param>
    /// <param name="bootstrap">Trusted until the pool's log names this node a member; this node itself if nobody.</param>
    /// <param name="remembered">
    /// Members when this node last ran. A log that was damaged meanwhile does not name them all, and only they can send what
    /// is missing; whatever the log does say of a node counts more.
    /// </param>
    public PoolView(NodeId self, PoolId pool, NodeId bootstrap, IEnumerable<NodeId> remembered)
    {
        _remembered = [.. remembered];
        Self = self;
        Pool = pool;
        _bootstrap = bootstrap;
    }

    /// <summary>This node.</summary>
    public NodeId Self { get; }

    /// <summary>The pool.</summary>
    public PoolId Pool { get; }

    /// <summary>The signed records.</summary>
    public PoolMap Map { get; } = new();

    /// <summary>The folded pool log.</summary>
    public PoolState State => _state;

    /// <summary>Where chunks should lie.</summary>
    public PlacementTable Placement => _placement;

    /// <summary>Active members with a record, this node among them, in the order of ids.</summary>
    public IReadOnlyList<NodeId> Nodes => _tracked;

    /// <summary>Every node whose state takes copies, given up or not: what weights are solved for.</summary>
    public IReadOnlyList<PlacementNode> PlacementNodes { get; private set; } = [];

    /// <summary>How many copies a chunk must have before the node that wrote it may let go of it.</summary>
    /// <remarks>A member whose record has not come yet counts: it may have to have a copy.</remarks>
    public int CopiesWanted => Math.Min(PlacementPolicy.CopiesDefault, Placement.NodeCount + _unknown);

    /// <summary>Whether so many nodes have room as a chunk has copies; true in a pool that has no nodes yet.</summary>
    public bool HasRoom => _hasRoom;

    /// <summary>Told after members, records or placement changed.</summary>
    public event Action? Changed;

    /// <summary>Told after a node's liveness changed.</summary>
    public event Action<NodeId, Liveness>? LivenessChanged;

    /// <summary>
    /// Whether a new connection with a node may be made. One that is there stays when its node leaves: what it wrote last comes by it.
    /// </summary>
    public bool MayConnect(NodeId node) => IsMember(node) && !HasLeft(node);

    /// <summary>Whether a node has left by its own will.</summary>
    public bool HasLeft(NodeId node) => State.Members.TryGetValue(node, out Member? member) && member.HasLeft;

    /// <summary>Whether a node hands on what it has, or has left: its copies are not to be counted on.</summary>
    public bool IsLeaving(NodeId node) => HasLeft(node)
        || (Map.TryGet(node, out SignedNodeRecord? record)
            && record.Record.State is NodeState.Decommissioning or NodeState.Gone);

    /// <summary>Whether a node belongs to the pool, or did when it was forgotten.</summary>
    public bool IsMember(NodeId node) => State.Members.TryGetValue(node, out Member? member)
        ? member.Standing is MemberStanding.Active or MemberStanding.Forgotten && member.Role != MemberRole.Recovery
        : _remembered.Contains(node) || (node == _bootstrap && !State.Members.ContainsKey(Self));

    /// <summary>Whether a node was expelled.</summary>
    public bool IsRevoked(NodeId node) =>
        State.Members.TryGetValue(node, out Member? member) && member.Standing == MemberStanding.Revoked;

    /// <summary>Whether a node was forgotten and belongs again when it comes back; who left by its own will stays out.</summary>
    public bool MayReturn(NodeId node) =>
        State.Members.TryGetValue(node, out Member? member)
        && member.MayReturn
        && !(Map.TryGet(node, out SignedNodeRecord? record)
            && record.Record.State is NodeState.Decommissioning or NodeState.Gone);

    /// <summary>Whether this node is on its way back into the pool, that had forgotten it: it keeps every copy it has.</summary>
    /// <remarks>
    /// Placement without it is that of the few who forgot it, one alone perhaps, and it is about to hold again what it holds.
    /// </remarks>
    public bool KeepsAll => MayReturn(Self) || IsReturning()
        || (Map.TryGet(Self, out SignedNodeRecord? own) && own.Record.State == NodeState.Joining);

    /// <summary>Whether a peer knows the same of the pool as this node: no copy is given up on the word of any other.</summary>
    /// <remarks>
    /// Who does not know that this node was taken back, or forgot it without this node's knowing, may collect what this node
    /// alone needs. docs/decisions/garbage.md.
    /// </remarks>
    public Func<NodeId, bool> IsLevel { get; set; } = static _ => true;

    /// <summary>Whether this node was forgotten, in vain perhaps, and has not made good yet what was settled without it.</summary>
    public Func<bool> IsReturning { get; set; } = static () => false;

    /// <summary>Whether this node may grant and revoke.</summary>
    public bool IsAdmin => State.Members.TryGetValue(Self, out Member? member) && member.IsAuthority;

    /// <summary>Whether this node is the first admin's that is up: what any admin may write, usually one writes.</summary>
    public bool IsFirstAdminUp => State.ActiveNodes
        .Where(static member => member.IsAuthority).Select(static member => member.Node).Order()
        .FirstOrDefault(node => LivenessOf(node) == Liveness.Alive) == Self;

    /// <summary>Whether a node was granted the secret of a volume; the pool's own log is every member's.</summary>
    public bool CanRead(VolumeId volume, NodeId node) =>
        volume.Value == Pool.Value || _readers.Contains((volume, node));

    /// <summary>The nodes that can open a volume and are counted on, in the order of ids.</summary>
    public IEnumerable<NodeId> Readers(VolumeId volume) =>
        _tracked.Where(node => CanRead(volume, node) && !_givenUp.Contains(node) && State.IsActive(node));

    /// <summary>What is thought of a node; this one is alive.</summary>
    public Liveness LivenessOf(NodeId node) =>
        node == Self ? Liveness.Alive : _liveness.GetValueOrDefault(node, Liveness.Dead);

    /// <summary>Everyone this node should be connected to, in the order of ids.</summary>
    public IReadOnlyList<NodeId> Others => [.. Candidates().Where(node => node != Self)];

    /// <summary>Takes a new fold of the pool's log.</summary>
    public void SetState(PoolState state)
    {
        bool hasNewKeys = _state.Keys != state.Keys;
        _state = state;
        if (hasNewKeys)
        {
            _readers.Clear();
            _readers.UnionWith(
                state.Keys.Where(grant => grant.Epoch == default).Select(grant => (grant.Volume, grant.Recipient)));
        }

        Rebuild();
    }

    /// <summary>Takes all that was known when the last run ended, at once.</summary>
    /// <remarks>A placement over the first few nodes would call a chunk safe that has one copy.</remarks>
    public void Load(IEnumerable<SignedNodeRecord> records, PoolState state)
    {
        foreach (SignedNodeRecord record in records)
        {
            Map.Merge(record);
        }

        SetState(state);
    }

    /// <summary>Takes a record; true if it was new.</summary>
    public bool Merge(SignedNodeRecord record)
    {
        bool isNews = HasPlaceFor(record.Record.Node)
            && Map.Merge(record) is MergeOutcome.Added or MergeOutcome.Updated;
        if (isNews)
        {
            Rebuild();
        }

        return isNews;
    }

    /// <summary>Whether failure detection hears nobody: this node is cut off, long before each of the others is called dead.</summary>
    public bool HearsNobody { get; set; }

    /// <summary>Takes failure detection's word.</summary>
    public void SetLiveness(NodeId node, Liveness liveness)
    {
        if (LivenessOf(node) != liveness)
        {
            _liveness[node] = liveness;
            LivenessChanged?.Invoke(node, liveness);
        }
    }

    /// <summary>Nodes whose copies are remade elsewhere, because they were away for longer than the grace period.</summary>
    public void SetGivenUp(IReadOnlyCollection<NodeId> nodes)
    {
        if (!_givenUp.SetEquals(nodes))
        {
            _givenUp.Clear();
            _givenUp.UnionWith(nodes);
            Rebuild();
        }
    }

    /// <summary>Whether a node's copies are being remade elsewhere.</summary>
    public bool IsGivenUp(NodeId node) => _givenUp.Contains(node);

    /// <summary>Whether it left or was given up by an admin: nobody waits for it any more.</summary>
    public bool IsForgotten(NodeId node) =>
        State.Members.TryGetValue(node, out Member? member) && member.Standing == MemberStanding.Forgotten;

    /// <summary>The name to show for a node.</summary>
    public string NameOf(NodeId node) =>
        Map.TryGet(node, out SignedNodeRecord? record) ? record.Record.Name
        : State.Members.TryGetValue(node, out Member? member) ? member.Name
        : node.Short;

    /// <summary>Whether a node's record is kept; of a stranger's it may be in the place of another's.</summary>
    private bool HasPlaceFor(NodeId node)
    {
        if (Map.TryGet(node, out _) || State.Members.ContainsKey(node))
        {
            return true;
        }

        NodeId[] strangers =
        [
            .. Map.Records.Select(static known => known.Record.Node).Where(known => !State.Members.ContainsKey(known)),
        ];
        if (strangers.Length < StrangersMax)
        {
            return true;
        }

        bool hasPlace = node < strangers[^1];
        if (hasPlace)
        {
            Map.Remove(strangers[^1]);
        }

        return hasPlace;
    }

    private IEnumerable<NodeId> Candidates()
    {
        foreach (Member member in State.Members.Values)
        {
            if (IsMember(member.Node))
            {
                yield return member.Node;
            }
        }

        foreach (NodeId node in _remembered.Append(_bootstrap).Distinct())
        {
            if (IsMember(node) && !State.Members.ContainsKey(node))
            {
                yield return node;
            }
        }
    }

    private void Rebuild()
    {
        _unknown = State.ActiveNodes.Count(member => !Map.TryGet(member.Node, out _));
        NodeRecord[] records = [.. Candidates().Where(node => Map.TryGet(node, out _)).Select(Record)];
        _tracked = [.. records.Select(record => record.Node)];
        PlacementNodes = [.. records.Where(Counts).Select(PlacementNode.From)];
        PlacementNode[] counted = [.. PlacementNodes.Where(node => !_givenUp.Contains(node.Node))];
        if (!counted.SequenceEqual(_counted) || !_weights.Equals(State.Weights))
        {
            (_counted, _weights) = (counted, State.Weights);
            _placement = PlacementTable.Build(counted, PlacementPolicy.Default, _weights);
        }

        _hasRoom = counted.Length == 0 || counted.Count(node => !node.IsFull) >= _placement.Copies;
        Changed?.Invoke();
    }

    private NodeRecord Record(NodeId node) => Map.TryGet(node, out SignedNodeRecord? record)
        ? record.Record
        : throw new InvariantException($"no record of {node.Short}");

    private bool Counts(NodeRecord record) =>
        record.State is not (NodeState.Decommissioning or NodeState.Gone or NodeState.Joining)
        && record.CapacityBytes > 0
        && !IsForgotten(record.Node);
}
