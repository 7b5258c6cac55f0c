using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Peers;
using Cairn.Node.Pool;
using Cairn.Node.Ports;
using Cairn.Node.ReadPath;
using Cairn.Node.Replication;
using Cairn.Node.Volumes;
using Cairn.Storage.Packs;

namespace Cairn.Node.Repair;

/// <summary>Looks for what repair cannot see, which compares copies that count: a last copy in a cache, and no copy at all.</summary>
/// <remarks>
/// (1) What is cached here, what nobody else has and a volume here needs is owed as if it had just been written: a cached copy yields
/// when space is short. (2) What a file needs that was written here, or placement wants here, and is not here, is asked for:
/// what no member has is named to the owner (<see cref="BadCopies"/>) before somebody reads it. Both come of members that collected
/// without the word of one that was forgotten (docs/decisions/garbage.md, absent-history.md), or of disks that died together.
/// Both are looked for when members came or went (<see cref="ReviewedMembers"/>), (1) after a start and once an hour besides. Only while
/// all others are connected and know the same of the pool: what they collected without this node's knowing is given up, not brought back.
/// Thread: the engine's loop; the disk is read on workers.
/// </remarks>
internal sealed class CopiesReview(
    NodePorts ports, ChunkStore store, PoolView view, PeerSet peers, CopyCensus census, VolumeSet volumes,
    ReadSource source, CancellationToken stop)
{
    private static readonly TimeSpan Every = TimeSpan.FromHours(1);

    /// <summary>What who came back has written, and brings, is here by then.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(30);

    private readonly ReviewedMembers _reviewed = new(ports.Disk);
    private NodeId[] _members = [];
    private bool _isNews;
    private long _changed;
    private long _last;
    private bool _isLooking;

    /// <summary>Whether a chunk is condemned: it is not brought back.</summary>
    public Func<ChunkAddress, bool> IsCondemned { get; init; } = static _ => false;

    /// <summary>Makes cached copies owed ones.</summary>
    public Action<IReadOnlyCollection<ChunkAddress>> Owe { get; init; } = static _ => { };

    /// <summary>Begins a look, if one is due. Others are asked: nobody waits for that.</summary>
    public void LookIfDue()
    {
        NodeId[] members = [.. view.State.ActiveNodes.Select(static member => member.Node)];
        if (!members.SequenceEqual(_members))
        {
            (_members, _isNews, _changed) = (members, true, ports.Time.GetTimestamp());
        }

        bool isDue = _isNews
            ? ports.Time.GetElapsedTime(_changed) >= Settled
            : ports.Time.GetElapsedTime(_last) >= Every;
        if (isDue && !_isLooking && MayCount())
        {
            (_isLooking, _isNews, _last) = (true, false, ports.Time.GetTimestamp());
            ports.Workers.Start("review of copies", Look);
        }
    }

    /// <summary>Whether what others say that they hold is all there is.</summary>
    private bool MayCount() => _members.Contains(view.Self) && !view.KeepsAll
        && _members.All(node => node == view.Self || (peers.Find(node) is { IsClosed: false } && view.IsLevel(node)));

    private async Task Look()
    {
        try
        {
            await OweCached();
            PoolState state = view.State;
            if (!_reviewed.Knows(state))
            {
                // It looks at every file: not each time, but where something is nowhere, which only memory knows,
                // or where somebody went meanwhile.
                await AskForAbsent();
                if (MayCount() && source.Nowhere.All.Count == 0)
                {
                    _reviewed.Note(state);
                }
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

    /// <summary>(1)</summary>
    private async Task OweCached()
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
        if (good.Length > 0 && MayCount())
        {
            Owe(good);
        }
    }

    /// <summary>(2)</summary>
    private async Task AskForAbsent()
    {
        HashSet<ChunkAddress> absent = [];
        foreach (IHostedVolume volume in volumes.Open.ToArray())
        {
            absent.UnionWith(await volume.Absent(IsOfThisNode, stop));
        }

        ChunkAddress[] asked = [.. absent.Order()];
        int[] elsewhere = await census.Elsewhere(asked, []);
        foreach (ChunkAddress address in asked.Where((_, i) => elsewhere[i] == 0))
        {
            // Whoever has it in its cache does not answer for it, and gives it all the same.
            Result<ChunkLease, VolumeError> fetched = await source.FetchHere(address, stop);
            if (fetched.TryGet(out ChunkLease? lease, out _))
            {
                lease.Dispose();
            }
        }
    }

    private bool IsOfThisNode(ChunkAddress address) =>
        view.Placement.AnswersFor(PartitionId.Of(address), view.Self);
}
