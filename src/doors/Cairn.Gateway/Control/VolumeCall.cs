using System.Text.Json.Serialization.Metadata;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Volumes;
using Microsoft.AspNetCore.Http;

namespace Cairn.Gateway.Control;

/// <summary>A request about <c>volume</c> and <c>path</c>.</summary>
internal static class VolumeCall
{
    /// <summary>Finds the volume and acts on it, or says why not.</summary>
    public static async Task<IResult> With(
        HttpContext context,
        INodeControl node,
        EngineCalls engine,
        Func<HttpContext, IVolume, string, Task<IResult>> act)
    {
        if (!Route.Required(context, "volume").TryGet(out string? name, out ControlError error))
        {
            return ControlReplies.Refuse(error);
        }

        Result<IVolume, ControlError> found = await engine.Call(() => node.Volume(name, context.RequestAborted));
        return found.TryGet(out IVolume? volume, out error)
            ? await act(context, volume, context.Request.Query["path"].ToString())
            : ControlReplies.Refuse(error);
    }

    /// <summary>Refuses what is for a whole volume where a path below it was named; null where none was.</summary>
    /// <param name="what">What was asked for: it begins the sentence.</param>
    /// <param name="path">The path.</param>
    public static IResult? RefuseFolder(string what, string path) => path.Trim('/').Length == 0
        ? null
        : ControlReplies.Refuse(new ControlError(
            ControlErrorKind.InvalidArgument, $"{what} is for a whole volume: leave out '/{path}'"));

    /// <summary>Whether a path from the volume's root is a folder's own or below it; "" is the root.</summary>
    public static bool IsBelow(string path, string folder)
    {
        string top = folder.Trim('/');
        return top.Length == 0 || path == top || path.StartsWith(top + "/", StringComparison.Ordinal);
    }

    /// <summary>
    /// Answers what was found at a path or below it. Of a name that is nowhere, nothing is no answer: it is a slip.
    /// </summary>
    public static async Task<IResult> Found<T>(
        IVolume volume, string path, IReadOnlyList<T> found, JsonTypeInfo<IReadOnlyList<T>> type) =>
        found.Count == 0 && !(await volume.Resolve(path)).TryGet(out _, out VolumeError error)
            ? ControlReplies.Refuse(volume, path, error)
            : ControlReplies.Json(found, type);

    /// <summary>Finds a side of the volume that not every one has, and acts on it, or says why not.</summary>
    public static Task<IResult> With<TSide>(
        HttpContext context,
        INodeControl node,
        EngineCalls engine,
        Func<IVolume, TSide?> side,
        Func<IVolume, TSide, string, Task<IResult>> act)
        where TSide : class => With(
            context, node, engine, (_, volume, path) => side(volume) is { } found
                ? act(volume, found, path)
                : Task.FromResult(ControlReplies.Refuse(volume, path, VolumeError.NotSupported)));
}
