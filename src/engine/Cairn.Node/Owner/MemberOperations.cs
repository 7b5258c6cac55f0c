using System.Collections.Immutable;
using System.Text;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Text;
using Cairn.Node.Control;
using Cairn.Node.Pool;

namespace Cairn.Node.Owner;

/// <summary>Who belongs to the pool, in which role, and whose machine it is.</summary>
internal sealed class MemberOperations(NodeParts parts, PoolNames names)
{
    /// <inheritdoc cref="INodeControl.Nodes"/>
    public IReadOnlyList<NodeSummary> Nodes()
    {
        IEnumerable<NodeSummary> nodes = parts.View.State.Members.Values
            .Where(member => member.Role != MemberRole.Recovery)
            .Select(Summary);
        return
        [
            .. nodes.OrderByDescending(node => node.IsSelf)
                .ThenBy(node => node.Name, StringComparer.Ordinal)
                .ThenBy(node => node.Node),
        ];
    }

    /// <inheritdoc cref="INodeControl.Invite"/>
    public Result<InviteTicket, ControlError> Invite(InviteTerms terms) =>
        parts.View.IsAdmin
            ? parts.JoinHost.Invite(parts.Record.Current.Record.Addresses[0], terms)
            : names.NotAdmin("invite others");

    /// <inheritdoc cref="INodeControl.ForgetNode"/>
    public Result<Unit, ControlError> ForgetNode(string node)
    {
        if (!names.FindMember(node).TryGet(out Member? member, out ControlError error))
        {
            return error;
        }

        if (!parts.View.IsAdmin)
        {
            return names.NotAdmin("forget nodes");
        }

        bool isHere = member.Node == parts.View.Self || parts.Peers.Find(member.Node) is { IsClosed: false };
        return isHere
            ? new ControlError(
                ControlErrorKind.Unsuitable,
                $"{parts.View.NameOf(member.Node)} is not lost: it is connected. Run `cairn leave` on it, "
                + $"or `cairn node revoke {parts.View.NameOf(member.Node)}` if it is not trusted.")
            : Answer.Of(parts.PoolLog.Append([new Exclude(member.Node, true)]));
    }

    /// <inheritdoc cref="INodeControl.RevokeNode"/>
    public Result<Unit, ControlError> RevokeNode(string node)
    {
        if (!names.FindMember(node).TryGet(out Member? member, out ControlError error))
        {
            return error;
        }

        return member.Node == parts.View.Self
            ? new ControlError(
                ControlErrorKind.Unsuitable,
                $"{member.Name} is this machine: `cairn leave` takes it out; another machine can revoke it.")
            : !parts.View.IsAdmin ? names.NotAdmin("revoke nodes") : Revoke(member.Node);
    }

    /// <inheritdoc cref="INodeControl.PromoteNode"/>
    public Result<Unit, ControlError> PromoteNode(string node)
    {
        if (!names.FindMember(node).TryGet(out Member? member, out ControlError error))
        {
            return error;
        }

        GrantMember grant = new(
            member.Node, (byte)MemberRole.Admin, member.PublicKey.AsMemory(), Encoding.UTF8.GetBytes(member.Name));
        return !parts.View.IsAdmin ? names.NotAdmin("promote nodes")
            : member.Standing != MemberStanding.Active
                ? new ControlError(
                    ControlErrorKind.NotMember, $"{member.Name} is {member.Standing.ToString().ToLowerInvariant()}.")
            : member.Role == MemberRole.Admin ? Unit.Value : Answer.Of(parts.PoolLog.Append([grant]));
    }

    /// <inheritdoc cref="INodeControl.UserOf"/>
    public string UserOf(NodeId node) => parts.View.State.Users.GetValueOrDefault(node, string.Empty);

    /// <summary>Revokes, and starts new epochs everywhere in the same transaction's wake.</summary>
    private Result<Unit, ControlError> Revoke(NodeId node)
    {
        // What is not listed counts as not seen: what the node wrote in a volume that waits would be without effect.
        if (parts.View.State.LiveVolumes.FirstOrDefault(volume => parts.Grounds.IsWaiting(volume.Volume)) is { } waits)
        {
            return names.NotOpen(waits);
        }

        List<AcceptedTail> accepted = [];
        foreach (Peers.ISharedLog log in parts.Volumes.Open.Select(volume => volume.Log).Prepend(parts.PoolLog))
        {
            accepted.AddRange(log.Positions.Logs.Where(pair => pair.Key.Author == node)
                .Select(pair => new AcceptedTail(log.Volume, pair.Key.Incarnation, pair.Value.BlockSeq)));
        }

        Result<Unit, ControlError> revoked = Answer.Of(parts.PoolLog.Append([new RevokeMember(node, [.. accepted])]));
        if (!revoked.IsOk)
        {
            return revoked;
        }

        List<Primitive> keys = [];
        IEnumerable<VolumeId> volumes = parts.View.State.LiveVolumes.Select(volume => volume.Volume);
        foreach (VolumeId volume in volumes.Append(parts.PoolLog.Volume))
        {
            if (KeyGrants.CurrentEpoch(parts.View.State, volume) is null)
            {
                keys.AddRange(KeyGrants.NewEpoch(parts.Ports, parts.View.State, volume));
            }
        }

        return keys.Count == 0 ? revoked : Answer.Of(parts.PoolLog.Append([.. keys]));
    }

