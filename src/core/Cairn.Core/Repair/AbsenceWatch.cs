using Cairn.Core.Membership;
using Cairn.Core.Primitives;

namespace Cairn.Core.Repair;

/// <summary>How long absence is put up with before copies are made again.</summary>
public sealed record AbsenceOptions
{
    /// <summary>The defaults.</summary>
    public static AbsenceOptions Default { get; } = new();

    /// <summary>
    /// A node that vanished without a word is waited for this many milliseconds. Default ten minutes.
    /// </summary>
    public long GraceMs { get; init; } = 10 * 60 * 1000;

    /// <summary>One that said it would be away, or was stopped cleanly, this many. Default three days.</summary>
    public long AnnouncedGraceMs { get; init; } = 3L * 24 * 60 * 60 * 1000;

    /// <summary>More than one in this many nodes vanishing together puts the brake on. Default 4.</summary>
    public int BrakeOneIn { get; init; } = 4;
}

/// <summary>
/// Decides which absent nodes are given up for placement, and when so many vanished that the owner is asked.
/// </summary>
/// <remarks>
/// Two halves of a split pool would each remake what the other has, and fill each other's disks for nothing. So when
/// more than a quarter of the nodes vanish within one grace period, only chunks with a single live copy are remade
/// until the owner says go on or nodes return. Time decides only how soon; a node that comes back at any moment is
/// simply a holder again, and what was remade meanwhile is dropped by <see cref="DropProtocol"/>.
/// </remarks>
public sealed class AbsenceWatch(AbsenceOptions options)
{
    private readonly SortedDictionary<NodeId, Absence> _nodes = [];
    private bool _isReleased;

    /// <summary>
    /// Tells what is seen of a member now. Cheap; call it on every change and at least once per minute.
    /// </summary>
    /// <param name="node">Another member that takes copies.</param>
    /// <param name="status">What the failure detector says.</param>
    /// <param name="state">What its record says.</param>
    /// <param name="nowMs">Monotonic milliseconds.</param>
    public void Observe(NodeId node, Liveness status, NodeState state, long nowMs)
    {
        bool wasAbsent = _nodes.TryGetValue(node, out Absence held) && held.SinceMs is not null;
        long? since = status != Liveness.Dead ? null : wasAbsent ? held.SinceMs : nowMs;
        bool isAnnounced = state is NodeState.Away or NodeState.Maintenance or NodeState.Shutdown;
        _nodes[node] = new Absence(since, isAnnounced);
    }

    /// <summary>Stops watching a node that is no longer a member.</summary>
    public void Forget(NodeId node) => _nodes.Remove(node);

    /// <summary>The nodes given up: placement is computed without them. In the order of ids.</summary>
    public IReadOnlyList<NodeId> Lost(long nowMs) =>
        [.. _nodes.Where(node => IsLost(node.Value, nowMs)).Select(node => node.Key)];

    /// <summary>Whether only single copies may be remade.</summary>
    /// <param name="nowMs">Monotonic milliseconds.</param>
    public bool IsBraked(long nowMs)
    {
        bool manyVanished = HaveManyVanished(nowMs);
        _isReleased &= manyVanished;
        return manyVanished && !_isReleased;
    }

    /// <summary>The owner was asked and said go on: everything is remade until the nodes are back.</summary>
    public void Release() => _isReleased = true;

    /// <summary>When <see cref="Lost"/> will next change by itself; null when it will not.</summary>
    public long? NextChangeMs(long nowMs)
    {
        long? next = null;
        foreach (Absence absence in _nodes.Values)
        {
            long? endsMs = absence.SinceMs + GraceOf(absence);
            next = endsMs > nowMs && (next is null || endsMs < next) ? endsMs : next;
        }

        return next;
    }

    /// <summary>
    /// The most lost nodes whose absences began within one grace period, against all nodes, this one included.
    /// </summary>
    private bool HaveManyVanished(long nowMs)
    {
        List<long> starts = [.. _nodes.Values
            .Where(absence => !absence.IsAnnounced && IsLost(absence, nowMs))
            .Select(absence => absence.SinceMs!.Value)
            .Order()];
        int together = 0;
        for (int first = 0, last = 0; last < starts.Count; last++)
        {
            while (starts[last] - starts[first] > options.GraceMs)
            {
                first++;
            }

            together = Math.Max(together, last - first + 1);
        }

        return together > 1 && together * options.BrakeOneIn > _nodes.Count + 1;
    }

    private bool IsLost(Absence absence, long nowMs) =>
        absence.SinceMs is { } since && nowMs - since >= GraceOf(absence);

    private long GraceOf(Absence absence) => absence.IsAnnounced ? options.AnnouncedGraceMs : options.GraceMs;

    private readonly record struct Absence(long? SinceMs, bool IsAnnounced);
}
