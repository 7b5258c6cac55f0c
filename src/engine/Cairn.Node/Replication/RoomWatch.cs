using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Peers;

namespace Cairn.Node.Replication;

/// <summary>Notices that another node has more room than when this was asked last.</summary>
/// <remarks>
/// As far as its record says so: a node tells the others when its use moved by a hundredth of what it gives. Thread: the
/// engine's loop.
/// </remarks>
internal sealed class RoomWatch(PoolView view)
{
    private Dictionary<NodeId, long> _seen = [];

    /// <summary>Whether any has more, or is new.</summary>
    public bool HasGrown()
    {
        Dictionary<NodeId, long> now = [];
        foreach (NodeId node in view.Nodes)
        {
            if (node != view.Self && view.Map.TryGet(node, out SignedNodeRecord? record))
            {
                now.Add(node, record.Record.CapacityBytes - record.Record.UsedBytes);
            }
        }

        bool hasGrown = now.Any(node => !_seen.TryGetValue(node.Key, out long before) || node.Value > before);
        _seen = now;
        return hasGrown;
    }
}
