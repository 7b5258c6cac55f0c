using System.CommandLine;
using Cairn.Cli.Output;
using Cairn.Gateway.Control;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn nodes</c> lists the pool's machines; <c>cairn node promote|forget|revoke</c> changes one's standing.</summary>
public static class NodesCommand
{
    /// <summary>The listing.</summary>
    public static Command CreateList()
    {
        Command command = new ManualCommand(
            "nodes",
            "List the pool's machines.",
            "STATE is the machine's own word; SEEN is what this machine sees of it: connected, alive, suspect or dead.",
            "cairn nodes",
            "cairn nodes --json");
        CommandContext.Attach(command, List);
        return command;
    }

    /// <summary>The verbs on one node.</summary>
    public static Command CreateVerbs() => new(
        "node", "Change a machine's standing: promote it, forget a lost one, revoke an untrusted one.")
    {
        Verb(
            "promote",
            "Make a machine an admin: it may invite, revoke, promote, and make and remove volumes.",
            "A machine that joined by a plain invite is a member: it stores, reads and writes. Admins only.",
            name => $"{name} is an admin."),
        Verb(
            "forget",
            "Declare a lost machine gone: its copies are remade at once.",
            "For a machine that will not come back soon, such as one with a dead disk; one that is connected is "
            + "refused. If it comes back, it belongs again and its copies count. Admins only.",
            name => $"{name} is gone; its copies are being remade."),
        Verb(
            "revoke",
            "Withdraw a machine's membership: it is cut off at once and the keys are renewed.",
            "For a machine that was stolen or is not trusted any more. What it wrote after the last accepted block is "
            + "set aside. Admins only. The machine can only come back as a new one, with an invite and new keys.",
            name => $"{name} is revoked."),
    };

    private static ManualCommand Verb(string verb, string description, string details, Func<string, string> done)
    {
        Argument<string> node = Names.Node();
        ManualCommand command = new(verb, description, details, $"cairn node {verb} lap") { node };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string name = parsed.GetValue(node)!;
            using HttpResponseMessage _ = await context.Client.Send(
                HttpMethod.Post, $"/v1/nodes/{verb}?node={Uri.EscapeDataString(name)}", null, cancellation);
            context.Say(done(name));
            return ExitCode.Ok;
        });
        return command;
    }

    private static Task<int> List(CommandContext context, ParseResult parsed, CancellationToken cancellation) =>
        context.PrintListing(
            "/v1/nodes",
            ControlJson.Default.IReadOnlyListNodeSummary,
            ["NAME", "ID", "ROLE", "STATE", "SEEN", "GIVES", "USED", "ADDRESS", "ZONE"],
            node => [[
                node.IsSelf ? node.Name + " *" : node.Name,
                node.Node.Short,
                node.Role,
                node.State,
                node.IsSelf ? "here" : node.IsConnected ? "connected" : node.Liveness,
                SizeText.Format(node.CapacityBytes),
                SizeText.Format(node.UsedBytes),
                node.Addresses.Count > 0 ? node.Addresses[0] : "-",
                node.Zone.Length > 0 ? node.Zone : "-",
            ]],
            cancellation);
}
