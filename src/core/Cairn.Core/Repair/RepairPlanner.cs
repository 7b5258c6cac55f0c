using Cairn.Core.Placement;
using Cairn.Core.Primitives;

namespace Cairn.Core.Repair;

/// <summary>A record this node should hold and does not, and who has it.</summary>
/// <param name="Key">Which record.</param>
/// <param name="Sources">Online nodes that reported it and have not failed to deliver it, in the order of their
/// reports.</param>
public sealed record RepairPull(RecordKey Key, IReadOnlyList<NodeId> Sources);

/// <summary>
/// Finds out what this node should hold and does not: it asks, compares, and says what to fetch from whom.
/// </summary>
/// <remarks>
/// Repair is pull-based: the node to which placement gives a partition fetches what it lacks, so nobody leads and
/// nothing is decided twice. The driver exchanges digests with every online peer, hands them to <see cref="Compare"/>,
/// asks for the lists it names, hands those to <see cref="TakeList"/>, and works off <see cref="NextPulls"/>.
/// Everything here is a cache of what was heard: losing it costs another round, nothing else.
/// What was written a moment ago is on its way here by its writer: a record is fetched only once it has been missing for
/// a while, or every transfer would be made twice.
/// Invariants: a pull is never for a partition that placement gives to others, never for what this node has, and has at
/// least one source. Thread: driver only.
/// </remarks>
/// <param name="self">This node.</param>
/// <param name="onItsWayMs">How long a record must have been missing, in milliseconds, before it is fetched.</param>
public sealed class RepairPlanner(NodeId self, long onItsWayMs)
{
    /// <summary>Records wanted at once; more come with the next round, so a newcomer's memory stays bounded.</summary>
    public const int WantedMax = 200_000;

    private readonly SortedDictionary<RecordKey, Want> _wanted = [];
    private readonly Dictionary<RecordKey, long> _heardBefore = [];
    private readonly Dictionary<NodeId, HashSet<PartitionId>> _differing = [];
    private PlacementTable _table = PlacementTable.Empty;

    /// <summary>How many records are known to be missing here.</summary>
    public int WantedCount => _wanted.Count;

    /// <summary>Whether a round was cut short because too much is missing to remember.</summary>
    public bool IsCutShort { get; private set; }

    /// <summary>Takes a new table: wants in partitions that went to others are dropped.</summary>
    public void UseTable(PlacementTable table)
    {
        _table = table;
        foreach (RecordKey key in _wanted.Keys.Where(key => !ShouldHold(key.Partition)).ToList())
        {
            _wanted.Remove(key);
        }
    }

    /// <summary>
    /// Whether this node should fetch what it lacks of a partition: as a holder with room, or for a full one.
    /// </summary>
    public bool ShouldHold(PartitionId partition) => _table.Takes(partition, self);

    /// <summary>Compares a peer's digests with this node's.</summary>
    /// <returns>
    /// The partitions whose lists to ask that peer for: those that differ and that this node should hold.
    /// </returns>
    public IReadOnlyList<PartitionId> Compare(
        NodeId peer, IReadOnlyList<PartitionReport> theirs, Func<PartitionId, PartitionDigest> mine)
    {
        List<PartitionId> ask = [];
        foreach (PartitionReport report in theirs)
        {
            if (!report.Digest.IsEmpty && ShouldHold(report.Partition) && mine(report.Partition) != report.Digest)
            {
                ask.Add(report.Partition);
            }
        }

        _differing[peer] = [.. ask];
        return ask;
    }

    /// <summary>Takes a peer's list of one partition.</summary>
    /// <param name="peer">Whose list.</param>
    /// <param name="partition">Which partition; records of others in the list are ignored.</param>
    /// <param name="records">Every record it holds there that is owed.</param>
    /// <param name="has">Whether this node holds a record.</param>
    /// <param name="nowMs">The driver's monotonic clock.</param>
    public void TakeList(
        NodeId peer, PartitionId partition, IEnumerable<RecordKey> records, Func<RecordKey, bool> has, long nowMs)
    {
        if (_differing.TryGetValue(peer, out HashSet<PartitionId>? differing))
        {
            differing.Remove(partition);
        }

        if (!ShouldHold(partition))
        {
            return;
        }

        foreach (RecordKey key in records)
        {
            if (key.Partition != partition || key.Kind != RecordKind.Copy || has(key))
            {
                continue;
            }

            if (!_wanted.TryGetValue(key, out Want? want))
            {
                if (_wanted.Count >= WantedMax)
                {
                    IsCutShort = true;
                    return;
                }

                _wanted[key] = want = new Want(_heardBefore.GetValueOrDefault(key, nowMs));
            }

            if (!want.Sources.Contains(peer))
            {
                want.Sources.Add(peer);
            }
        }
    }

