using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Core.Text;
using Cairn.Node.Control;
using Cairn.Node.Volumes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cairn.Gateway.Control;

/// <summary>
/// Past states of a volume as a whole: making and removing snapshots, comparing with them, going back.
/// </summary>
internal static class SnapshotRoutes
{
    public static void Map(WebApplication app, INodeControl node, EngineCalls engine)
    {
        Task<IResult> With(HttpContext context, Func<IVolume, IVolumeSnapshots, string, Task<IResult>> act) =>
            VolumeCall.With(context, node, engine, static volume => volume.Snapshots, act);

        Route.Get(app, "/v1/snapshots", context => With(
            context, (_, snapshots, path) => List(node, snapshots, path)));
        Route.Post(app, "/v1/snapshots", context => Route.With(context, "name", name => With(
            context, (volume, snapshots, path) => Create(context, volume, snapshots, path, name))));
        Route.Delete(app, "/v1/snapshots", context => Route.With(context, "name", name => With(
            context, (volume, snapshots, path) => VolumeCall.RefuseFolder("removing a snapshot", path) is { } refused
                ? Task.FromResult(refused)
                : Remove(context, node, engine, volume, snapshots, name))));
        Route.Post(app, "/v1/snapshots/clone", context => Route.With(context, "volume", volume => Route.With(
            context, "name", name => Route.With(context, "as", async clone => VolumeCall.RefuseFolder(
                "a clone", context.Request.Query["path"].ToString()) ?? ControlReplies.Of(
                    await engine.Call(() => node.CloneSnapshot(volume, name, clone, context.RequestAborted)),
                    ControlJson.Default.VolumeSummary)))));
        Route.Get(app, "/v1/snapshots/schedule", context => With(context, ShowSchedule));
        Route.Put(app, "/v1/snapshots/schedule", context => Route.With(context, "schedule", schedule => With(
            context, (_, snapshots, path) => SetSchedule(snapshots, path, schedule))));
        Route.Get(app, "/v1/snapshots/differences", context => Route.With(context, "name", name => With(
            context, (_, snapshots, path) => Compare(context, snapshots, path, name))));
        Route.Post(app, "/v1/snapshots/restore", context => Route.With(context, "name", name => With(
            context, (_, snapshots, path) => Restore(context, snapshots, path, name))));
    }

    private static Task<IResult> List(INodeControl node, IVolumeSnapshots snapshots, string path) =>
        Task.FromResult(VolumeCall.RefuseFolder("the list of snapshots", path) ?? ControlReplies.Json(
            [.. snapshots.List().Select(one => one with { AuthorUser = node.UserOf(one.Author) })],
            ControlJson.Default.IReadOnlyListVolumeSnapshot));

    private static Task<IResult> ShowSchedule(IVolume volume, IVolumeSnapshots snapshots, string path) =>
        Task.FromResult(VolumeCall.RefuseFolder("a schedule", path) ?? ControlReplies.Json(
            new ScheduleSummary(snapshots.Schedule.ToString()), ControlJson.Default.ScheduleSummary));

    private static Task<IResult> SetSchedule(IVolumeSnapshots snapshots, string path, string text) =>
        Task.FromResult(VolumeCall.RefuseFolder("a schedule", path) is { } refused ? refused
            : SnapshotSchedule.Parse(text) is not { } schedule
            ? ControlReplies.Refuse(new ControlError(
                ControlErrorKind.InvalidArgument,
                $"'{text}' is no schedule: write off, or some of 'hourly 24, daily 30, weekly 8, monthly 12'"))
            : snapshots.SetSchedule(schedule).TryGet(out _, out VolumeError error)
                ? Results.NoContent()
                : ControlReplies.Refuse("schedule", error));

