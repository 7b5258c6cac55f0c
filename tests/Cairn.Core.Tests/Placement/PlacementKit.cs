using System.Buffers.Binary;
using System.Security.Cryptography;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Placement;

/// <summary>Pools for placement tests: node i always has the same id.</summary>
internal static class PlacementKit
{
    public const long Unit = 1L << 40;

    public static NodeId Node(int number)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        return new NodeId(SHA256.HashData(bytes));
    }

    public static List<PlacementNode> Pool(params int[] sizes) =>
        [.. sizes.Select((size, i) => new PlacementNode(Node(i), size * Unit))];

    public static List<PlacementNode> Equal(int count) => Pool([.. Enumerable.Repeat(1, count)]);

    public static IEnumerable<PartitionId> Partitions() =>
        Enumerable.Range(0, PartitionId.Count).Select(p => new PartitionId((ushort)p));

    public static PlacementTable Table(List<PlacementNode> pool, int copies = 4, PlacementWeights? weights = null) =>
        PlacementTable.Build(pool, PlacementPolicy.Default with { Copies = copies }, weights ?? PlacementWeights.None);

    /// <summary>Copies that one table has and another has not: what a change of the pool moves.</summary>
    public static int CopiesNotIn(this PlacementTable table, PlacementTable other) => Partitions().Sum(partition =>
    {
        HolderList theirs = other.Holders(partition);
        int moved = 0;
        foreach (NodeId node in table.Holders(partition))
        {
            moved += theirs.Contains(node) ? 0 : 1;
        }

        return moved;
    });

    /// <summary>Data that fits before the first node overflows, over what honestly fits.</summary>
    public static double Fill(List<PlacementNode> pool, PlacementTable table)
    {
        double fits = double.MaxValue;
        foreach ((NodeId node, int partitions) in table.Load())
        {
            long size = pool.Single(candidate => candidate.Node == node).CapacityBytes;
            fits = partitions == 0 ? fits : Math.Min(fits, (double)size * PartitionId.Count / partitions);
        }

        return fits / table.CapacityBytes;
    }
}
