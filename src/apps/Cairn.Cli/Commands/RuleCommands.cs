using System.CommandLine;
using Cairn.Core.Rules;
using Cairn.Gateway.Control;

namespace Cairn.Cli.Commands;

/// <summary>What holds for a folder and everything below it: <c>rule show</c>, <c>rule set</c>, <c>rule unset</c>.</summary>
public static class RuleCommands
{
    private const string Route = "/v1/rules";

    /// <summary>The verbs.</summary>
    public static Command Create() =>
        new("rule", "What holds for a folder and everything below it.") { CreateShow(), CreateSet(), CreateUnset() };

    private static Command CreateShow()
    {
        Argument<string> path = Names.Path();
        Command command = new ManualCommand(
            "show",
            "Show what holds for a file or folder.",
            "What is not set on it itself is inherited from the folders above.",
            "cairn rule show notes/diary") { path };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            RuleSummary rule = await context.Client.Get(
                Route + VolumePath.Query(parsed.GetValue(path)!), ControlJson.Default.RuleSummary, cancellation);
            return await context.Print(rule, ControlJson.Default.RuleSummary, one => context.PrintTable(
                ["RULE", "VALUE", "FROM"],
                [
                    ["keep", one.Keep, one.OwnKeep is null ? "inherited" : "here"],
                    ["conflicts", Conflicts(one), one.OwnConflicts is null ? "inherited" : "here"],
                ]));
        });
        return command;
    }

    private static string Conflicts(RuleSummary rule) =>
        rule.UserNodes.Count == 0 ? rule.Conflicts : $"{rule.Conflicts} ({string.Join(", ", rule.UserNodes)})";

    private static Command CreateSet()
    {
        Argument<string> path = Names.Path();
        Option<string?> keep = new("--keep")
        {
            Description = "How long past versions and removed files stay: none, forever, or some of "
                + "'all 30d, daily 1y, last 10' (d, w, m and y).",
            HelpName = "RETENTION",
        };
        Option<string?> conflicts = new("--conflicts")
        {
            Description = "What becomes of a file that was changed apart: keep-both, newest, "
                + "prefer-node NAME[,NAME], prefer-user NAME, or merge-text.",
            HelpName = "WAY",
        };
        Command command = new ManualCommand(
            "set",
            "Set what holds for a folder and everything below it, or for a file.",
            "A folder below may say otherwise; what is not given stays as it was. What a shorter retention lets go "
            + "is collected within minutes. Conflicts end by the rule within seconds after the sides met; what is "
            + "given up is in the past of the file, or in the trash. prefer-user is for the machines that are the "
            + "person's now ('cairn node user'): set it again when they have another.",
            "cairn rule set notes --keep \"all 30d, daily 1y\"",
            "cairn rule set build/cache --keep none",
            "cairn rule set notes --conflicts merge-text",
            "cairn rule set photos --conflicts \"prefer-node desk,nas\"",
            "cairn rule set diary --conflicts \"prefer-user anna\"") { path, keep, conflicts };
        command.Validators.Add(result =>
        {
            if (result.GetResult(keep) is null && result.GetResult(conflicts) is null)
            {
                result.AddError("say what to set: --keep or --conflicts");
            }
        });
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            // A slip in a name would prefer nobody, and nothing would ever say so.
            foreach (string name in ConflictRule.Parse(parsed.GetValue(conflicts) ?? string.Empty)?.Names ?? [])
            {
                await Machines.One(context, name, cancellation);
            }

            return await context.Change(
                HttpMethod.Put,
                Route + VolumePath.Query(parsed.GetValue(path)!)
                    + Parameter("keep", parsed.GetValue(keep)) + Parameter("conflicts", parsed.GetValue(conflicts)),
                cancellation);
        });
        return command;
    }

    private static string Parameter(string name, string? value) =>
        value is null ? string.Empty : $"&{name}={Uri.EscapeDataString(value)}";

    private static Command CreateUnset()
    {
        Argument<string> path = Names.Path();
        Command command = new ManualCommand(
            "unset",
            "Inherit again what holds for the folder above.",
            string.Empty,
            "cairn rule unset notes/diary") { path };
        CommandContext.Attach(command, (context, parsed, cancellation) => context.Change(
            HttpMethod.Delete, Route + VolumePath.Query(parsed.GetValue(path)!), cancellation));
        return command;
    }
}
