using Cairn.Node.Control;
using Cairn.Node.Volumes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cairn.Gateway.Control;

/// <summary>The changes of a volume, a step a request.</summary>
internal static class ChangeRoutes
{
    public static void Map(WebApplication app, INodeControl node, EngineCalls engine) =>
        Route.Get(app, "/v1/changes", context => VolumeCall.With(
            context, node, engine, (_, volume, path) => Next(context, node, volume, path)));

    private static Task<IResult> Next(HttpContext context, INodeControl node, IVolume volume, string path)
    {
        if (volume.Feed is not { } feed)
        {
            return Task.FromResult(ControlReplies.Refuse(volume, path, VolumeError.NotSupported));
        }

        // Without a position: from now on.
        string? from = context.Request.Query["from"];
        if (from is null)
        {
            return Task.FromResult(Reply(new ChangePage([], feed.Now, IsCaughtUp: true)));
        }

        if (!feed.After(from == "start" ? string.Empty : from).TryGet(out ChangeStep? step, out VolumeError error))
        {
            return Task.FromResult(error == VolumeError.InvalidArgument
                ? ControlReplies.Refuse(new ControlError(
                    ControlErrorKind.InvalidArgument, $"'{from}' is no position: take one that was printed, or start"))
                : ControlReplies.Refuse(volume, path, error));
        }

        // The last of a step may be remembered; of the others the step's beginning, so that none behind them is missed.
        VolumeChange[] shown =
        [
            .. step.Changes.Where(change => IsBelow(change.Path, path)
                || (change.FromPath is { } old && IsBelow(old, path))),
        ];
        ChangeSummary[] changes =
        [
            .. shown.Select((change, at) => ChangeSummary.From(
                change, at == shown.Length - 1 ? step.Position : from, node)),
        ];
        return Task.FromResult(Reply(new ChangePage(changes, step.Position, step.IsCaughtUp)));
    }

    private static IResult Reply(ChangePage page) => ControlReplies.Json(page, ControlJson.Default.ChangePage);

    private static bool IsBelow(string path, string folder)
    {
        string top = folder.Trim('/');
        return top.Length == 0 || path == top || path.StartsWith(top + "/", StringComparison.Ordinal);
    }
}
