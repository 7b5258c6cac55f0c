using System.Runtime.InteropServices;
using Cairn.Fuse.Abi;
using Cairn.Node.Ports;
using Cairn.Node.Volumes;

namespace Cairn.Fuse.Session;

/// <summary>The inodes whose content this mount is changing now, also where the volume goes on with it on another thread.</summary>
/// <remarks>
/// What the volume tells of them meanwhile is this mount's own doing: dropping the pages would throw away what the
/// kernel has just written through. Another node's change cannot be lost by that, because a file that is being written
/// here shows its draft; its attributes are asked for again when the change is done.
/// </remarks>
internal sealed class PendingChanges
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, (int Count, bool WasTold)> _nodes = [];

    /// <summary>The inode whose content a request changes, or null.</summary>
    public static InodeNumber? NodeOf(IFuseExchange exchange)
    {
        var request = new FuseRequest(exchange);
        FuseInHeader header = request.Header;
        if (header.Opcode is FuseOpcode.Write or FuseOpcode.SetAttr or FuseOpcode.FAllocate)
        {
            return new InodeNumber(header.NodeId);
        }

        return header.Opcode is FuseOpcode.CopyFileRange or FuseOpcode.CopyFileRange64
            && request.TryRead(out FuseCopyFileRangeIn asked)
                ? new InodeNumber(asked.TargetNodeId) : null;
    }

    /// <summary>Whether a request that changes an inode may change its length: all may, but for other attributes.</summary>
    public static bool ChangesLength(FuseRequest request) =>
        request.Header.Opcode is not FuseOpcode.SetAttr
        || (request.TryRead(out FuseSetAttrIn asked) && (asked.Valid & FuseSetAttrValid.Size) != 0);

    /// <summary>A change begins.</summary>
    public void Begin(InodeNumber node)
    {
        lock (_gate)
        {
            ref (int Count, bool WasTold) entry =
                ref CollectionsMarshal.GetValueRefOrAddDefault(_nodes, node.Value, out _);
            entry.Count++;
        }
    }

    /// <summary>A change is done.</summary>
    /// <returns>Whether the volume told of the inode meanwhile, and this was the last change.</returns>
    public bool End(InodeNumber node)
    {
        lock (_gate)
        {
            ref (int Count, bool WasTold) entry = ref CollectionsMarshal.GetValueRefOrNullRef(_nodes, node.Value);
            if (--entry.Count > 0)
            {
                return false;
            }

            bool wasTold = entry.WasTold;
            _nodes.Remove(node.Value);
            return wasTold;
        }
    }

    /// <summary>Whether a change of this inode is this mount's own.</summary>
    public bool Covers(InodeNumber node)
    {
        lock (_gate)
        {
            ref (int Count, bool WasTold) entry = ref CollectionsMarshal.GetValueRefOrNullRef(_nodes, node.Value);
            if (System.Runtime.CompilerServices.Unsafe.IsNullRef(ref entry))
            {
                return false;
            }

            entry.WasTold = true;
            return true;
        }
    }
}
