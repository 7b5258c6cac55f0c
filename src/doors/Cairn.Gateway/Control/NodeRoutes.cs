using System.Globalization;
using System.Text.Json;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cairn.Gateway.Control;

/// <summary>The node's own commands: status, members, volumes, safety, space, limits, logs.</summary>
internal static class NodeRoutes
{
    public static void Map(WebApplication app, INodeControl node, EngineCalls engine)
    {
        MapMembers(app, node, engine);
        MapVolumes(app, node, engine);
        MapSafety(app, node, engine);
        Route.Get(app, "/v1/status", async context => ControlReplies.Json(
            await engine.Call(() => node.Status(context.RequestAborted)), ControlJson.Default.NodeStatus));
        Route.Get(app, "/v1/logs", async context => ControlReplies.Json(
            await engine.Call(() => node.Logs(Number(context, "after", 0), (int)Number(context, "max", 1000), context.RequestAborted)),
            ControlJson.Default.IReadOnlyListLogLine));
        Route.Put(app, "/v1/space", async context => ControlReplies.Of(
            await engine.Call(() => node.SetSpace(Number(context, "bytes", 0), context.RequestAborted)),
            ControlJson.Default.SpaceStatus));
        Route.Put(app, "/v1/limit", async context => ControlReplies.Of(
            await engine.Call(() => node.SetLimit(
                new BandwidthLimit(Limit(context, "send"), Limit(context, "receive")), context.RequestAborted))));
    }

    private static void MapMembers(WebApplication app, INodeControl node, EngineCalls engine)
    {
        Route.Get(app, "/v1/nodes", async context => ControlReplies.Json(
            await engine.Call(() => node.Nodes(context.RequestAborted)), ControlJson.Default.IReadOnlyListNodeSummary));
        Route.Post(app, "/v1/invites", async context => ControlReplies.Of(
            await engine.Call(() => node.Invite(context.RequestAborted)), ControlJson.Default.InviteTicket));
        Route.Post(app, "/v1/leave", context => Stream(
            context, engine.Stream(() => node.Leave(Route.Flag(context, "force"), context.RequestAborted), context.RequestAborted)));
        Route.Post(app, "/v1/nodes/forget", context => WithNode(context, name => engine.Call(() => node.ForgetNode(name, context.RequestAborted))));
        Route.Post(app, "/v1/nodes/revoke", context => WithNode(context, name => engine.Call(() => node.RevokeNode(name, context.RequestAborted))));
    }

    private static void MapVolumes(WebApplication app, INodeControl node, EngineCalls engine)
    {
        Route.Get(app, "/v1/volumes", async context => ControlReplies.Json(
            await engine.Call(() => node.Volumes(context.RequestAborted)), ControlJson.Default.IReadOnlyListVolumeSummary));
        Route.Post(app, "/v1/volumes", async context => Route.Required(context, "name").TryGet(out string? name, out ControlError error)
            ? ControlReplies.Of(await engine.Call(() => node.CreateVolume(name, context.RequestAborted)), ControlJson.Default.VolumeSummary)
            : ControlReplies.Refuse(error));
        Route.Delete(app, "/v1/volumes", async context => Route.Required(context, "name").TryGet(out string? name, out ControlError error)
            ? ControlReplies.Of(await engine.Call(() => node.RemoveVolume(name, context.RequestAborted)))
            : ControlReplies.Refuse(error));
    }

    private static void MapSafety(WebApplication app, INodeControl node, EngineCalls engine)
    {
        Route.Get(app, "/v1/safe", async context => Route.Required(context, "path").TryGet(out string? path, out ControlError error)
            ? ControlReplies.Of(await engine.Call(() => node.Safe(path, context.RequestAborted)), ControlJson.Default.SafetyReport)
            : ControlReplies.Refuse(error));
        Route.Get(app, "/v1/wait-safe", context =>
        {
            string? path = context.Request.Query["path"] is [{ Length: > 0 } given] ? given : null;
            return Stream(context, engine.Stream(() => node.WaitSafe(path, context.RequestAborted), context.RequestAborted));
        });
    }

    private static async Task<IResult> WithNode(HttpContext context, Func<string, Task<Result<Unit, ControlError>>> act) =>
        Route.Required(context, "node").TryGet(out string? name, out ControlError error)
            ? ControlReplies.Of(await act(name))
            : ControlReplies.Refuse(error);

    /// <summary>Sends a JSON line for each step as it comes.</summary>
    private static async Task<IResult> Stream(HttpContext context, IAsyncEnumerable<Result<SafetyProgress, ControlError>> steps)
    {
        context.Response.ContentType = "application/x-ndjson";
        await foreach (Result<SafetyProgress, ControlError> step in steps)
        {
            ProgressLine line = step.TryGet(out SafetyProgress progress, out ControlError error)
                ? new ProgressLine(progress, null, null)
                : new ProgressLine(null, error.Message, error.Kind);
            await JsonSerializer.SerializeAsync(context.Response.Body, line, ControlJson.Default.ProgressLine, context.RequestAborted);
            await context.Response.Body.WriteAsync("\n"u8.ToArray(), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }

        return Results.Empty;
    }

    private static long Number(HttpContext context, string name, long otherwise) =>
        long.TryParse(context.Request.Query[name], NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? value : otherwise;

    private static long? Limit(HttpContext context, string name) =>
        Number(context, name, 0) is > 0 and long limit ? limit : null;
}
