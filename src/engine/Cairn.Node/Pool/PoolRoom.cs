using Cairn.Core.Membership;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Node.Peers;

namespace Cairn.Node.Pool;

/// <summary>How much room the pool has, by what its nodes say of themselves.</summary>
internal sealed class PoolRoom(PoolView view, SpaceKeeper space)
{
    /// <summary>What fits in all, with the copies that everything has, and what of that is free.</summary>
    public (long TotalBytes, long FreeBytes) Space()
    {
        List<long> sizes = [];
        List<long> rest = [];
        foreach (NodeId node in view.Nodes)
        {
            if (view.Map.TryGet(node, out SignedNodeRecord? record) && !view.IsGivenUp(node))
            {
                sizes.Add(record.Record.CapacityBytes);
                rest.Add(Math.Max(0, record.Record.CapacityBytes - UsedBy(record.Record)));
            }
        }

        int copies = Math.Max(1, Math.Min(PlacementPolicy.CopiesDefault, sizes.Count));
        return sizes.Count == 0
            ? (0, 0)
            : (HonestCapacity.Of(sizes.ToArray(), copies), HonestCapacity.Of(rest.ToArray(), copies));
    }

    /// <summary>What a node uses: this one now, others when they last said so.</summary>
    public long UsedBy(NodeRecord record) =>
        record.Node == view.Self ? space.Use(record.IsFull).UsedBytes : record.UsedBytes;
}
