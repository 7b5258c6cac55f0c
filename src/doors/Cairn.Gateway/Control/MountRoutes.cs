using Cairn.Node.Control;
using Microsoft.AspNetCore.Builder;

namespace Cairn.Gateway.Control;

/// <summary>The drives: listing, mounting, unmounting.</summary>
internal static class MountRoutes
{
    public static void Map(WebApplication app, IMountControl mounts)
    {
        Route.Get(app, "/v1/mounts", _ => Task.FromResult(
            ControlReplies.Json(mounts.Mounts, ControlJson.Default.IReadOnlyListMountSummary)));
        Route.Post(app, "/v1/mounts", async context =>
        {
            if (!Route.Required(context, "volume").TryGet(out string? volume, out ControlError error)
                || !Route.Required(context, "directory").TryGet(out string? directory, out error))
            {
                return ControlReplies.Refuse(error);
            }

            return ControlReplies.Of(
                await mounts.Mount(volume, directory, context.RequestAborted), ControlJson.Default.MountSummary);
        });
        Route.Delete(app, "/v1/mounts", context => Route.With(context, "directory", async directory =>
            ControlReplies.Of(await mounts.Unmount(directory, Route.Flag(context, "force"), context.RequestAborted))));
    }
}
