using System.Globalization;
using System.Text.Json;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cairn.Gateway.Control;

/// <summary>The node's own commands: status, members, volumes, safety, space, limits, logs.</summary>
internal static class NodeRoutes
{
    private const int LogLinesDefault = 1000;

    public static void Map(WebApplication app, INodeControl node, IMountControl mounts, EngineCalls engine)
    {
        MapMembers(app, node, engine);
        MapVolumes(app, node, engine);
        MapSafety(app, node, engine);
        Route.Get(app, "/v1/status", async context =>
        {
            NodeStatus status = await engine.Call(() => node.Status(context.RequestAborted));
            return ControlReplies.Json(
                status with { Problems = [.. mounts.Problems, .. status.Problems] }, ControlJson.Default.NodeStatus);
        });
        Route.Get(app, "/v1/logs", async context =>
        {
            long after = Number(context, "after", 0);
            int countMax = (int)Number(context, "max", LogLinesDefault);
            return ControlReplies.Json(
                await engine.Call(() => node.Logs(after, countMax, context.RequestAborted)),
                ControlJson.Default.IReadOnlyListLogLine);
        });
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
            await engine.Call(() => node.Nodes(context.RequestAborted)),
            ControlJson.Default.IReadOnlyListNodeSummary));
        Route.Post(app, "/v1/invites", async context => ControlReplies.Of(
            await engine.Call(() => node.Invite(TermsOf(context), context.RequestAborted)),
            ControlJson.Default.InviteTicket));
        Route.Post(app, "/v1/leave", context => Stream(
            context, engine, () => node.Leave(Route.Flag(context, "force"), context.RequestAborted)));
        Route.Post(app, "/v1/nodes/forget", context => Route.With(context, "node", async name =>
            ControlReplies.Of(await engine.Call(() => node.ForgetNode(name, context.RequestAborted)))));
        Route.Post(app, "/v1/nodes/promote", context => Route.With(context, "node", async name =>
            ControlReplies.Of(await engine.Call(() => node.PromoteNode(name, context.RequestAborted)))));
        Route.Post(app, "/v1/nodes/revoke", context => Route.With(context, "node", async name =>
            ControlReplies.Of(await engine.Call(() => node.RevokeNode(name, context.RequestAborted)))));
        Route.Post(app, "/v1/nodes/user", context => Route.With(context, "node", async name =>
            ControlReplies.Of(await engine.Call(() => node.AssignUser(
                name, context.Request.Query["user"].ToString(), context.RequestAborted)))));
        Route.Post(app, "/v1/nodes/read-only", context => Route.With(context, "node", async name =>
            ControlReplies.Of(await engine.Call(() => node.ForbidWriting(name, context.RequestAborted)))));
        Route.Post(app, "/v1/nodes/read-write", context => Route.With(context, "node", async name =>
            ControlReplies.Of(await engine.Call(() => node.AllowWriting(
                name, Route.Flag(context, "acceptRefused"), context.RequestAborted)))));
    }

    private static void MapVolumes(WebApplication app, INodeControl node, EngineCalls engine)
    {
        Route.Get(app, "/v1/volumes", async context => ControlReplies.Json(
            await engine.Call(() => node.Volumes(context.RequestAborted)),
            ControlJson.Default.IReadOnlyListVolumeSummary));
        Route.Post(app, "/v1/volumes", context => Route.With(context, "name", async name => ControlReplies.Of(
            await engine.Call(() => node.CreateVolume(name, context.RequestAborted)),
            ControlJson.Default.VolumeSummary)));
        Route.Get(app, "/v1/volumes/writers", context => Route.With(context, "volume", async name => ControlReplies.Of(
            await engine.Call(() => node.FolderWriters(name, context.RequestAborted)),
            ControlJson.Default.IReadOnlyListFolderWriters)));
        Route.Post(app, "/v1/volumes/writers", context => Route.With(context, "volume", async name =>
        {
            string[] nodes = [.. context.Request.Query["node"].OfType<string>()];
            FolderAccess access = Route.Flag(context, "inherit") ? FolderAccess.Inherit
                : nodes.Length > 0 ? FolderAccess.Only : FolderAccess.Everyone;
            string path = context.Request.Query["path"] is [{ Length: > 0 } folder] ? $"{name}/{folder}" : name;
            return ControlReplies.Of(await engine.Call(() => node.SetWriters(
                path, access, nodes, Route.Flag(context, "acceptRefused"), context.RequestAborted)));
        }));
        Route.Delete(app, "/v1/volumes", context => Route.With(context, "name", async name =>
            ControlReplies.Of(await engine.Call(() => node.RemoveVolume(name, context.RequestAborted)))));
    }

    private static void MapSafety(WebApplication app, INodeControl node, EngineCalls engine)
    {
        Route.Get(app, "/v1/safe", context => Route.With(context, "path", async path => ControlReplies.Of(
            await engine.Call(() => node.Safe(path, context.RequestAborted)), ControlJson.Default.SafetyReport)));
        Route.Get(app, "/v1/wait-safe", context =>
        {
            string? path = context.Request.Query["path"] is [{ Length: > 0 } given] ? given : null;
            return Stream(context, engine, () => node.WaitSafe(path, context.RequestAborted));
        });
        Route.Post(app, "/v1/evacuate", context => Stream(
            context, engine, () => node.Evacuate(context.RequestAborted)));
    }

    /// <summary>Sends a JSON line for each step as it comes.</summary>
    private static async Task<IResult> Stream(
        HttpContext context, EngineCalls engine, Func<IAsyncEnumerable<Result<SafetyProgress, ControlError>>> source)
    {
        CancellationToken aborted = context.RequestAborted;
        context.Response.ContentType = "application/x-ndjson";
        await foreach (Result<SafetyProgress, ControlError> step in engine.Stream(source, aborted))
        {
            ProgressLine line = step.TryGet(out SafetyProgress progress, out ControlError error)
                ? new ProgressLine(progress, null, null)
                : new ProgressLine(null, error.Message, error.Kind);
            Stream body = context.Response.Body;
            await JsonSerializer.SerializeAsync(body, line, ControlJson.Default.ProgressLine, aborted);
            await body.WriteAsync("\n"u8.ToArray(), aborted);
            await body.FlushAsync(aborted);
        }

        return Results.Empty;
    }

    /// <summary>The least is the default: whoever wants an admin says so.</summary>
    private static InviteTerms TermsOf(HttpContext context) => new(
        context.Request.Query["role"] == "admin" ? MemberRole.Admin : MemberRole.Member,
        Route.Flag(context, "readOnly"));

    private static long Number(HttpContext context, string name, long otherwise)
    {
        string? text = context.Request.Query[name];
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? value : otherwise;
    }

    private static long? Limit(HttpContext context, string name) =>
        Number(context, name, 0) is > 0 and long limit ? limit : null;
}
