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

        Task<IResult> Of(HttpContext context, Func<IVolume, IVolumeBrake, NodeId[], Task<IResult>> act) =>
            Route.Nodes(context, "node", isRequired: true).TryGet(out NodeId[]? members, out ControlError error)
                ? With(context, (volume, brake, _) => act(volume, brake, members))
                : Task.FromResult(ControlReplies.Refuse(error));

        Route.Get(app, "/v1/brake", context => With(context, (_, brake, _) => Task.FromResult(
            ControlReplies.Json(
                [.. brake.List().Select(held => held with { User = node.UserOf(held.Node) })],
                ControlJson.Default.IReadOnlyListBrakedMember))));
        Route.Post(app, "/v1/brake/release", context => Of(context, static (volume, brake, members) => Task.FromResult(
            brake.Release(members).TryGet(out _, out VolumeError error)
                ? Results.NoContent()
                : Refuse(volume, members, error))));
        Route.Post(app, "/v1/brake/undo", context => Of(context, async (volume, brake, members) =>
            (await brake.Undo(members, context.RequestAborted)).TryGet(out RestoreOutcome? done, out VolumeError error)
                ? ControlReplies.Json(done, ControlJson.Default.RestoreOutcome)
                : Refuse(volume, members, error)));
    }

    private static IResult Refuse(IVolume volume, NodeId[] members, VolumeError error) => error == VolumeError.NotFound
        ? ControlReplies.Refuse(new ControlError(
            ControlErrorKind.NotFound,
            $"Nothing that {string.Join(", ", members.Select(member => member.Short))} did in '{volume.Name}' is held; "
            + "'cairn brake ls' lists what is."))
        : ControlReplies.Refuse(volume.Name, error);
}
