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
    private delegate IResult Act(IVolumeRules rules, InodeNumber inode, string path);

    public static void Map(WebApplication app, INodeControl node, EngineCalls engine)
    {
        Task<IResult> With(HttpContext context, Act act) => VolumeCall.With(
            context, node, engine, async (_, volume, path) =>
                (await volume.Resolve(path)).TryGet(out ObjectAttributes found, out VolumeError error)
                    ? volume.Rules is { } rules
                        ? act(rules, found.Inode, path)
                        : ControlReplies.Refuse(path, VolumeError.NotSupported)
                    : ControlReplies.Refuse(path, error));

        Route.Get(app, "/v1/rules", async context =>
        {
            IReadOnlyList<NodeSummary> nodes = await engine.Call(() => node.Nodes(context.RequestAborted));
            return await With(context, (rules, inode, path) => Show(nodes, rules, inode, path));
        });
        Route.Put(app, "/v1/rules", async context =>
        {
            IReadOnlyList<NodeSummary> nodes = await engine.Call(() => node.Nodes(context.RequestAborted));
            return await With(context, (rules, inode, path) => Set(context, nodes, rules, inode, path));
        });
        Route.Delete(app, "/v1/rules", context => With(context, Unset));
    }

    private static IResult Show(
        IReadOnlyList<NodeSummary> nodes, IVolumeRules rules, InodeNumber inode, string path) =>
        rules.Get(inode).TryGet(out ObjectRule rule, out VolumeError error)
            ? ControlReplies.Json(RuleSummary.From(rule, nodes), ControlJson.Default.RuleSummary)
            : ControlReplies.Refuse(path, error);

    private static IResult Set(
        HttpContext context, IReadOnlyList<NodeSummary> nodes, IVolumeRules rules, InodeNumber inode, string path)
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
                return Bad(machines.Length == 0
                    ? $"no machine is {person.User}'s: say it with `cairn node user NODE \"{person.User}\"`"
                    : $"{person.User} has {machines.Length} machines, a rule can name {ConflictRule.NodesMax}");
            }

            conflicts = person.With(machines);
        }

        return conflictsText is not null && conflicts is null
            ? Bad($"'{conflictsText}' is no way to end conflicts: write keep-both, newest, prefer-node NAME[,NAME], "
                + "prefer-user NAME or merge-text")
            : Change(rules, inode, path, own => own with
            {
                Keep = keep ?? own.Keep,
                Conflicts = conflicts ?? own.Conflicts,
            });
    }

    private static IResult Bad(string sentence) =>
        ControlReplies.Refuse(new ControlError(ControlErrorKind.InvalidArgument, sentence));

    private static IResult Unset(IVolumeRules rules, InodeNumber inode, string path) =>
        Change(rules, inode, path, static own => own with { Keep = null, Conflicts = null });

    private static IResult Change(IVolumeRules rules, InodeNumber inode, string path, Func<Rule, Rule> change) =>
        rules.Get(inode).TryGet(out ObjectRule rule, out VolumeError error)
        && rules.Set(inode, change(rule.Own)).TryGet(out _, out error)
            ? Results.NoContent()
            : ControlReplies.Refuse(path, error);
}
