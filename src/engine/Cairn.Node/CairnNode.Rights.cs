using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Node.Control;
using Cairn.Node.Pool;
using Cairn.Node.Volumes;

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
    public async ValueTask<Result<Unit, ControlError>> SetWriters(
        string path, FolderAccess access, IReadOnlyList<string> nodes, bool acceptsRefused,
        CancellationToken cancellation)
    {
        if (!_view.IsAdmin)
        {
            return NotAdmin("say who may write");
        }

        if (!FindToLimit(path).TryGet(out (IHostedVolume Volume, string Below) place, out ControlError error)
            || !Writers(nodes).TryGet(out ImmutableArray<NodeId> writers, out error))
        {
            return error;
        }

        VolumeId volume = place.Volume.Log.Volume;
        if (place.Below.Length == 0)
        {
            // Of its own log it has seen what is not sealed yet, too.
            return access == FolderAccess.Inherit
                ? new ControlError(ControlErrorKind.InvalidArgument, $"'{path}' is a volume: nothing is above it.")
                : Done(_poolLog.Append([LimitVolume.By(
                    volume, access == FolderAccess.Only ? writers : null, place.Volume.Log.Seen, acceptsRefused)]));
        }

        Result<FolderMark, VolumeError> marked = await place.Volume.MarkFolder(place.Below);
        return marked.TryGet(out FolderMark? mark, out VolumeError failed)
            ? Done(_poolLog.Append([LimitFolder.By(
                volume, mark.Folder, access, writers, mark.Mark.Seen, mark.Mark.After, acceptsRefused)]))
            : NotMarked(path, failed);
    }

    /// <inheritdoc/>
    public ValueTask<Result<IReadOnlyList<FolderWriters>, ControlError>> FolderWriters(
        string volume, CancellationToken cancellation)
    {
        if (!_view.State.TryFindVolume(volume, out PoolVolume? found))
        {
            return new(NoVolume(volume));
        }

        IHostedVolume? open = _volumes.Find(found.Volume);
        IEnumerable<FolderWriters> folders = _view.State.EditingIn(found.Volume).Folders.InForce
            .Where(limit => limit.Access != FolderAccess.Inherit)
            .Select(limit => new FolderWriters(
                open?.PathOf(limit.Folder) is { } path ? $"{volume}/{path}" : null,
                limit.Access == FolderAccess.Everyone ? null : [.. limit.Writers.Select(_view.NameOf)]))
            .OrderBy(folder => folder.Path, StringComparer.Ordinal);
        return new(Result<IReadOnlyList<FolderWriters>, ControlError>.Ok(
            [new FolderWriters(volume, Summary(found).Writers), .. folders]));
    }

    /// <summary>A place of which this node can say who may write: only with the keys of its volume.</summary>
    private Result<(IHostedVolume Volume, string Below), ControlError> FindToLimit(string path)
    {
        string name = path.Split('/', 2)[0];
        return !_view.State.TryFindVolume(name, out PoolVolume? volume) ? NoVolume(name)
            : _volumes.Find(volume.Volume) is null ? NotOpen(volume)
            : FindHosted(path);
    }

    /// <summary>The members of some names, in the order of their ids.</summary>
    private Result<ImmutableArray<NodeId>, ControlError> Writers(IReadOnlyList<string> nodes)
    {
        SortedSet<NodeId> writers = [];
        foreach (string node in nodes)
        {
            if (!FindMember(node).TryGet(out Member? member, out ControlError error))
            {
                return error;
            }

            writers.Add(member.Node);
        }

        return ImmutableArray.CreateRange(writers);
    }

    private static ControlError NotMarked(string path, VolumeError error) =>
        error == VolumeError.NotFound ? new ControlError(ControlErrorKind.NotFound, $"There is no '{path}'.")
        : error == VolumeError.NotADirectory ? new ControlError(
            ControlErrorKind.InvalidArgument, $"'{path}' is no folder: say who may change the folder it is in.")
        : new ControlError(ControlErrorKind.Storage, $"'{path}': the mark behind it cannot be written: {error}.");

    private static ControlError NoVolume(string name) =>
        new(ControlErrorKind.NotFound, $"There is no volume '{name}'.");

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

    private ControlError NotOpen(PoolVolume volume) => _volumes.WhyClosed(volume.Volume) is { } why
        ? new ControlError(ControlErrorKind.Unreachable, $"{why.Message} {why.Advice}")
        : new ControlError(
            ControlErrorKind.Locked,
            $"This node has no keys of '{volume.Name}' yet, so it cannot say what it has seen there. Wait until an "
            + "admin's node is online, or do it on that.");

    private static SeenLogs SeenOf(IHostedVolume volume, Member member) => new(
        volume.Log.Volume,
        LogPositions.From(volume.Log.Positions.Logs.Where(log => log.Key.Author == member.Node)));

    /// <summary>How many changes of a member have no effect in the volumes that are open here.</summary>
    private long RefusedOf(NodeId member) => _volumes.Open.Sum(volume => volume.RefusedOf(member));

    private bool IsLimitedIn(VolumeId volume)
    {
        WriteRights rights = _view.State.EditingIn(volume);
        return !rights.MayWrite(_view.Self) || rights.Folders.Now(_view.Self).IsLimited;
    }

    /// <summary>Work that was done here and that nobody sees.</summary>
    private NodeProblem? RefusedHere()
    {
        long refused = _volumes.Open
            .Where(volume => IsLimitedIn(volume.Log.Volume))
            .Sum(volume => volume.RefusedOf(_view.Self));
        return refused > 0
            ? new NodeProblem(
                "changes-refused",
                $"Changes made here are refused, because this node may not write there: {refused}.",
                "They are kept; an admin can let them stand: `cairn node read-write` or `cairn volume writers`, with "
                + "--accept-refused.")
            : null;
    }
}
