using System.Globalization;
using Cairn.Core.Primitives;
using Cairn.Core.Text;
using Cairn.Node.Control;
using Cairn.Node.Volumes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cairn.Gateway.Control;

/// <summary>The past of a volume by path: versions, restoring, the trash, conflicts.</summary>
internal static class HistoryRoutes
{
    private readonly record struct Chosen(InodeNumber File, VersionId Version);

    public static void Map(WebApplication app, INodeControl node, EngineCalls engine)
    {
        Task<IResult> With(HttpContext context, Func<IVolume, IVolumeHistory, string, Task<IResult>> act) =>
            VolumeCall.With(context, node, engine, static volume => volume.History, act);

        Route.Get(app, "/v1/history/versions", context => With(
            context, (volume, history, path) => Versions(node, volume, history, path)));
        Route.Get(app, "/v1/history/content", context => With(
            context, (volume, history, path) => Content(context, volume, history, path)));
        Route.Post(app, "/v1/history/restore", context => With(
            context, (volume, history, path) => Restore(context, volume, history, path)));
        Route.Get(app, "/v1/history/trash", context => With(
            context, (volume, history, path) => Trash(node, volume, history, path)));
        Route.Delete(app, "/v1/history/trash", context => With(context, EmptyTrash));
        Route.Post(app, "/v1/history/undelete", context => With(
            context, (volume, history, path) => Undelete(context, volume, history, path)));
        Route.Get(app, "/v1/history/conflicts", context => With(
            context, (volume, history, path) => Conflicts(node, volume, history, path)));
        Route.Post(app, "/v1/history/resolve", context => With(
            context, (volume, history, path) => Resolve(context, volume, history, path)));
        Route.Post(app, "/v1/history/merge", context => With(context, Merge));
    }

    private static async Task<IResult> Versions(
        INodeControl node, IVolume volume, IVolumeHistory history, string path)
    {
        Result<InodeNumber, VolumeError> file = await Find(volume, history, path);
        if (!file.TryGet(out InodeNumber inode, out VolumeError error)
            || !history.Versions(inode).TryGet(out IReadOnlyList<FileVersion>? versions, out error))
        {
            return ControlReplies.Refuse(volume, path, error);
        }

        return ControlReplies.Json(
            [.. versions.Select(version => VersionSummary.From(version, node))],
            ControlJson.Default.IReadOnlyListVersionSummary);
    }

    private static async Task<IResult> Content(
        HttpContext context, IVolume volume, IVolumeHistory history, string path)
    {
        Result<Chosen, VolumeError> chosen = await Choose(context, volume, history, path);
        return chosen.TryGet(out Chosen at, out VolumeError error)
            && history.OpenVersion(at.File, at.Version).TryGet(out OpenedFile opened, out error)
            ? await ContentRoutes.SendAndClose(context, volume, path, opened)
            : RefuseVersion(context, volume, path, error);
    }

    private static async Task<IResult> Restore(
        HttpContext context, IVolume volume, IVolumeHistory history, string path)
    {
        Result<Chosen, VolumeError> chosen = await Choose(context, volume, history, path);
        return chosen.TryGet(out Chosen at, out VolumeError error)
            && history.Restore(at.File, at.Version).TryGet(out _, out error)
            ? Results.NoContent()
            : RefuseVersion(context, volume, path, error);
    }

    private static Task<IResult> Trash(INodeControl node, IVolume volume, IVolumeHistory history, string path) =>
        VolumeCall.Found(
            volume,
            path,
            [
                .. history.Trash().Where(entry => VolumeCall.IsBelow(entry.Path, path))
                    .Select(entry => TrashSummary.From(entry, node)),
            ],
            ControlJson.Default.IReadOnlyListTrashSummary);

    private static Task<IResult> EmptyTrash(IVolume volume, IVolumeHistory history, string path) =>
        Task.FromResult(VolumeCall.RefuseFolder("emptying the trash", path) is { } refused ? refused
            : history.EmptyTrash().TryGet(out _, out VolumeError error) ? Results.NoContent()
            : ControlReplies.Refuse(volume.Name, error));

    private static Task<IResult> Undelete(
        HttpContext context, IVolume volume, IVolumeHistory history, string path)
    {
        ReadOnlyMemory<byte> name = NameText.ToBytes(context.Request.Query["name"].ToString());
        TrashEntry? removed = history.Trash().FirstOrDefault(entry => entry.Path == path.Trim('/'));
        Result<Unit, VolumeError> done = removed is null ? VolumeError.NotFound : history.Undelete(removed.Inode, name);
        return Task.FromResult(done.TryGet(out _, out VolumeError error)
            ? Results.NoContent()
            : ControlReplies.Refuse(volume, path, error));
    }

