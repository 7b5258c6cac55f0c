using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Volumes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cairn.Gateway.Control;

/// <summary>What the brake of a volume holds, and the decisions.</summary>
internal static class BrakeRoutes
{
    public static void Map(WebApplication app, INodeControl node, EngineCalls engine)
    {
        Task<IResult> With(HttpContext context, Func<IVolume, IVolumeBrake, string, Task<IResult>> act) =>
            VolumeCall.With(context, node, engine, static volume => volume.Brake, act);

        Task<IResult> Of(HttpContext context, Func<IVolume, IVolumeBrake, NodeId, Task<IResult>> act) =>
            Route.With(context, "node", text => NodeId.TryParse(text, out NodeId member)
                ? With(context, (volume, brake, _) => act(volume, brake, member))
                : Task.FromResult(ControlReplies.Refuse(new ControlError(
                    ControlErrorKind.InvalidArgument, $"'{text}' is no node's id"))));

        Route.Get(app, "/v1/brake", context => With(context, static (_, brake, _) => Task.FromResult(
            ControlReplies.Json(brake.List(), ControlJson.Default.IReadOnlyListBrakedMember))));
        Route.Post(app, "/v1/brake/release", context => Of(context, static (volume, brake, member) => Task.FromResult(
            brake.Release(member).TryGet(out _, out VolumeError error)
                ? Results.NoContent()
                : Refuse(volume, member, error))));
        Route.Post(app, "/v1/brake/undo", context => Of(context, async (volume, brake, member) =>
            (await brake.Undo(member, context.RequestAborted)).TryGet(out RestoreOutcome? done, out VolumeError error)
                ? ControlReplies.Json(done, ControlJson.Default.RestoreOutcome)
                : Refuse(volume, member, error)));
    }

    private static IResult Refuse(IVolume volume, NodeId member, VolumeError error) => error == VolumeError.NotFound
        ? ControlReplies.Refuse(new ControlError(
            ControlErrorKind.NotFound,
            $"Nothing that {member.Short} did in '{volume.Name}' is held; 'cairn brake ls' lists what is."))
        : ControlReplies.Refuse(volume.Name, error);
}
