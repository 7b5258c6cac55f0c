using System.Globalization;
using Cairn.Core.Rules;
using Cairn.Node.Control;
using Microsoft.AspNetCore.Builder;

namespace Cairn.Gateway.Control;

/// <summary>Pins, and giving local space back.</summary>
internal static class OfflineRoutes
{
    public static void Map(WebApplication app, INodeControl node, EngineCalls engine)
    {
        Route.Get(app, "/v1/pins", async context => ControlReplies.Json(
            await engine.Call(() => node.Pins(context.RequestAborted)), ControlJson.Default.IReadOnlyListPinSummary));
        Route.Post(app, "/v1/pins", async context =>
        {
            string? path = context.Request.Query["path"] is [{ Length: > 0 } given] ? given : null;
            string? recent = context.Request.Query["recent"];
            int days = recent is null ? 0
                : int.TryParse(recent, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number
                : PinList.DaysMax + 1;
            return ControlReplies.Of(await engine.Call(() => node.Pin(path, days, context.RequestAborted)));
        });
        Route.Delete(app, "/v1/pins", context => Route.With(context, "path", async path =>
            ControlReplies.Of(await engine.Call(() => node.Unpin(path, context.RequestAborted)))));
        Route.Post(app, "/v1/free", context => Route.With(context, "path", async path => ControlReplies.Of(
            await engine.Call(() => node.Free(path, context.RequestAborted)), ControlJson.Default.FreeReport)));
    }
}
