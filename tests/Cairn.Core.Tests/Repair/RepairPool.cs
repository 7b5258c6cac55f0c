using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Core.Repair;
using Cairn.Core.Tests.Placement;

namespace Cairn.Core.Tests.Repair;

/// <summary>Some nodes with sets of records, which repair by exchanging digests and lists; no bytes, no time.</summary>
internal sealed class RepairPool
{
    private readonly Dictionary<NodeId, SortedSet<RecordKey>> _records = [];
    private readonly Dictionary<NodeId, RepairPlanner> _planners = [];
    private readonly Prng _prng;

    public RepairPool(int count, ulong seed)
    {
        _prng = new Prng(seed);
        for (int i = 0; i < count; i++)
        {
            _records[PlacementKit.Node(i)] = [];
            _planners[PlacementKit.Node(i)] = new RepairPlanner(PlacementKit.Node(i), onItsWayMs: 0);
        }
    }

    public HashSet<NodeId> Offline { get; } = [];

    public PlacementTable Table { get; private set; } = PlacementTable.Empty;

    /// <summary>Records fetched, by every round so far.</summary>
    public int Fetched { get; private set; }

    public SortedSet<RecordKey> this[int node] => _records[PlacementKit.Node(node)];

    public RepairPlanner Planner(int node) => _planners[PlacementKit.Node(node)];

    public RecordKey NewKey()
    {
        byte[] bytes = new byte[32];
        _prng.Fill(bytes);
        return RecordKey.Copy(new ChunkAddress(bytes));
    }

    public void UseTable(PlacementTable table)
    {
        Table = table;
        foreach (RepairPlanner planner in _planners.Values)
        {
            planner.UseTable(table);
        }
    }

    /// <summary>Puts new records where placement wants them.</summary>
    public List<RecordKey> Write(int count)
    {
        List<RecordKey> keys = [.. Enumerable.Range(0, count).Select(_ => NewKey())];
        foreach (RecordKey key in keys)
        {
            foreach (NodeId holder in Table.Holders(key.Partition))
            {
                _records[holder].Add(key);
            }
        }

        return keys;
    }

    /// <summary>One round of every online node against every other; returns what was fetched.</summary>
    public int Round(bool onlySingle = false)
    {
        int before = Fetched;
        foreach (NodeId self in _records.Keys.Order().Where(IsOnline))
        {
            RepairPlanner planner = _planners[self];
            planner.StartRound();
            foreach (NodeId peer in _records.Keys.Order().Where(peer => peer != self && IsOnline(peer)))
            {
                IReadOnlyList<PartitionReport> theirs = Wire(Reports(peer));
                foreach (PartitionId partition in planner.Compare(peer, theirs, p => DigestOf(self, p)))
                {
                    planner.TakeList(peer, partition, In(peer, partition), _records[self].Contains, nowMs: 0);
                }
            }

            Fetch(self, planner, onlySingle);
        }

        return Fetched - before;
    }

    public int CopiesOf(RecordKey key) => _records.Count(node => node.Value.Contains(key));

    public bool IsWhole(IEnumerable<RecordKey> keys) => keys.All(key =>
        ((IEnumerable<NodeId>)Table.Holders(key.Partition)).All(holder => _records[holder].Contains(key)));

    private void Fetch(NodeId self, RepairPlanner planner, bool onlySingle)
    {
        while (planner.NextPulls(7, onlySingle, IsOnline, nowMs: 0) is { Count: > 0 } pulls)
        {
            foreach (RepairPull pull in pulls)
            {
                NodeId source = pull.Sources[0];
                Assert.Contains(pull.Key, _records[source]);
                if (_prng.Chance(20))
                {
                    planner.Failed(pull.Key, source);
                    continue;
                }

                Assert.True(_records[self].Add(pull.Key));
                planner.Done(pull.Key);
                Fetched++;
            }
        }
    }

    private bool IsOnline(NodeId node) => !Offline.Contains(node);

    private IEnumerable<RecordKey> In(NodeId node, PartitionId partition) =>
        _records[node].Where(key => key.Partition == partition);

    private PartitionDigest DigestOf(NodeId node, PartitionId partition) => PartitionDigest.Of(In(node, partition));

    private List<PartitionReport> Reports(NodeId node) =>
        [.. _records[node].GroupBy(key => key.Partition)
            .Select(group => new PartitionReport(group.Key, PartitionDigest.Of(group)))];

    private static IReadOnlyList<PartitionReport> Wire(List<PartitionReport> reports) =>
        HoldingsDigest.Decode(HoldingsDigest.Encode(reports))!;
}
