using System.CommandLine;
using System.Globalization;
using Cairn.Cli.Output;
using Cairn.Core.Text;
using Cairn.Gateway.Control;
using Cairn.Node.Control;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn nodes</c> lists the pool's machines; <c>cairn node VERB</c> changes one's standing.</summary>
public static class NodesCommand
{
    /// <summary>The listing.</summary>
    public static Command CreateList()
    {
        Command command = new ManualCommand(
            "nodes",
            "List the pool's machines.",
            "USER is the person who uses the machine, as an admin said. ROLE says what it may do; of one that only "
            + "reads, also how many changes were refused. STATE is the machine's own word; SEEN is what this machine "
            + "sees of it: connected, alive, suspect or dead. ROOM is what it has for copies: the space it gives "
            + "without its journal, its logs and its indexes. USED is how much of that is taken.",
            "cairn nodes",
            "cairn nodes --json");
        CommandContext.Attach(command, List);
        return command;
    }

    /// <summary>The verbs on one node.</summary>
    public static Command CreateVerbs() => new(
        "node",
        "Change a machine's standing: promote it, let it only read, say who uses it, forget a lost one, revoke a "
        + "stolen one.")
    {
        Verb(
            "promote",
            "Make a machine an admin: it may invite, revoke, promote, and make and remove volumes.",
            "A machine that joined by a plain invite is a member: it stores, reads and writes. Admins only.",
            name => $"{name} is an admin."),
        Verb(
            "read-only",
            "Let a machine only read: from now on no machine obeys its changes, whatever program it runs.",
            "It still stores copies, and reads everything. Writing on it fails with 'Read-only file system'. Changes "
            + "of it that this machine has not seen yet are refused, too: kept, counted in 'cairn nodes', shown "
            + "nowhere. An admin's machine can take it back itself. Admins only.",
            name => $"{name} only reads."),
        ReadWrite(),
        User(),
        Verb(
            "forget",
            "Declare a lost machine gone: its copies are remade at once.",
            "For a machine that will not come back soon, such as one with a dead disk; one that is connected is "
            + "refused. If it comes back, it belongs again and its copies count; until then every machine keeps the "
            + "old history for it. One that is gone for good is revoked. Admins only.",
            name => $"{name} is gone; its copies are being remade."),
        Verb(
            "revoke",
            "Withdraw a machine's membership: it is cut off at once and the keys are renewed.",
            "For a machine that was stolen or is not trusted any more. What it wrote after the last accepted block is "
            + "set aside. Admins only. The machine can only come back as a new one, with an invite and new keys.",
            name => $"{name} is revoked."),
    };

    private static ManualCommand ReadWrite()
    {
        Option<bool> accept = new("--accept-refused")
        {
            Description = "Let everything stand that was refused of it until now.",
        };
        ManualCommand command = new(
            "read-write",
            "Let a machine write again that could only read.",
            "What was refused of it stays without effect, unless you say --accept-refused: then it is as if the "
            + "machine had never been limited, and what it wrote beside others' changes appears as conflicts. Admins "
            + "only.",
            "cairn node read-write lap",
            "cairn node read-write lap --accept-refused")
        { accept };
        return Act(
            command, "read-write", name => $"{name} reads and writes.",
            parsed => parsed.GetValue(accept) ? "&acceptRefused=true" : string.Empty);
    }

    private static ManualCommand User()
    {
        ManualCommand command = new(
            "user",
            "Say which person uses a machine: what is done there is shown as theirs.",
            "It is shown by 'cairn nodes', 'cairn log', 'cairn who' and others, and means all machines of the person "
            + "in 'cairn rewind --by', 'cairn brake' and 'cairn rule set --conflicts'. A rule keeps the machines that "
            + "were the person's when it was set: set it again. It is a name and gives no rights. Admins only.",
            "cairn node user lap anna",
            "cairn node user lap --nobody");
        Argument<string> node = Names.Node();
        Argument<string?> user = new("user")
        {
            Description = "The person's name.",
            HelpName = "USER",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<bool> nobody = new("--nobody") { Description = "Nobody in particular uses it." };
        command.Add(node);
        command.Add(user);
        command.Add(nobody);
        command.Validators.Add(result =>
        {
            if (string.IsNullOrEmpty(result.GetValue(user)) != result.GetValue(nobody))
            {
                result.AddError("say who uses it, or --nobody");
            }
        });
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            (string name, string person) = (parsed.GetValue(node)!, parsed.GetValue(user) ?? string.Empty);
            string path = $"/v1/nodes/user?node={Uri.EscapeDataString(name)}&user={Uri.EscapeDataString(person)}";
            using HttpResponseMessage _ = await context.Client.Send(HttpMethod.Post, path, null, cancellation);
            context.Say(person.Length == 0 ? $"{name} is nobody's in particular." : $"{name} is {person}'s.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static ManualCommand Verb(string verb, string description, string details, Func<string, string> done) =>
        Act(
            new ManualCommand(verb, description, details, $"cairn node {verb} lap"), verb, done, _ => string.Empty);

    private static ManualCommand Act(
        ManualCommand command, string verb, Func<string, string> done, Func<ParseResult, string> more)
    {
        Argument<string> node = Names.Node();
        command.Add(node);
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string name = parsed.GetValue(node)!;
            string path = $"/v1/nodes/{verb}?node={Uri.EscapeDataString(name)}{more(parsed)}";
            using HttpResponseMessage _ = await context.Client.Send(HttpMethod.Post, path, null, cancellation);
            context.Say(done(name));
            return ExitCode.Ok;
        });
        return command;
    }

    private static Task<int> List(CommandContext context, ParseResult parsed, CancellationToken cancellation) =>
        context.PrintListing(
            "/v1/nodes",
            ControlJson.Default.IReadOnlyListNodeSummary,
            ["NAME", "USER", "ID", "ROLE", "STATE", "SEEN", "ROOM", "USED", "ADDRESS", "ZONE"],
            node => [[
                node.IsSelf ? node.Name + " *" : node.Name,
                node.User.Length > 0 ? node.User : "-",
                node.Node.Short,
                Role(node),
                node.State,
                node.IsSelf ? "here" : node.IsConnected ? "connected" : node.Liveness,
                SizeText.Format(node.CapacityBytes),
                SizeText.Format(node.UsedBytes),
                node.Addresses.Count > 0 ? node.Addresses[0] : "-",
                node.Zone.Length > 0 ? node.Zone : "-",
            ]],
            cancellation);

    private static string Role(NodeSummary node) =>
        node.RefusedChanges > 0 ? Text($"{Standing(node)} ({node.RefusedChanges} changes refused)") : Standing(node);

    private static string Standing(NodeSummary node) => node.IsReadOnly ? node.Role + ", read-only" : node.Role;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