    /// <summary>The next records to fetch: those with the fewest known copies first.</summary>
    /// <param name="countMax">At most so many; those already handed out are not repeated.</param>
    /// <param name="onlySingle">
    /// The brake is on (<see cref="AbsenceWatch.IsBraked"/>): only records that one node alone reported, and only where
    /// every online holder's list has come in, so that an unheard copy is not remade.
    /// </param>
    /// <param name="isOnline">Whether a node can be asked now.</param>
    /// <param name="nowMs">The driver's monotonic clock.</param>
    public IReadOnlyList<RepairPull> NextPulls(int countMax, bool onlySingle, Func<NodeId, bool> isOnline, long nowMs)
    {
        List<(int Copies, RecordKey Key, List<NodeId> Sources)> ready = [];
        foreach ((RecordKey key, Want want) in _wanted)
        {
            // In the place of a full node, and with the brake on, only what is known to be wanting is fetched.
            int copiesEnough = onlySingle ? 2 : _table.IsHolder(key.Partition, self) ? int.MaxValue : _table.Copies;
            bool isWanting = copiesEnough == int.MaxValue
                || (want.Sources.Count < copiesEnough && !IsPartlyHeard(key.Partition, isOnline));
            if (want.IsFetching || !isWanting || nowMs - want.HeardMs < onItsWayMs)
            {
                continue;
            }

            List<NodeId> sources = [.. want.Sources.Where(source => !want.Failed.Contains(source) && isOnline(source))];
            if (sources.Count > 0)
            {
                ready.Add((want.Sources.Count, key, sources));
            }
        }

        List<RepairPull> pulls = [];
        foreach ((_, RecordKey key, List<NodeId> sources)
            in ready.OrderBy(item => item.Copies).ThenBy(item => item.Key).Take(countMax))
        {
            _wanted[key].IsFetching = true;
            pulls.Add(new RepairPull(key, sources));
        }

        return pulls;
    }

    /// <summary>The record is here, by whatever way it came.</summary>
    public void Done(RecordKey key) => _wanted.Remove(key);

    /// <summary>A source did not deliver, or delivered bytes that do not match the address.</summary>
    public void Failed(RecordKey key, NodeId source)
    {
        if (_wanted.TryGetValue(key, out Want? want))
        {
            want.IsFetching = false;
            want.Failed.Add(source);
        }
    }

    /// <summary>The fetch was given up for reasons of this node's own; try again later.</summary>
    public void Retry(RecordKey key)
    {
        if (_wanted.TryGetValue(key, out Want? want))
        {
            want.IsFetching = false;
        }
    }

    /// <summary>
    /// Starts a new round: what is not being fetched is forgotten, but for since when it is missing, and will be heard of
    /// again.
    /// </summary>
    public void StartRound()
    {
        IsCutShort = false;
        _differing.Clear();
        _heardBefore.Clear();
        foreach ((RecordKey key, Want want) in _wanted.Where(want => !want.Value.IsFetching).ToList())
        {
            _wanted.Remove(key);
            _heardBefore.Add(key, want.HeardMs);
        }
    }

    /// <summary>When the first of the records that are still awaited may be fetched; null if none is awaited.</summary>
    public long? NextReadyMs(long nowMs)
    {
        long? next = null;
        foreach (Want want in _wanted.Values)
        {
            long readyMs = want.HeardMs + onItsWayMs;
            next = readyMs > nowMs && !(readyMs >= next) ? readyMs : next;
        }

        return next;
    }

    /// <summary>Whether an online holder's digests, or a list they asked for, are still out.</summary>
    private bool IsPartlyHeard(PartitionId partition, Func<NodeId, bool> isOnline)
    {
        foreach (NodeId holder in _table.Holders(partition))
        {
            bool isHeard = holder == self || !isOnline(holder)
                || (_differing.TryGetValue(holder, out HashSet<PartitionId>? differing)
                    && !differing.Contains(partition));
            if (!isHeard)
            {
                return true;
            }
        }

        return false;
    }

    private sealed class Want(long heardMs)
    {
        public long HeardMs { get; } = heardMs;

        public List<NodeId> Sources { get; } = [];

        public HashSet<NodeId> Failed { get; } = [];

        public bool IsFetching { get; set; }
    }
}
