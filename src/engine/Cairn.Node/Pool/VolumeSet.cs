using System.Collections.Immutable;
using Cairn.Coding.Encryption;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Node.Control;
using Cairn.Node.Garbage;
using Cairn.Node.Logs;
using Cairn.Node.Peers;
using Cairn.Node.ReadPath;
using Cairn.Node.Volumes;
using Cairn.Node.WritePath;
using Cairn.Storage;

namespace Cairn.Node.Pool;

/// <summary>The open volumes: one for every live volume of the pool that this node has keys of.</summary>
/// <remarks>Thread: the engine's loop; what <see cref="Open"/> lists may be used from any.</remarks>
internal sealed class VolumeSet : IAsyncDisposable
{
    private readonly SortedDictionary<VolumeId, Hosted> _open = [];
    private readonly NodePorts _ports;
    private readonly PoolLog _log;
    private readonly PoolView _view;
    private readonly LogSync _sync;
    private readonly NodeDiary _diary;
    private readonly IVolumeFactory _factory;
    private readonly IChunkSource _source;
    private readonly IReplicationQueue _replication;
    private readonly Func<(long TotalBytes, long FreeBytes)> _space;
    private readonly SortedDictionary<VolumeId, NodeProblem> _closed = [];
    private readonly CheckpointKeeper _checkpoints;
    private readonly RemovedVolumes _removed;
    private volatile CondemnedChunks[] _condemned = [];
    private volatile Tuple<PoolState, Member[]> _members = new(PoolState.Empty, []);
    private bool _isStopped;

    /// <summary>Opens nothing until <see cref="Refresh"/>.</summary>
    public VolumeSet(
        NodePorts ports, PoolLog log, PoolView view, LogSync sync, NodeDiary diary, IVolumeFactory factory,
        IChunkSource source, IReplicationQueue replication, Func<(long TotalBytes, long FreeBytes)> space)
    {
        _ports = ports;
        _log = log;
        _view = view;
        _sync = sync;
        _diary = diary;
        _factory = factory;
        _source = source;
        _replication = replication;
        _space = space;
        _checkpoints = new CheckpointKeeper(ports.Identity.Node, log, view, diary);
        _removed = new RemovedVolumes(log, view, sync, diary, factory, ports.Workers)
        {
            OpenOne = OpenRemoved,
            Closed = Refresh,
            Writers = Writers,
        };
    }

    /// <summary>Told the path of a file that was read while no node that has its data could be reached. Any thread.</summary>
    public Action<string> Unreadable { get; init; } = static _ => { };

    /// <summary>Told the name of a volume in which a write was refused for want of room, and why. Any thread.</summary>
    public Action<string, WriteRefusal> Refused { get; init; } = static (_, _) => { };

    /// <summary>Whether this node was forgotten and has not made good yet what was settled without it.</summary>
    public Func<bool> IsReturning { get; init; } = static () => false;

    /// <summary>Whether this node has left the pool. Any thread.</summary>
    public Func<bool> HasLeft { get; init; } = static () => false;

    /// <summary>What a newcomer begins with.</summary>
    public required TableCopy Copies { get; init; }

    /// <summary>What a volume waits for that cannot be opened without.</summary>
    public required GroundCopy Grounds { get; init; }

    /// <summary>Whether every member that is counted on is there, and would understand that old blocks are gone. Any thread.</summary>
    public Func<bool> AllKnowBeginnings { get; init; } = static () => false;

    /// <summary>Says what every fold begins with.</summary>
    public required SettleKeeper Settling { get; init; }

    /// <summary>The open ones, in the order of their ids.</summary>
    public IEnumerable<IHostedVolume> Open => _open.Values.Select(hosted => hosted.Volume);

    /// <summary>Damage met while opening, and volumes that do not open.</summary>
    public IReadOnlyList<NodeProblem> Problems =>
        [
            .. _factory.Problems, .. _closed.Values, .. Grounds.Problems, .. _checkpoints.Problems(Open),
            .. Settling.Problems(Open),
        ];

