using System.Collections.Immutable;
using System.Text;
using Cairn.Coding.Encryption;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Core.Repair;
using Cairn.Node.Control;
using Cairn.Node.Pool;
using Cairn.Node.Volumes;
using Cairn.Storage;
using Cairn.Storage.Home;
using Cairn.Storage.Packs;

namespace Cairn.Node;

/// <content>What an owner may ask: status, members, volumes, space.</content>
public sealed partial class CairnNode
{
    /// <inheritdoc/>
    public NodeId Self => _view.Self;

    /// <inheritdoc/>
    public ValueTask<NodeStatus> Status(CancellationToken cancellation)
    {
        NodeId[] nodes = [.. _view.Nodes.Where(node => !_view.IsForgotten(node))];
        NodeId[] absent = [.. nodes.Where(node => _view.LivenessOf(node) == Liveness.Dead)];
        SafetyCounts counts = Counts(absent);
        SafetyVerdict verdict = SafetyVerdict.Of(counts);
        OwedStatus owed = new(
            counts.FilesUnpublished, counts.ChunksOwed, counts.BytesOwed, counts.ChunksToRepair,
            _sync.Unconfirmed(), _sync.Missing());
        PlacementTable table = _view.Placement;
        (long total, long free) = PoolSpace();
        _view.State.Members.TryGetValue(_view.Self, out Member? self);
        NodeStatus status = new()
        {
            Node = _view.Self,
            Name = _options.Name,
            Pool = _view.Pool,
            State = Word(_record.Current.Record.State),
            IsAdmin = _view.IsAdmin,
            IsRevoked = self?.Standing == MemberStanding.Revoked,
            IsReadOnly = !_view.State.MayWrite(_view.Self),
            ListenAddress = _ports.Transport.ListenAddress.ToString(),
            Uptime = _ports.Time.GetElapsedTime(_started),
            Space = Space(),
            Owed = owed,
            OnlyHere = _onlyHere.Look(),
            PoolState = new PoolStatus(
                nodes.Length, nodes.Length - absent.Length, PlacementPolicy.CopiesDefault,
                Math.Min(table.Copies, table.NodeCount), table.CapacityBytes, total, total - free),
            Volumes = Summaries(),
            Problems = Problems(absent),
            Limit = new BandwidthLimit(_sendLimiter.BytesPerSecond, _receiveLimiter.BytesPerSecond),
            Verdict = verdict.Text,
            IsSafe = owed is { PublishFiles: 0, SendChunks: 0, FetchChunks: 0 }
                && counts is { BlocksOnlyHere: 0, OwingNodes.Count: 0 } && verdict.Level != VerdictLevel.Danger,
        };
        return ValueTask.FromResult(status);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<NodeSummary>> Nodes(CancellationToken cancellation)
    {
        IEnumerable<Member> members = _view.State.Members.Values.Where(member => member.Role != MemberRole.Recovery);
        IReadOnlyList<NodeSummary> nodes =
        [
            .. members.Select(Summary)
                .OrderByDescending(node => node.IsSelf).ThenBy(node => node.Name, StringComparer.Ordinal).ThenBy(node => node.Node),
        ];
        return ValueTask.FromResult(nodes);
    }

    /// <inheritdoc/>
    public ValueTask<Result<InviteTicket, ControlError>> Invite(InviteTerms terms, CancellationToken cancellation) =>
        ValueTask.FromResult(_view.IsAdmin
            ? _joinHost.Invite(_record.Current.Record.Addresses[0], terms)
            : NotAdmin("invite others"));

    /// <inheritdoc/>
    public ValueTask<Result<Unit, ControlError>> ForgetNode(string node, CancellationToken cancellation)
    {
        if (!FindMember(node).TryGet(out Member? member, out ControlError error))
        {
            return ValueTask.FromResult<Result<Unit, ControlError>>(error);
        }

        if (!_view.IsAdmin)
        {
            return ValueTask.FromResult<Result<Unit, ControlError>>(NotAdmin("forget nodes"));
        }

        bool isHere = member.Node == _view.Self || _peers.Find(member.Node) is { IsClosed: false };
        return isHere
            ? Failed<Unit>(
                ControlErrorKind.InvalidArgument,
                $"{_view.NameOf(member.Node)} is not lost: it is connected. Run `cairn leave` on it, "
                + $"or `cairn node revoke {_view.NameOf(member.Node)}` if it is not trusted.")
            : ValueTask.FromResult(Done(_poolLog.Append([new Exclude(member.Node, true)])));
    }

    /// <inheritdoc/>
    public ValueTask<Result<Unit, ControlError>> RevokeNode(string node, CancellationToken cancellation)
    {
        if (!FindMember(node).TryGet(out Member? member, out ControlError error))
        {
            return ValueTask.FromResult<Result<Unit, ControlError>>(error);
        }

        return member.Node == _view.Self
            ? Failed<Unit>(
                ControlErrorKind.InvalidArgument,
                $"{member.Name} is this machine: `cairn leave` takes it out; another machine can revoke it.")
            : ValueTask.FromResult(!_view.IsAdmin ? NotAdmin("revoke nodes") : Revoke(member.Node));
    }

    /// <inheritdoc/>
    public ValueTask<Result<Unit, ControlError>> PromoteNode(string node, CancellationToken cancellation)
    {
        if (!FindMember(node).TryGet(out Member? member, out ControlError error))
        {
            return ValueTask.FromResult<Result<Unit, ControlError>>(error);
        }

        GrantMember grant = new(
            member.Node, (byte)MemberRole.Admin, member.PublicKey.AsMemory(), Encoding.UTF8.GetBytes(member.Name));
        return !_view.IsAdmin ? ValueTask.FromResult<Result<Unit, ControlError>>(NotAdmin("promote nodes"))
            : member.Standing != MemberStanding.Active
                ? Failed<Unit>(ControlErrorKind.NotMember, $"{member.Name} is {Lower(member.Standing.ToString())}.")
            : ValueTask.FromResult(member.Role == MemberRole.Admin ? Unit.Value : Done(_poolLog.Append([grant])));
    }

    /// <inheritdoc/>
    public ValueTask<Result<VolumeSummary, ControlError>> CreateVolume(string name, CancellationToken cancellation)
    {
        if (!_view.IsAdmin)
        {
            return ValueTask.FromResult<Result<VolumeSummary, ControlError>>(NotAdmin("make volumes"));
        }

        if (WrongName(name) is { } wrong)
        {
            return ValueTask.FromResult<Result<VolumeSummary, ControlError>>(wrong);
        }

        VolumeId id = new(Random(VolumeId.Size));
        ImmutableArray<Primitive> primitives =
        [
            new CreateVolume(id, Encoding.UTF8.GetBytes(name), default),
            .. KeyGrants.ToAll(_ports.Identity, _ports.Entropy, _view.State, id, default, Random(DedupSecret.Size)),
            .. KeyGrants.ToAll(
                _ports.Identity, _ports.Entropy, _view.State, id, new EpochId(Random(EpochId.Size)), Random(EpochKey.Size)),
        ];
        Result<Unit, ControlError> written = Done(_poolLog.Append(primitives));
        return ValueTask.FromResult<Result<VolumeSummary, ControlError>>(written.TryGet(out _, out ControlError error)
            ? Summary(_view.State.Volumes[id])
            : error);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<VolumeSummary>> Volumes(CancellationToken cancellation) => ValueTask.FromResult(Summaries());

    /// <inheritdoc/>
    public ValueTask<Result<IVolume, ControlError>> Volume(string name, CancellationToken cancellation)
    {
        if (!_view.State.TryFindVolume(name, out PoolVolume? volume))
        {
            return Failed<IVolume>(ControlErrorKind.NotFound, $"There is no volume '{name}'. `cairn volume ls` lists them.");
        }

        if (!volume.IsComplete)
        {
            return Failed<IVolume>(
                ControlErrorKind.Locked,
                $"'{name}' is still being made of {CloneOf(volume)}. It is there for everybody when it is complete.");
        }

        return _volumes.Find(volume.Volume) is { } hosted
            ? ValueTask.FromResult(Result<IVolume, ControlError>.Ok(hosted.Volume))
            : _volumes.WhyClosed(volume.Volume) is not null
            ? ValueTask.FromResult(Result<IVolume, ControlError>.Fail(NotOpen(volume)))
            : Failed<IVolume>(ControlErrorKind.Locked, $"This node has no keys of '{name}' yet. Wait until an admin's node is online.");
    }

    /// <inheritdoc/>
    public ValueTask<Result<SpaceStatus, ControlError>> SetSpace(long allocatedBytes, CancellationToken cancellation)
    {
        if (allocatedBytes < SpacePlan.SpaceBytesMin)
        {
            return Failed<SpaceStatus>(ControlErrorKind.InvalidArgument, "Give at least 80 MiB.");
        }

        if (allocatedBytes < _space.GivenBytesMin)
        {
            long megabytes = (_space.GivenBytesMin >> 20) + 1;
            return Failed<SpaceStatus>(
                ControlErrorKind.InvalidArgument,
                $"The running journal leaves no room for chunks in that: set {megabytes} MiB, restart, then set less.");
        }

        if (SpaceKeeper.Refusal(_ports.Disk, allocatedBytes) is { } refusal)
        {
            return ValueTask.FromResult<Result<SpaceStatus, ControlError>>(refusal);
        }

        if (!_ports.KeepSpace(allocatedBytes).TryGet(out _, out StoreError error))
        {
            return Failed<SpaceStatus>(ControlErrorKind.Storage, error.ToString());
        }

        _space.Give(allocatedBytes);
        PublishUse();
        return ValueTask.FromResult(Result<SpaceStatus, ControlError>.Ok(Space()));
    }

    /// <inheritdoc/>
    public ValueTask<Result<Unit, ControlError>> SetLimit(BandwidthLimit limit, CancellationToken cancellation)
    {
        if (!new NodeSettings(limit).Save(_ports.Disk).TryGet(out _, out StoreError error))
        {
            return Failed<Unit>(ControlErrorKind.Storage, error.ToString());
        }

        _sendLimiter.BytesPerSecond = limit.SendBytesPerSecond;
        _receiveLimiter.BytesPerSecond = limit.ReceiveBytesPerSecond;
        return ValueTask.FromResult(Result<Unit, ControlError>.Ok(Unit.Value));
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<LogLine>> Logs(long afterNumber, int countMax, CancellationToken cancellation) =>
        ValueTask.FromResult(_diary.After(afterNumber, countMax));

    private static Result<Unit, ControlError> Done(Result<Unit, StoreError> written) =>
        written.TryGet(out _, out StoreError error) ? Unit.Value : new ControlError(ControlErrorKind.Storage, error.ToString());

    private static ValueTask<Result<T, ControlError>> Failed<T>(ControlErrorKind kind, string message) =>
        ValueTask.FromResult(Result<T, ControlError>.Fail(new ControlError(kind, message)));

    /// <summary>Says who may, and how this node comes to be one of them.</summary>
    private ControlError NotAdmin(string what)
    {
        string admins = string.Join(", ", _view.State.ActiveNodes
            .Where(member => member.Role == MemberRole.Admin).Select(member => _view.NameOf(member.Node)));
        return new ControlError(
            ControlErrorKind.NotPermitted,
            $"Only admins may {what}, and {_options.Name} is a member. Do it on an admin's node ({admins}), "
            + $"or run `cairn node promote {_options.Name}` there.");
    }

    private static string Word(NodeState state) => state.ToString().ToLowerInvariant();

    private byte[] Random(int length)
    {
        byte[] bytes = new byte[length];
        _ports.Entropy.Fill(bytes);
        return bytes;
    }

    /// <summary>Revokes, and starts new epochs everywhere in the same transaction's wake.</summary>
    private Result<Unit, ControlError> Revoke(NodeId node)
    {
        // What is not listed counts as not seen: what the node wrote in a volume that waits would be without effect.
        if (_view.State.LiveVolumes.FirstOrDefault(volume => _grounds.IsWaiting(volume.Volume)) is { } waits)
        {
            return NotOpen(waits);
        }

        List<AcceptedTail> accepted = [];
        foreach (Peers.ISharedLog log in _volumes.Open.Select(volume => volume.Log).Prepend(_poolLog))
        {
            accepted.AddRange(log.Positions.Logs.Where(pair => pair.Key.Author == node)
                .Select(pair => new AcceptedTail(log.Volume, pair.Key.Incarnation, pair.Value.BlockSeq)));
        }

        Result<Unit, ControlError> revoked = Done(_poolLog.Append([new RevokeMember(node, [.. accepted])]));
        if (!revoked.IsOk)
        {
            return revoked;
        }

        List<Primitive> keys = [];
        foreach (VolumeId volume in _view.State.LiveVolumes.Select(volume => volume.Volume).Append(_poolLog.Volume))
        {
            if (KeyGrants.CurrentEpoch(_view.State, volume) is null)
            {
                keys.AddRange(KeyGrants.ToAll(
                    _ports.Identity, _ports.Entropy, _view.State, volume, new EpochId(Random(EpochId.Size)), Random(EpochKey.Size)));
            }
        }

        return keys.Count == 0 ? revoked : Done(_poolLog.Append([.. keys]));
    }

    private Result<Member, ControlError> FindMember(string text)
    {
        Member[] found =
        [
            .. _view.State.Members.Values.Where(member => member.Role != MemberRole.Recovery
                && (string.Equals(member.Name, text, StringComparison.Ordinal)
                    || string.Equals(_view.NameOf(member.Node), text, StringComparison.Ordinal)
                    || (text.Length >= 4 && member.Node.ToString().StartsWith(text, StringComparison.OrdinalIgnoreCase)))),
        ];
        return found.Length == 1 ? found[0]
            : found.Length == 0 ? new ControlError(ControlErrorKind.NotFound, $"There is no node '{text}'. `cairn nodes` lists them.")
            : new ControlError(ControlErrorKind.InvalidArgument, $"'{text}' could be {found.Length} nodes: use the id.");
    }

    private NodeSummary Summary(Member member)
    {
        NodeRecord? record = _view.Map.TryGet(member.Node, out SignedNodeRecord? signed) ? signed.Record : null;
        bool isSelf = member.Node == _view.Self;
        return new NodeSummary
        {
            Node = member.Node,
            Name = record?.Name ?? member.Name,
            IsSelf = isSelf,
            Role = member.Standing == MemberStanding.Active ? Lower(member.Role.ToString()) : Lower(member.Standing.ToString()),
            User = UserOf(member.Node),
            IsReadOnly = !_view.State.MayWrite(member.Node),
            RefusedChanges = RefusedOf(member.Node),
            State = record is null ? "unknown" : Word(record.State),
            Liveness = Lower(_view.LivenessOf(member.Node).ToString()),
            IsConnected = isSelf || _peers.Find(member.Node) is { IsClosed: false },
            Addresses = record is null ? [] : [.. record.Addresses.Select(address => address.ToString())],
            CapacityBytes = record?.CapacityBytes ?? 0,
            UsedBytes = record is null ? 0 : UsedBy(record),
            Zone = record?.Zone ?? string.Empty,
            Tags = record is null ? [] : record.Tags,
        };
    }

    private static string Lower(string text) => text.ToLowerInvariant();

    private IReadOnlyList<VolumeSummary> Summaries() =>
        [
            .. _view.State.LiveVolumes
                .Select(Summary)
                .OrderBy(volume => volume.Name, StringComparer.Ordinal),
        ];

    private VolumeSummary Summary(PoolVolume volume) => new(
        volume.Volume, volume.Name, _volumes.Find(volume.Volume) is not null)
    {
        IsReadOnly = !_view.State.EditingIn(volume.Volume).MayWrite(_view.Self),
        Writers = _view.State.WritersOf(volume.Volume) is { } writers ? [.. writers.Select(_view.NameOf)] : null,
        CloneOf = CloneOf(volume),
        IsComplete = volume.IsComplete,
    };

    private SpaceStatus Space()
    {
        StoreSpace space = _chunks.Space;
        return new SpaceStatus(_space.GivenBytes, space.Replicated, space.Cached, space.Staged, space.Dead, space.Free);
    }

    private (long TotalBytes, long FreeBytes) PoolSpace()
    {
        List<long> sizes = [];
        List<long> rest = [];
        foreach (NodeId node in _view.Nodes)
        {
            if (_view.Map.TryGet(node, out SignedNodeRecord? record) && !_view.IsGivenUp(node))
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

    private long UnpublishedFiles => _volumes.Open.Sum(static volume => volume.UnpublishedFiles);

    /// <summary>While somebody is connected, a block is on its way for a moment: that is no state to speak of.</summary>
    private long BlocksOnlyHere =>
        _view.Nodes.Count > 1 && _peers.Links.All(static link => link.IsClosed) ? _sync.OnlyHere() : 0;

    private SafetyCounts Counts(NodeId[] absent)
    {
        PlacementTable table = _view.Placement;
        return new SafetyCounts
        {
            CopiesWanted = PlacementPolicy.CopiesDefault,
            CopiesPossible = Math.Min(table.Copies, table.NodeCount),
            Chunks = _chunks.Count,
            FilesUnpublished = UnpublishedFiles,
            ChunksOwed = _replicator.OwedCount,
            BytesOwed = _replicator.OwedBytes,
            BlocksOnlyHere = BlocksOnlyHere,
            ChunksOwedElsewhere = OtherRecords().Aggregate(
                0L, static (sum, record) => sum + Math.Min(record.OwedChunks, long.MaxValue - sum)),
            OwingNodes = OwingNodes(),
            ChunksToRepair = _repair.MissingCount,
            ChunksUnreachable = Math.Max(_chunks.Aside.Count, _replicator.Unreadable.Count),
            AbsentNodes = [.. absent.Select(_view.NameOf)],
            IsBraked = _repair.IsBraked,
            IsPoolFull = _view.Nodes.Count > 0
                && _view.Nodes.All(node => _view.Map.TryGet(node, out SignedNodeRecord? record) && record.Record.IsFull),
        };
    }

    private List<NodeProblem> Problems(NodeId[] absent)
    {
        List<NodeProblem> problems = [];
        if (HasLeft)
        {
            problems.Add(new NodeProblem(
                "left", "This node has left the pool.", "Stop it with `cairn down` and delete its home."));
        }

        foreach (NodeId node in absent)
        {
            problems.Add(new NodeProblem(
                "node-away", $"{_view.NameOf(node)} cannot be reached.",
                $"Start it, or `cairn node forget {_view.NameOf(node)}` if it is lost."));
        }

        problems.AddRange(RefusedHere() is { } refused ? [refused] : []);
        problems.AddRange(_peers.Refused.Problems);
        problems.AddRange(_peers.Doubled.Problems(_view.NameOf));
        problems.AddRange(_unreadable.Problem is { } unreadable ? [unreadable] : []);
        problems.AddRange(_replicator.Unreadable.Problem is { } owed ? [owed] : []);
        problems.AddRange(_errors.Problem is { } bug ? [bug] : []);
        problems.AddRange(_pins.Summaries.Where(pin => pin.State == PinState.NoRoom).Select(pin => new NodeProblem(
            "pin-no-room",
            $"There is no room for all of {pin.Path}, which is pinned.",
            "Give more with `cairn space set`, or unpin something.")));
        problems.AddRange(_volumes.Open.SelectMany(volume => BrakeProblems(volume.Volume)));
        problems.AddRange(_volumes.Open.SelectMany(DroppedProblems));
        problems.AddRange(_badCopies.Problem is { } lost ? [lost] : []);
        problems.AddRange(new ForkReport(_poolLog, _volumes, _view).Problems);
        problems.AddRange(_damage.Problems);
        problems.AddRange(_ownReturn.Problem is { } returning ? [returning] : []);
        problems.AddRange(_upkeep.Problem is { } failing ? [failing] : []);
        problems.AddRange(SpaceKeeper.DiskProblem(_ports.Disk) is { } filled ? [filled] : []);
        if (_record.Current.Record.IsFull)
        {
            (long total, long free) = PoolSpace();
            problems.Add(SpaceKeeper.FullProblem(total - free, _volumes.Open.Sum(volume => volume.ShownBytes)));
        }

        return problems;
    }

    private IEnumerable<NodeProblem> DroppedProblems(IHostedVolume volume)
    {
        int logs = _sync.OutOfReach(volume.Log.Volume).Logs.Count;
        if (logs > 0)
        {
            yield return new NodeProblem(
                "blocks-dropped",
                $"The members that can be reached have dropped history of '{volume.Volume.Name}' that this machine "
                + $"lacks ({logs} logs): it does not see what they write.",
                "Connect a member that has it. If there is none, copy what is only on this machine out of the drive, "
                + "and join with a new home.");
        }
    }

    private IEnumerable<NodeProblem> BrakeProblems(IVolume volume)
    {
        foreach (BrakedMember held in volume.Brake?.List() ?? [])
        {
            string name = _view.NameOf(held.Node);
            yield return new NodeProblem(
                "braked",
                $"{(held.Node == _view.Self ? "This machine" : name)} removed or rewrote {held.Percent} % of "
                + $"'{volume.Name}' between {held.From} and {held.To}; "
                + "what it took away is kept until somebody decides.",
                $"`cairn brake undo {volume.Name} {name}` takes it back; "
                + $"`cairn brake release {volume.Name} {name}` if it was meant.");
        }
    }
}
