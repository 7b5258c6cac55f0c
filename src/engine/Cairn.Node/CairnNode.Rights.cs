using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Pool;

namespace Cairn.Node;

/// <content>Who may only read, and what was refused. docs/decisions/rights.md.</content>
public sealed partial class CairnNode
{
    /// <inheritdoc/>
    public ValueTask<Result<Unit, ControlError>> ForbidWriting(string node, CancellationToken cancellation) =>
        ValueTask.FromResult(Limit(node, mayWrite: false, acceptsRefused: false));

    /// <inheritdoc/>
    public ValueTask<Result<Unit, ControlError>> AllowWriting(
        string node, bool acceptsRefused, CancellationToken cancellation) =>
        ValueTask.FromResult(Limit(node, mayWrite: true, acceptsRefused));

    /// <inheritdoc/>
    public ValueTask<Result<Unit, ControlError>> SetWriters(
        string volume, IReadOnlyList<string> nodes, bool acceptsRefused, CancellationToken cancellation) =>
        ValueTask.FromResult(Limit(volume, nodes, acceptsRefused));

    private Result<Unit, ControlError> Limit(string name, IReadOnlyList<string> nodes, bool acceptsRefused)
    {
        if (!_view.IsAdmin)
        {
            return NotAdmin("say who may write");
        }

        if (!_view.State.TryFindVolume(name, out PoolVolume? volume))
        {
            return new ControlError(ControlErrorKind.NotFound, $"There is no volume '{name}'.");
        }

        if (_volumes.Find(volume.Volume) is not { } open)
        {
            return NotOpen(volume);
        }

        SortedSet<NodeId> writers = [];
        foreach (string node in nodes)
        {
            if (!FindMember(node).TryGet(out Member? member, out ControlError error))
            {
                return error;
            }

            writers.Add(member.Node);
        }

        // Of its own log it has seen what is not sealed yet, too.
        ImmutableArray<NodeId>? all = writers.Count == 0 ? null : [.. writers];
        return Done(_poolLog.Append([LimitVolume.By(volume.Volume, all, open.Log.Seen, acceptsRefused)]));
    }

    private Result<Unit, ControlError> Limit(string node, bool mayWrite, bool acceptsRefused)
    {
        if (!FindMember(node).TryGet(out Member? member, out ControlError error))
        {
            return error;
        }

        if (!_view.IsAdmin)
        {
            return NotAdmin("say who may write");
        }

        if (_view.State.MayWrite(member.Node) == mayWrite && !acceptsRefused)
        {
            return Unit.Value;
        }

        if (!mayWrite && member.Node == _view.Self)
        {
            return new ControlError(
                ControlErrorKind.InvalidArgument,
                "An admin cannot take writing from its own machine: do it on another admin's.");
        }

        // What is not listed counts as not seen: of a volume that is not open here, everything would be refused.
        if (_view.State.LiveVolumes.FirstOrDefault(volume => _volumes.Find(volume.Volume) is null) is { } closed)
        {
            return NotOpen(closed);
        }

        ImmutableArray<SeenLogs> seen =
            acceptsRefused ? [] : [.. _volumes.Open.Select(volume => SeenOf(volume, member))];
        return Done(_poolLog.Append([new LimitMember(member.Node, mayWrite, seen)]));
    }

    private static ControlError NotOpen(PoolVolume volume) => new(
        ControlErrorKind.Locked,
        $"This node has no keys of '{volume.Name}' yet, so it cannot say what it has seen there. Wait until an admin's "
        + "node is online, or do it on that.");

    private static SeenLogs SeenOf(IHostedVolume volume, Member member) => new(
        volume.Log.Volume,
        LogPositions.From(volume.Log.Positions.Logs.Where(log => log.Key.Author == member.Node)));

    /// <summary>How many changes of a member have no effect in the volumes that are open here.</summary>
    private long RefusedOf(NodeId member) => _volumes.Open.Sum(volume => volume.RefusedOf(member));

    /// <summary>Work that was done here and that nobody sees.</summary>
    private NodeProblem? RefusedHere()
    {
        long refused = _volumes.Open
            .Where(volume => !_view.State.RightsIn(volume.Log.Volume).MayWrite(_view.Self))
            .Sum(volume => volume.RefusedOf(_view.Self));
        return refused > 0
            ? new NodeProblem(
                "changes-refused",
                $"Changes made here are refused, because this node may only read: {refused}.",
                "They are kept; an admin can let them stand: `cairn node read-write` or `cairn volume writers`, with "
                + "--accept-refused.")
            : null;
    }
}
