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
                ? With(context, (volume, brake, path) =>
                    VolumeCall.RefuseFolder("the brake", path) is { } refused
                        ? Task.FromResult(refused)
                        : act(volume, brake, members))
                : Task.FromResult(ControlReplies.Refuse(error));

        async Task<IResult> Refuse(HttpContext context, IVolume volume, NodeId[] members, VolumeError error)
        {
            if (error != VolumeError.NotFound)
            {
                return ControlReplies.Refuse(volume.Name, error);
            }

            IReadOnlyList<NodeSummary> nodes = await engine.Call(() => node.Nodes(context.RequestAborted));
            string who = string.Join(", ", members.Select(
                member => nodes.FirstOrDefault(one => one.Node == member)?.Name ?? member.Short));
            return ControlReplies.Refuse(new ControlError(
                ControlErrorKind.NotFound,
                $"Nothing that {who} did in '{volume.Name}' is held; 'cairn brake ls {volume.Name}' lists what is."));
        }

        Route.Get(app, "/v1/brake", context => With(context, (_, brake, _) => Task.FromResult(
            ControlReplies.Json(
                [.. brake.List().Select(held => held with { User = node.UserOf(held.Node) })],
                ControlJson.Default.IReadOnlyListBrakedMember))));
        Route.Post(app, "/v1/brake/release", context => Of(context, async (volume, brake, members) =>
            brake.Release(members).TryGet(out _, out VolumeError error)
                ? Results.NoContent()
                : await Refuse(context, volume, members, error)));
        Route.Post(app, "/v1/brake/undo", context => Of(context, async (volume, brake, members) =>
            (await brake.Undo(members, context.RequestAborted)).TryGet(out RestoreOutcome? done, out VolumeError error)
                ? ControlReplies.Json(done, ControlJson.Default.RestoreOutcome)
                : await Refuse(context, volume, members, error)));
    }
}
