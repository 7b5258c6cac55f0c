using Cairn.Core.Primitives;
using Cairn.Node.Peers;
using Cairn.Node.Pool;
using Cairn.Node.Ports;
using Cairn.Node.Replication;
using Cairn.Storage.Packs;

namespace Cairn.Node.Repair;

/// <summary>Makes cached copies owed ones where they are the last of what a volume needs.</summary>
/// <remarks>
/// A cached copy is nobody's to count on: repair does not look at it, and it yields when space is short. It is the last one if
/// the others collected the chunk without this node's word, which had it in its cache and needs it in what it wrote meanwhile
/// (docs/decisions/garbage.md), or if all disks that held it died. So what is cached is looked through once an hour, and when
/// members came or went. Only while all others are connected and know the same of the pool: what they collected without this
/// node's knowing is given up, not brought back. Thread: the engine's loop; the disk is read on workers.
/// </remarks>
internal sealed class LastCached(
    NodePorts ports, ChunkStore store, PoolView view, PeerSet peers, CopyCensus census, VolumeSet volumes,
    Action<IReadOnlyCollection<ChunkAddress>> owe, CancellationToken stop)
{
    private static readonly TimeSpan Every = TimeSpan.FromHours(1);

    private NodeId[] _members = [];
    private long _last;
    private bool _isLooking;

    /// <summary>Whether a chunk is condemned: it is not brought back.</summary>
    public Func<ChunkAddress, bool> IsCondemned { get; init; } = static _ => false;

    /// <summary>Begins a look, if one is due. Others are asked: nobody waits for that.</summary>
    public void LookIfDue()
    {
        NodeId[] members = [.. view.State.ActiveNodes.Select(static member => member.Node)];
        bool isDue = !members.SequenceEqual(_members) || ports.Time.GetElapsedTime(_last) >= Every;
        if (isDue && !_isLooking && members.Length > 1 && MayCount(members))
        {
            (_isLooking, _members, _last) = (true, members, ports.Time.GetTimestamp());
            ports.Workers.Start("last cached copies", Look);
        }
    }

    /// <summary>Whether what others say that they hold is all there is.</summary>
    private bool MayCount(NodeId[] members) => members.Contains(view.Self) && !view.KeepsAll
        && members.All(node => node == view.Self || (peers.Find(node) is { IsClosed: false } && view.IsLevel(node)));

    private async Task Look()
    {
        try
        {
            ChunkAddress[] cached =
            [
                .. store.Enumerate(ChunkUse.Cached).Where(static record => record.Key.Kind == RecordKind.Copy)
                    .Select(static record => record.Key.Address),
            ];
            int[] elsewhere = await census.Elsewhere(cached, []);
            HashSet<ChunkAddress> last = [.. cached.Where((address, i) => elsewhere[i] == 0 && !IsCondemned(address))];
            HashSet<ChunkAddress> needed = [];
            foreach (IHostedVolume volume in last.Count == 0 ? [] : volumes.Open.ToArray())
            {
                needed.UnionWith(await volume.Needed(last, stop));
            }

            // A rotten one is found when somebody reads it, and is no copy.
            ChunkAddress[] good = await ports.Workers.Run(
                WorkPriority.Background,
                () => needed.Where(address => store.Verify(RecordKey.Copy(address)).IsOk).Order().ToArray(), stop);
            if (good.Length > 0 && MayCount(_members))
            {
                owe(good);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The node stops: the next start looks again.
        }
        finally
        {
            _isLooking = false;
        }
    }
}
