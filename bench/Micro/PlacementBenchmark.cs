using BenchmarkDotNet.Attributes;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;

namespace Cairn.Bench.Micro;

/// <summary>
/// Placement in a pool of 1,000 nodes: a lookup is to take at most 1 µs, a build well under a second.
/// </summary>
[MemoryDiagnoser]
public class PlacementBenchmark
{
    private const int Nodes = 1000;

    private readonly NodeId[] _targets = new NodeId[PlacementPolicy.CopiesDefault];
    private List<PlacementNode> _pool = [];
    private PlacementTable _table = PlacementTable.Empty;
    private ushort _partition;

    /// <summary>Nodes of 1 to 20 units.</summary>
    [GlobalSetup]
    public void Setup()
    {
        Prng prng = new(7);
        byte[] id = new byte[NodeId.Size];
        _pool = [];
        for (int i = 0; i < Nodes; i++)
        {
            prng.Fill(id);
            _pool.Add(new PlacementNode(new NodeId(id), (1 + prng.Next(20)) * (1L << 30)));
        }

        _table = Build();
    }

    /// <summary>The four holders of a partition, each read.</summary>
    [Benchmark]
    public int Holders()
    {
        _partition = (ushort)((_partition + 1) & (PartitionId.Count - 1));
        int sum = 0;
        foreach (NodeId node in _table.Holders(new PartitionId(_partition)))
        {
            sum += (int)node.Value.Prefix;
        }

        return sum;
    }

    /// <summary>Where new copies go, full nodes passed over.</summary>
    [Benchmark]
    public int WriteTargets()
    {
        _partition = (ushort)((_partition + 1) & (PartitionId.Count - 1));
        return _table.WriteTargets(new PartitionId(_partition), _targets);
    }

    /// <summary>The whole table.</summary>
    [Benchmark]
    public PlacementTable Build() => PlacementTable.Build(_pool, PlacementPolicy.Default, PlacementWeights.None);
}