    /// <inheritdoc cref="INodeControl.AssignUser"/>
    public Result<Unit, ControlError> AssignUser(string node, string user)
    {
        if (!names.FindMember(node).TryGet(out Member? member, out ControlError error))
        {
            return error;
        }

        if (!parts.View.IsAdmin)
        {
            return names.NotAdmin("say who uses a machine");
        }

        if (user.Length > 0 && !GivenName.IsValid(user))
        {
            return new ControlError(ControlErrorKind.InvalidArgument, "A person's name " + GivenName.Rule);
        }

        // Where either may stand, as in `cairn rewind --by`, a name must mean one of them.
        if (parts.View.State.Members.Keys.Any(
            other => string.Equals(parts.View.NameOf(other), user, StringComparison.Ordinal)))
        {
            return new ControlError(
                ControlErrorKind.AlreadyExists, $"'{user}' is the name of a machine: call the person something else.");
        }

        return UserOf(member.Node) == user
            ? Unit.Value
            : Answer.Of(parts.PoolLog.Append([new AssignUser(member.Node, Encoding.UTF8.GetBytes(user))]));
    }

    /// <summary>Says whether a member may write, and whether what was refused of its writing stands.</summary>
    public Result<Unit, ControlError> Limit(string node, bool mayWrite, bool acceptsRefused)
    {
        if (!names.FindMember(node).TryGet(out Member? member, out ControlError error))
        {
            return error;
        }

        if (!parts.View.IsAdmin)
        {
            return names.NotAdmin("say who may write");
        }

        if (parts.View.State.MayWrite(member.Node) == mayWrite && !acceptsRefused)
        {
            return Unit.Value;
        }

        if (!mayWrite && member.Node == parts.View.Self)
        {
            return new ControlError(
                ControlErrorKind.Unsuitable,
                "An admin cannot take writing from its own machine: do it on another admin's.");
        }

        // What is not listed counts as not seen: of a volume that is not open here, everything would be refused.
        bool IsClosed(PoolVolume volume) => parts.Volumes.Find(volume.Volume) is null;
        if (parts.View.State.LiveVolumes.FirstOrDefault(IsClosed) is { } closed)
        {
            return names.NotOpen(closed);
        }

        ImmutableArray<SeenLogs> seen =
            acceptsRefused ? [] : [.. parts.Volumes.Open.Select(volume => SeenOf(volume, member))];
        return Answer.Of(parts.PoolLog.Append([new LimitMember(member.Node, mayWrite, seen)]));
    }

    private static SeenLogs SeenOf(IHostedVolume volume, Member member) => new(
        volume.Log.Volume,
        LogPositions.From(volume.Log.Positions.Logs.Where(log => log.Key.Author == member.Node)));

    /// <summary>How many changes of a member have no effect in the volumes that are open here.</summary>
    private long RefusedOf(NodeId member) => parts.Volumes.Open.Sum(volume => volume.RefusedOf(member));

    private NodeSummary Summary(Member member)
    {
        NodeRecord? record = parts.View.Map.TryGet(member.Node, out SignedNodeRecord? signed) ? signed.Record : null;
        bool isSelf = member.Node == parts.View.Self;
        return new NodeSummary
        {
            Node = member.Node,
            Name = record?.Name ?? member.Name,
            IsSelf = isSelf,
            Role = (member.Standing == MemberStanding.Active ? member.Role.ToString() : member.Standing.ToString())
                .ToLowerInvariant(),
            User = UserOf(member.Node),
            IsReadOnly = !parts.View.State.MayWrite(member.Node),
            RefusedChanges = RefusedOf(member.Node),
            State = record is null ? "unknown" : record.State.ToString().ToLowerInvariant(),
            Liveness = parts.View.LivenessOf(member.Node).ToString().ToLowerInvariant(),
            IsConnected = isSelf || parts.Peers.Find(member.Node) is { IsClosed: false },
            Addresses = record is null ? [] : [.. record.Addresses.Select(address => address.ToString())],
            CapacityBytes = record?.CapacityBytes ?? 0,
            UsedBytes = record is null ? 0 : parts.Room.UsedBy(record),
            Zone = record?.Zone ?? string.Empty,
            Tags = record is null ? [] : record.Tags,
        };
    }
}
