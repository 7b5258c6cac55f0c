using System.CommandLine;
using System.Text.Json;
using Cairn.Cli.Output;
using Cairn.Gateway.Control;
using Cairn.Node.Control;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn nodes</c> lists the pool's machines; <c>cairn node forget|revoke</c> lets one go.</summary>
public static class NodesCommand
{
    /// <summary>The listing.</summary>
    public static Command CreateList()
    {
        Command command = new("nodes", "List the pool's machines.");
        CommandContext.Attach(command, List);
        return command;
    }

    /// <summary>The verbs on one node.</summary>
    public static Command CreateVerbs() => new("node", "Let a machine go: forget a lost one, revoke an untrusted one.")
    {
        Verb("forget", "Declare a lost machine gone: its copies are remade at once. It may come back and is then reconciled."),
        Verb("revoke", "Withdraw a machine's membership: it is cut off at once and the keys are renewed. Admins only."),
    };

    private static Command Verb(string verb, string description)
    {
        Argument<string> node = new("node") { Description = "A node's name, its id, or the start of its id.", HelpName = "NODE" };
        Command command = new(verb, description) { node };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string name = parsed.GetValue(node)!;
            using HttpResponseMessage _ = await context.Client.Send(
                HttpMethod.Post, $"/v1/nodes/{verb}?node={Uri.EscapeDataString(name)}", null, cancellation);
            context.Say(verb == "forget" ? $"{name} is gone; its copies are being remade." : $"{name} is revoked.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task<int> List(CommandContext context, ParseResult parsed, CancellationToken cancellation)
    {
        IReadOnlyList<NodeSummary> nodes =
            await context.Client.Get("/v1/nodes", ControlJson.Default.IReadOnlyListNodeSummary, cancellation);
        if (context.Json)
        {
            await context.Output.WriteLineAsync(JsonSerializer.Serialize(nodes, ControlJson.Default.IReadOnlyListNodeSummary));
            return ExitCode.Ok;
        }

        context.PrintTable(
            ["NAME", "ID", "ROLE", "STATE", "SEEN", "GIVES", "USED", "ADDRESS", "ZONE"],
            nodes.Select(node => (IReadOnlyList<string>)
            [
                node.IsSelf ? node.Name + " *" : node.Name,
                node.Node.Short,
                node.Role,
                node.State,
                node.IsSelf ? "here" : node.IsConnected ? "connected" : node.Liveness,
                SizeText.Format(node.CapacityBytes),
                SizeText.Format(node.UsedBytes),
                node.Addresses.Count > 0 ? node.Addresses[0] : "-",
                node.Zone.Length > 0 ? node.Zone : "-",
            ]));
        return ExitCode.Ok;
    }
}
