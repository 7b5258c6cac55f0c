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

        Route.Get(app, "/v1/rules", context => With(context, Show));
        Route.Put(app, "/v1/rules", context => With(context, (rules, inode, path) => Set(context, rules, inode, path)));
        Route.Delete(app, "/v1/rules", context => With(context, Unset));
    }

    private static IResult Show(IVolumeRules rules, InodeNumber inode, string path) =>
        rules.Get(inode).TryGet(out ObjectRule rule, out VolumeError error)
            ? ControlReplies.Json(RuleSummary.From(rule), ControlJson.Default.RuleSummary)
            : ControlReplies.Refuse(path, error);

    private static IResult Set(HttpContext context, IVolumeRules rules, InodeNumber inode, string path)
    {
        string text = context.Request.Query["keep"].ToString();
        return Retention.Parse(text) is { } keep
            ? Change(rules, inode, path, own => own with { Keep = keep })
            : ControlReplies.Refuse(new ControlError(
                ControlErrorKind.InvalidArgument,
                $"'" + text + "' is no retention: write none, forever, or some of 'all 30d, daily 1y, last 10'"));
    }

    private static IResult Unset(IVolumeRules rules, InodeNumber inode, string path) =>
        Change(rules, inode, path, static own => own with { Keep = null });

    private static IResult Change(IVolumeRules rules, InodeNumber inode, string path, Func<Rule, Rule> change) =>
        rules.Get(inode).TryGet(out ObjectRule rule, out VolumeError error)
        && rules.Set(inode, change(rule.Own)).TryGet(out _, out error)
            ? Results.NoContent()
            : ControlReplies.Refuse(path, error);
}