    private static async Task<IResult> Create(
        HttpContext context, IVolume volume, IVolumeSnapshots snapshots, string path, string name)
    {
        Result<ObjectAttributes, VolumeError> folder = await volume.Resolve(path);
        if (!folder.TryGet(out ObjectAttributes at, out VolumeError error))
        {
            return ControlReplies.Refuse(volume, path, error);
        }

        Result<VolumeSnapshot, VolumeError> made =
            await snapshots.Create(at.Inode, NameText.ToBytes(name), context.RequestAborted);
        return made.TryGet(out VolumeSnapshot? snapshot, out error)
            ? ControlReplies.Json(snapshot, ControlJson.Default.VolumeSnapshot)
            : error == VolumeError.InvalidName
                ? ControlReplies.Refuse(new ControlError(
                    ControlErrorKind.InvalidArgument, "A snapshot's name " + GivenName.Rule))
                : ControlReplies.Refuse($"snapshot {name}", error);
    }

    private static async Task<IResult> Remove(
        HttpContext context, INodeControl node, EngineCalls engine, IVolume volume, IVolumeSnapshots snapshots,
        string name)
    {
        if (snapshots.Remove(name).TryGet(out _, out VolumeError error))
        {
            return Results.NoContent();
        }

        if (error != VolumeError.InUse)
        {
            return Refuse(name, error);
        }

        IReadOnlyList<VolumeSummary> all = await engine.Call(() => node.Volumes(context.RequestAborted));
        string[] clones = [.. all.Where(one => one.CloneOf == $"{volume.Name}@{name}").Select(one => one.Name)];
        return clones.Length == 0 ? Refuse(name, error) : ControlReplies.Refuse(new ControlError(
            ControlErrorKind.Unsuitable,
            $"{name}: needed by the clone '{string.Join("', '", clones)}', which shares its data. "
            + $"Remove that first: `cairn volume rm {clones[0]}`."));
    }

    private static async Task<IResult> Compare(
        HttpContext context, IVolumeSnapshots snapshots, string path, string name)
    {
        Result<IReadOnlyList<PastDifference>, VolumeError> compared =
            await snapshots.Compare(new PastState(name), path, context.RequestAborted);
        return compared.TryGet(out IReadOnlyList<PastDifference>? differences, out VolumeError error)
            ? ControlReplies.Json(differences, ControlJson.Default.IReadOnlyListPastDifference)
            : Refuse(name, error);
    }

    private static async Task<IResult> Restore(
        HttpContext context, IVolumeSnapshots snapshots, string path, string name)
    {
        if (!Route.Nodes(context, "without", isRequired: false).TryGet(
            out NodeId[]? without, out ControlError refusal))
        {
            return ControlReplies.Refuse(refusal);
        }

        Result<RestoreOutcome, VolumeError> restored =
            await snapshots.Restore(new PastState(name) { Without = without }, path, context.RequestAborted);
        return restored.TryGet(out RestoreOutcome? outcome, out VolumeError error)
            ? ControlReplies.Json(outcome, ControlJson.Default.RestoreOutcome)
            : Refuse(name, error);
    }

    private static IResult Refuse(string name, VolumeError error)
    {
        string? sentence = (name, error) switch
        {
            (PastState.Refused, VolumeError.NotFound) => "nothing is refused in it, or the path is not there either",
            (PastState.Refused, VolumeError.NotSupported) =>
                $"nothing keeps the data of what was refused: copy it out of .snapshots/{PastState.Refused}, or let "
                + "all of it stand, 'cairn node read-write NODE --accept-refused'",
            (['@', ..], VolumeError.NotFound) => "not a moment of the past, or the path was not there then",
            (_, VolumeError.NotFound) =>
                "no such snapshot, or the path was not in it; 'cairn snapshot ls' lists them, and a time is written "
                + "2026-11-20 or 2026-11-20T10:00",
            _ => null,
        };
        return sentence is null ? ControlReplies.Refuse(name, error) : ControlReplies.Refuse(new ControlError(
            error == VolumeError.NotFound ? ControlErrorKind.NotFound : ControlErrorKind.InvalidArgument,
            $"{name}: {sentence}"));
    }
}
