using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Cairn.Fuse.Abi;
using Cairn.Node.Ports;
using Cairn.Node.Volumes;

namespace Cairn.Fuse.Session;

/// <summary>The inodes that this mount is changing now, also where the volume goes on with it on another thread.</summary>
/// <remarks>
/// What the volume tells of them meanwhile is this mount's own doing, as far as the request does such a thing: dropping the
/// pages would throw away what the kernel has just written through. Another node's change is not lost by that. A request for
/// attributes covers no content. A file that is being written here is open here and shows its draft. One that is cut need
/// not be open, so its pages go when that is done. Attributes are asked for again then in any case.
/// </remarks>
internal sealed class PendingChanges
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, Entry> _nodes = [];

    /// <summary>What a request changes.</summary>
    public static PendingChange? Of(IFuseExchange exchange)
    {
        var request = new FuseRequest(exchange);
        switch (request.Header.Opcode)
        {
            case FuseOpcode.Write or FuseOpcode.FAllocate:
                return new PendingChange(request.Node, ChangeKind.Content);
            case FuseOpcode.SetAttr:
                bool hasSize = request.TryRead(out FuseSetAttrIn set) && (set.Valid & FuseSetAttrValid.Size) != 0;
                return new PendingChange(request.Node, hasSize ? ChangeKind.Length : ChangeKind.Attributes);
            case FuseOpcode.CopyFileRange or FuseOpcode.CopyFileRange64
                when request.TryRead(out FuseCopyFileRangeIn copy):
                return new PendingChange(new InodeNumber(copy.TargetNodeId), ChangeKind.Content);
            default:
                return null;
        }
    }

    /// <summary>A change begins.</summary>
    public void Begin(PendingChange change)
    {
        lock (_gate)
        {
            ref Entry entry = ref CollectionsMarshal.GetValueRefOrAddDefault(_nodes, change.Node.Value, out _);
            entry.Count++;
            entry.ContentCount += change.Kind is ChangeKind.Attributes ? 0 : 1;
            entry.IsCut |= change.Kind is ChangeKind.Length;
        }
    }

    /// <summary>A change is done.</summary>
    /// <returns>What the kernel is to be told once the last is done: null if the volume told nothing meanwhile, else
    /// whether of content.</returns>
    public bool? End(PendingChange change)
    {
        lock (_gate)
        {
            ref Entry entry = ref CollectionsMarshal.GetValueRefOrNullRef(_nodes, change.Node.Value);
            entry.ContentCount -= change.Kind is ChangeKind.Attributes ? 0 : 1;
            if (--entry.Count > 0)
            {
                return null;
            }

            bool? told = entry.WasTold ? entry.WasToldContent && entry.IsCut : null;
            _nodes.Remove(change.Node.Value);
            return told;
        }
    }

    /// <summary>Whether what the volume tells of an inode is this mount's own, or to be told when that is done.</summary>
    public bool Covers(InodeNumber node, bool contentChanged)
    {
        lock (_gate)
        {
            ref Entry entry = ref CollectionsMarshal.GetValueRefOrNullRef(_nodes, node.Value);
            if (Unsafe.IsNullRef(ref entry))
            {
                return false;
            }

            // Also where content is told at once: the request's answer may have the attributes of before.
            entry.WasTold = true;
            if (!contentChanged)
            {
                return true;
            }

            bool isCovered = entry.ContentCount > 0;
            entry.WasToldContent |= isCovered;
            return isCovered;
        }
    }

    /// <summary>Whether a file is being changed.</summary>
    public bool IsChanging(InodeNumber node)
    {
        lock (_gate)
        {
            return _nodes.ContainsKey(node.Value);
        }
    }

    private struct Entry
    {
        /// <summary>Requests under way.</summary>
        public int Count;

        /// <summary>Those of them that change content or length.</summary>
        public int ContentCount;

        /// <summary>Whether one of them cut or extended the file.</summary>
        public bool IsCut;

        public bool WasTold;

        /// <summary>Whether content was told that was covered.</summary>
        public bool WasToldContent;
    }
}
