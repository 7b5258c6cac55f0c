using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Node.Control;
using Cairn.Node.Pool;
using Cairn.Node.Volumes;

namespace Cairn.Node.Owner;

/// <summary>Who may write where. docs/decisions/rights.md.</summary>
internal sealed class WriterOperations(NodeParts parts, PoolNames names)
{
    /// <inheritdoc cref="INodeControl.SetWriters"/>
    public async ValueTask<Result<Unit, ControlError>> SetWriters(
        string path, FolderAccess access, IReadOnlyList<string> nodes, bool acceptsRefused)
    {
        if (!parts.View.IsAdmin)
        {
            return names.NotAdmin("say who may write");
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
                : Answer.Of(parts.PoolLog.Append([LimitVolume.By(
                    volume, access == FolderAccess.Only ? writers : null, place.Volume.Log.Seen, acceptsRefused)]));
        }

        Result<FolderMark, VolumeError> marked = await place.Volume.MarkFolder(place.Below);
        return marked.TryGet(out FolderMark? mark, out VolumeError failed)
            ? Answer.Of(parts.PoolLog.Append([LimitFolder.By(
                volume, mark.Folder, access, writers, mark.Mark.Seen, mark.Mark.After, acceptsRefused)]))
            : NotMarked(path, failed);
    }

    /// <inheritdoc cref="INodeControl.FolderWriters"/>
    public Result<IReadOnlyList<FolderWriters>, ControlError> FolderWriters(string volume)
    {
        if (!names.FindVolume(volume).TryGet(out PoolVolume? found, out ControlError error))
        {
            return error;
        }

        IHostedVolume? open = parts.Volumes.Find(found.Volume);
        WriteRights rights = parts.View.State.EditingIn(found.Volume);
        FolderWriters Of(string? path, IEnumerable<NodeId>? writers) =>
            new(path, writers is null ? null : [.. writers.Select(parts.View.NameOf)])
            {
                ShutOut = [.. (writers ?? []).Where(node => !rights.MayWrite(node)).Select(parts.View.NameOf)],
            };
        IEnumerable<FolderWriters> folders = rights.Folders.InForce
            .Where(limit => limit.Access != FolderAccess.Inherit)
            .Select(limit => Of(
                open?.PathOf(limit.Folder) is { } path ? $"{volume}/{path}" : null,
                limit.Access == FolderAccess.Everyone ? null : limit.Writers))
            .OrderBy(folder => folder.Path, StringComparer.Ordinal);
        return Result<IReadOnlyList<FolderWriters>, ControlError>.Ok(
            [Of(volume, parts.View.State.WritersOf(found.Volume)), .. folders]);
    }

    /// <summary>A place of which this node can say who may write: only with the keys of its volume.</summary>
    private Result<(IHostedVolume Volume, string Below), ControlError> FindToLimit(string path)
    {
        string name = path.Split('/', 2)[0];
        return !names.FindVolume(name).TryGet(out PoolVolume? volume, out ControlError error) ? error
            : parts.Volumes.Find(volume.Volume) is null ? names.NotOpen(volume)
            : names.FindHosted(path);
    }

    /// <summary>The members of some names, in the order of their ids.</summary>
    private Result<ImmutableArray<NodeId>, ControlError> Writers(IReadOnlyList<string> nodes)
    {
        SortedSet<NodeId> writers = [];
        foreach (string node in nodes)
        {
            if (!names.FindMember(node).TryGet(out Member? member, out ControlError error))
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
            ControlErrorKind.Unsuitable, $"'{path}' is no folder: say who may change the folder it is in.")
        : new ControlError(ControlErrorKind.Storage, $"'{path}': the mark behind it cannot be written: {error}.");
}
