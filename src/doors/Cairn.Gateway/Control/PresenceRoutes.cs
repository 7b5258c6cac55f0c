using Cairn.Node.Control;
using Cairn.Node.Volumes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cairn.Gateway.Control;

/// <summary>Who has which files open for writing.</summary>
internal static class PresenceRoutes
{
    public static void Map(WebApplication app, INodeControl node, EngineCalls engine) =>
        Route.Get(app, "/v1/open", context => VolumeCall.With(
            context, node, engine, static volume => volume.Presence,
            (volume, presence, path) => List(node, volume, presence, path)));

    private static Task<IResult> List(INodeControl node, IVolume volume, IVolumePresence presence, string path) =>
        VolumeCall.Found(
            volume,
            path,
            [
                .. presence.All().Where(file => VolumeCall.IsBelow(file.Path, path))
                    .Select(file => file with { User = node.UserOf(file.Node) }),
            ],
            ControlJson.Default.IReadOnlyListOpenFile);
}
