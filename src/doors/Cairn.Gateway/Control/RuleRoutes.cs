using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Node.Control;
using Cairn.Node.Volumes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cairn.Gateway.Control;

/// <summary>Rules of folders and files by path.</summary>
internal static class RuleRoutes
{
    /// <summary>What a request is about: <c>VOLUME/path</c>, found.</summary>
    private sealed record Place(IVolume Volume, string Path, IVolumeRules Rules, InodeNumber Inode)
    {
        public IResult Refuse(VolumeError error) => ControlReplies.Refuse(Volume, Path, error);
    }

    public static void Map(WebApplication app, INodeControl node, EngineCalls engine)
    {
        Task<IResult> With(HttpContext context, Func<Place, IResult> act) => VolumeCall.With(
            context, node, engine, async (_, volume, path) =>
                (await volume.Resolve(path)).TryGet(out ObjectAttributes found, out VolumeError error)
                    ? volume.Rules is { } rules
                        ? act(new Place(volume, path, rules, found.Inode))
                        : ControlReplies.Refuse(volume, path, VolumeError.NotSupported)
                    : ControlReplies.Refuse(volume, path, error));

        Route.Get(app, "/v1/rules", async context =>
        {
            IReadOnlyList<NodeSummary> nodes = await engine.Call(() => node.Nodes(context.RequestAborted));
            return await With(context, place => Show(nodes, place));
        });
        Route.Put(app, "/v1/rules", async context =>
        {
            IReadOnlyList<NodeSummary> nodes = await engine.Call(() => node.Nodes(context.RequestAborted));
            return await With(context, place => Set(context, nodes, place));
        });
        Route.Delete(app, "/v1/rules", context => With(context, Unset));
    }

    private static IResult Show(IReadOnlyList<NodeSummary> nodes, Place place) =>
        place.Rules.Get(place.Inode).TryGet(out ObjectRule rule, out VolumeError error)
            ? ControlReplies.Json(RuleSummary.From(rule, nodes), ControlJson.Default.RuleSummary)
            : place.Refuse(error);

    private static IResult Set(HttpContext context, IReadOnlyList<NodeSummary> nodes, Place place)
    {
        string? keepText = context.Request.Query["keep"];
        string? conflictsText = context.Request.Query["conflicts"];
        Retention? keep = keepText is null ? null : Retention.Parse(keepText);
        ConflictRule? conflicts = conflictsText is null ? null : ConflictRule.Parse(conflictsText);
        if (keepText is not null && keep is null)
        {
            return Bad($"'{keepText}' is no retention: write none, forever, or some of 'all 30d, daily 1y, last 10'");
        }

        if (conflicts is { Mode: ConflictMode.PreferUser } person)
        {
            NodeId[] machines = [.. nodes.Where(node => node.User == person.User).Select(node => node.Node)];
            if (machines.Length is 0 or > ConflictRule.NodesMax)
            {
                return ControlReplies.Refuse(machines.Length == 0
                    ? new ControlError(
                        ControlErrorKind.NotFound,
                        $"no machine is {person.User}'s: say it with `cairn node user NODE \"{person.User}\"`")
                    : new ControlError(
                        ControlErrorKind.Unsuitable,
                        $"{person.User} has {machines.Length} machines, a rule can name {ConflictRule.NodesMax}"));
            }

            conflicts = person.With(machines);
        }

        return conflictsText is not null && conflicts is null
            ? Bad($"'{conflictsText}' is no way to end conflicts: write keep-both, newest, prefer-node NAME[,NAME], "
                + "prefer-user NAME or merge-text")
            : Change(place, own => own with
            {
                Keep = keep ?? own.Keep,
                Conflicts = conflicts ?? own.Conflicts,
            });
    }

    private static IResult Bad(string sentence) =>
        ControlReplies.Refuse(new ControlError(ControlErrorKind.InvalidArgument, sentence));

    private static IResult Unset(Place place) =>
        Change(place, static own => own with { Keep = null, Conflicts = null });

    private static IResult Change(Place place, Func<Rule, Rule> change) =>
        place.Rules.Get(place.Inode).TryGet(out ObjectRule rule, out VolumeError error)
        && place.Rules.Set(place.Inode, change(rule.Own)).TryGet(out _, out error)
            ? Results.NoContent()
            : place.Refuse(error);
}