    /// <summary>What their indexes take on the disk.</summary>
    public long IndexBytes => AllOpen.Sum(volume => volume.IndexBytes) + _removed.RestingBytes;

    /// <summary>The garbage of the open ones. Thread: any.</summary>
    public IReadOnlyList<CondemnedChunks> Condemned => _condemned;

    /// <summary>An open one, by id.</summary>
    public IHostedVolume? Find(VolumeId volume) => _open.TryGetValue(volume, out Hosted? hosted) ? hosted.Volume : null;

    /// <summary>One that is open, for doors or only to be emptied: what it keeps, others may ask for.</summary>
    public IHostedVolume? FindKept(VolumeId volume)
    {
        _removed.Rouse(volume);
        return Find(volume) ?? _removed.Open.FirstOrDefault(removed => removed.Log.Volume == volume);
    }

    /// <summary>Why a volume of which this node has the keys is not open; null: it is, or will be in a moment.</summary>
    public NodeProblem? WhyClosed(VolumeId volume) =>
        Grounds.ProblemOf(volume) ?? (_closed.TryGetValue(volume, out NodeProblem closed) ? closed : null);

    /// <summary>Does the small work that is due every few seconds.</summary>
    public void Upkeep()
    {
        // What is written into the pool's log meanwhile may open or close a volume.
        foreach (Hosted hosted in _open.Values.ToArray())
        {
            hosted.Volume.Upkeep();
            _checkpoints.Look(hosted.Volume);
            Settling.Look(hosted.Volume);
            foreach (string finding in hosted.Volume.TakeFindings())
            {
                _diary.Add(LogLevel.Warning, "volumes", finding);
            }

            TellRefused(hosted);
        }

        foreach (IHostedVolume removed in _removed.Open.ToArray())
        {
            // Who comes back to one of which history was dropped has no other way to catch up with it.
            Settling.TakeSettled(removed);
        }

        _removed.Upkeep();
    }

    private void TellRefused(Hosted hosted)
    {
        if (!_log.State.HasRightsIn(hosted.Volume.Log.Volume))
        {
            return;
        }

        foreach (NodeId member in _log.State.Members.Keys)
        {
            long refused = hosted.Volume.RefusedOf(member);
            if (refused != hosted.ToldRefused.GetValueOrDefault(member))
            {
                hosted.ToldRefused[member] = refused;
                _diary.Add(
                    LogLevel.Warning, "rights",
                    $"changes of {_view.NameOf(member)} that are refused in {hosted.Volume.Volume.Name}: {refused}");
            }
        }
    }

    /// <summary>Prepares the open volumes for a second writer.</summary>
    public void Share()
    {
        foreach (IHostedVolume volume in AllOpen)
        {
            volume.Share();
        }
    }

    /// <summary>Opens what is new, gives new keys to what is open, closes what was removed.</summary>
    public void Refresh()
    {
        if (_isStopped)
        {
            return;
        }

        SortedSet<VolumeId> live = [.. _log.State.LiveVolumes.Select(volume => volume.Volume)];
        foreach (VolumeId gone in _closed.Keys.Where(id => !live.Contains(id)).ToArray())
        {
            _closed.Remove(gone);
        }

        foreach (VolumeId gone in _open.Keys.Where(id => !live.Contains(id)).ToArray())
        {
            IHostedVolume closed = _open[gone].Volume;
            _open.Remove(gone);
            _diary.Add(LogLevel.Info, "volumes", $"volume {gone.Short} was removed");
            _removed.Close(gone, closed);
        }

        Grounds.Keep(id => _log.State.Volumes.TryGetValue(id, out PoolVolume? volume) && !volume.IsPurged);
        _removed.Refresh();
        ListCondemned();

        if (Writers().Skip(1).Any())
        {
            Share();
        }

        foreach (IHostedVolume volume in AllOpen)
        {
            volume.MembersChanged();
        }

        foreach (PoolVolume volume in _log.State.LiveVolumes)
        {
            ImmutableArray<NodeId> granters = KeyGrants.Granters(_log.State, volume.Volume);
            bool isOpen = _open.TryGetValue(volume.Volume, out Hosted? hosted);
            if ((!isOpen || !hosted!.Granters.SequenceEqual(granters)) && !_removed.Has(volume.Volume)
                && KeyGrants.Keyring(_ports.Identity, _log.State, volume.Volume) is { } ring)
            {
                if (isOpen)
                {
                    hosted!.Volume.UseKeyring(ring);
                    hosted.Granters = granters;
                }
                else if (!Copies.IsAwaited(volume.Volume, () => _factory.TableOfNew(volume.Volume))
                    && !IsGroundAwaited(volume, ring))
                {
                    OpenOne(volume, ring, granters);
                }
            }
        }
    }