    private static Task<IResult> Conflicts(
        INodeControl node, IVolume volume, IVolumeHistory history, string path) =>
        VolumeCall.Found(
            volume,
            path,
            [
                .. history.Conflicts().Where(conflict => IsMeant(conflict, path))
                    .OrderBy(conflict => conflict.Path, StringComparer.Ordinal)
                    .Select(conflict => new ConflictSummary(
                        conflict.Path, [.. conflict.Sides.Select(side => ConflictSideSummary.From(side, node))])),
            ],
            ControlJson.Default.IReadOnlyListConflictSummary);

    /// <summary>Whether a conflict is at or below a path, or one of its sides is shown there.</summary>
    private static bool IsMeant(NameConflict conflict, string path)
    {
        string folder = conflict.Path[..(conflict.Path.LastIndexOf('/') + 1)];
        return VolumeCall.IsBelow(conflict.Path, path)
            || conflict.Sides.Any(side => folder + side.ShownName == path.Trim('/'));
    }

    private static async Task<IResult> Resolve(
        HttpContext context, IVolume volume, IVolumeHistory history, string path)
    {
        InodeNumber? kept = null;
        if (context.Request.Query["inode"].ToString() is { Length: > 0 } text)
        {
            kept = ulong.TryParse(text, out ulong number) ? new InodeNumber(number) : default;
        }

        Result<(InodeNumber Parent, ReadOnlyMemory<byte> Name), VolumeError> place = await volume.ResolveParent(path);
        return place.TryGet(out (InodeNumber Parent, ReadOnlyMemory<byte> Name) at, out VolumeError error)
            && history.Resolve(at.Parent, at.Name, kept).TryGet(out _, out error)
            ? Results.NoContent()
            : ControlReplies.Refuse(volume, path, error);
    }

    private static async Task<IResult> Merge(IVolume volume, IVolumeHistory history, string path)
    {
        Result<(InodeNumber Parent, ReadOnlyMemory<byte> Name), VolumeError> place = await volume.ResolveParent(path);
        if (!place.TryGet(out (InodeNumber Parent, ReadOnlyMemory<byte> Name) at, out VolumeError error)
            || !(await history.Merge(at.Parent, at.Name)).TryGet(out MergeReport report, out error))
        {
            return ControlReplies.Refuse(volume, path, error);
        }

        string? refusal = report.Outcome switch
        {
            MergeOutcome.Merged => null,
            MergeOutcome.Overlap => $"both sides changed line {report.Line} of the version they began with",
            MergeOutcome.NotText => "one side is no text, or longer than 4 MiB",
            MergeOutcome.NoAncestor => "the version that both sides began with is not kept",
            MergeOutcome.Busy => "it is being written now: try again",
            MergeOutcome.NoConflict => "it is not in conflict",
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        return refusal is null
            ? Results.NoContent()
            : Results.Text(
                $"{ControlReplies.Place(volume, path)}: {refusal}",
                "text/plain",
                statusCode: StatusCodes.Status409Conflict);
    }

    private static IResult RefuseVersion(HttpContext context, IVolume volume, string path, VolumeError error)
    {
        string which = context.Request.Query["version"] is [{ Length: > 0 } version] ? version : "of that time";
        return error == VolumeError.NotFound
            ? ControlReplies.Refuse(new ControlError(
                ControlErrorKind.NotFound,
                $"{ControlReplies.Place(volume, path)}: no such file, or no version {which}, or more than one; "
                + "'cairn log' lists them"))
            : ControlReplies.Refuse(volume, path, error);
    }

    /// <summary>The version that <c>version</c> (or the start of its id) or <c>time</c> names.</summary>
    private static async Task<Result<Chosen, VolumeError>> Choose(
        HttpContext context, IVolume volume, IVolumeHistory history, string path)
    {
        Result<InodeNumber, VolumeError> file = await Find(volume, history, path);
        if (!file.TryGet(out InodeNumber inode, out VolumeError error)
            || !history.Versions(inode).TryGet(out IReadOnlyList<FileVersion>? versions, out error))
        {
            return error;
        }

        string start = context.Request.Query["version"].ToString();
        IEnumerable<FileVersion> named = DateTimeOffset.TryParse(
            context.Request.Query["time"], CultureInfo.InvariantCulture, out DateTimeOffset time)
            ? versions.Where(version => version.Published <= WallTime.From(time)).Take(1)
            : versions.Where(version => start.Length > 0
                && version.Version.ToString().StartsWith(start, StringComparison.OrdinalIgnoreCase));
        return named.Take(2).ToList() is [FileVersion only] ? new Chosen(inode, only.Version) : VolumeError.NotFound;
    }

    /// <summary>A file by its path, or what was removed from there last.</summary>
    private static async Task<Result<InodeNumber, VolumeError>> Find(
        IVolume volume, IVolumeHistory history, string path)
    {
        Result<ObjectAttributes, VolumeError> found = await volume.Resolve(path);
        if (found.TryGet(out ObjectAttributes attributes, out VolumeError error))
        {
            return attributes.Inode;
        }

        return history.Trash().FirstOrDefault(entry => entry.Path == path.Trim('/')) is { } removed
            ? removed.Inode
            : error;
    }
}