    /// <summary>Opens no more.</summary>
    public void Stop() => _isStopped = true;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Stop();
        foreach (Hosted hosted in _open.Values)
        {
            await hosted.Volume.DisposeAsync();
        }

        _open.Clear();
        await _removed.Stop();
        await _factory.DisposeAsync();
    }

    /// <summary>Those that doors may use, and those that are only emptied.</summary>
    private IEnumerable<IHostedVolume> AllOpen => Open.Concat(_removed.Open);

    private void ListCondemned() =>
        _condemned = [.. AllOpen.Select(volume => volume.Condemned).OfType<CondemnedChunks>()];

    /// <summary>Who is waited for: members, and forgotten ones that are here again and already write.</summary>
    /// <remarks>Who came after the removal of a volume was never given its keys.</remarks>
    private IEnumerable<NodeId> Writers(PoolVolume volume) =>
        Writers().Where(node => !volume.IsRemoved || node == _view.Self || _view.CanRead(volume.Volume, node));

    private IEnumerable<NodeId> Writers() => MembersOf(_log.State)
        .Where(member => member.IsActiveNode
            || (_view.MayReturn(member.Node) && (member.Node == _view.Self || _sync.IsConnected(member.Node))))
        .Select(member => member.Node);

    /// <summary>All members, in order: each open volume asks for them every few seconds. Any thread.</summary>
    private Member[] MembersOf(PoolState state)
    {
        Tuple<PoolState, Member[]> known = _members;
        if (!ReferenceEquals(known.Item1, state))
        {
            _members = known = new(state, [.. state.Members.Values]);
        }

        return known.Item2;
    }

    private void OpenOne(PoolVolume volume, VolumeKeyring ring, ImmutableArray<NodeId> granters)
    {
        if (!TryOpen(volume, ring).TryGet(out IHostedVolume? hosted, out StoreError error))
        {
            if (error.Kind == StoreErrorKind.LacksCheckpoint)
            {
                _closed.Remove(volume.Volume);
                return;
            }

            _diary.Add(LogLevel.Error, "volumes", $"{volume.Name} cannot be opened: {error}");
            _closed[volume.Volume] = new NodeProblem(
                "volume-closed", $"{volume.Name} cannot be opened here: {error.Sentence}.", error.Advice);
            return;
        }

        _closed.Remove(volume.Volume);
        _open.Add(volume.Volume, new Hosted(hosted, granters));
        ListCondemned();
        _sync.Add(hosted.Log);
    }

    private IHostedVolume? OpenRemoved(PoolVolume volume)
    {
        if (KeyGrants.Keyring(_ports.Identity, _log.State, volume.Volume) is not { } ring
            || IsGroundAwaited(volume, ring))
        {
            return null;
        }

        if (!TryOpen(volume, ring).TryGet(out IHostedVolume? hosted, out StoreError error))
        {
            if (error.Kind == StoreErrorKind.LacksCheckpoint)
            {
                return null;
            }

            _diary.Add(LogLevel.Error, "volumes", $"the removed {volume.Name} cannot be opened to be emptied: {error}");
            return null;
        }

        _sync.Add(hosted.Log);
        return hosted;
    }

    private bool IsGroundAwaited(PoolVolume volume, VolumeKeyring ring) =>
        Grounds.IsAwaited(volume.Volume, checkpoint => _factory.Lacks(SettingOf(volume, ring), checkpoint));

    private Result<IHostedVolume, StoreError> TryOpen(PoolVolume volume, VolumeKeyring ring)
    {
        Result<IHostedVolume, StoreError> opened = _factory.Open(SettingOf(volume, ring));
        if (opened.IsOk)
        {
            Grounds.Forget(volume.Volume);
        }
        else if (opened.Error.Kind == StoreErrorKind.LacksCheckpoint)
        {
            Grounds.Await(volume.Volume);
        }

        return opened;
    }

    private VolumeSetting SettingOf(PoolVolume volume, VolumeKeyring ring)
    {
        return new VolumeSetting
        {
            Volume = volume,
            Keyring = ring,
            Members = new VolumeMembers(_log, volume.Volume),
            Source = _source,
            Replication = _replication,
            PoolSpace = _space,
            Standing = () => _log.State.Checkpoints.GetValueOrDefault(volume.Volume),
            Settled = () => _log.State.Settled.GetValueOrDefault(volume.Volume),
            Elsewhere = () => _sync.Elsewhere(volume.Volume),
            Aging = () => _log.State.Aging.GetValueOrDefault(volume.Volume),
            MayDrop = () => AllKnowBeginnings() && !_view.MayReturn(_view.Self) && !IsReturning(),
            HasPoolRoom = () => _view.HasRoom,
            IsClosed = () => volume.IsRemoved || HasLeft(),
            Unreadable = Unreadable,
            Refused = why => Refused(volume.Name, why),
            OpenTwice = sentence => _diary.Add(LogLevel.Info, "open files", sentence),
            Garbage = new ConfirmedMembers(
                _ports.Identity.Node,
                () => [.. Writers(volume)],
                peer => _sync.ConfirmedBy(peer, volume.Volume),
                IsReturning)
            {
                HeardOfRemoval = volume.IsRemoved ? _removed.HeardOf(volume) : static () => true,
                Purged = () => _log.State.Volumes.TryGetValue(volume.Volume, out PoolVolume? now) && now.IsPurged,
            },
        };
    }

    private sealed class Hosted(IHostedVolume volume, ImmutableArray<NodeId> granters)
    {
        public IHostedVolume Volume { get; } = volume;

        /// <summary>Who granted the keys that it was given.</summary>
        public ImmutableArray<NodeId> Granters { get; set; } = granters;

        /// <summary>How many refused changes of whom the diary has.</summary>
        public Dictionary<NodeId, long> ToldRefused { get; } = [];
    }

    /// <summary>The pool's membership, as one volume's logs see it.</summary>
    private sealed class VolumeMembers(PoolLog log, VolumeId volume) : IMembers
    {
        private volatile Tuple<PoolState, WriteRights> _rights = new(PoolState.Empty, WriteRights.None);

        public ReadOnlyMemory<byte> PublicKeyOf(NodeId author) => log.PublicKeyOf(author);

        public AuthorStanding StandingOf(LogId id, ulong blockSeq) => log.StandingIn(volume, id, blockSeq);

        public WriteRights Rights
        {
            get
            {
                // Asked every few seconds, and made of all that was ever said about the volume.
                (PoolState before, WriteRights known) = _rights;
                PoolState now = log.State;
                if (now != before)
                {
                    _rights = new(now, now.HasRightsOf(before) ? known : now.RightsIn(volume));
                }

                return _rights.Item2;
            }
        }
    }
}
