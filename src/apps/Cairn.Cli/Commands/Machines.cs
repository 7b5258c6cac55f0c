using Cairn.Cli.Output;
using Cairn.Gateway.Control;
using Cairn.Node.Control;

namespace Cairn.Cli.Commands;

/// <summary>Ids of machines by what people call them, or call who uses them.</summary>
internal static class Machines
{
    /// <summary>The machine with a name or the start of an id, or all machines of a person.</summary>
    /// <exception cref="CommandException">Nobody is called so, or more than one.</exception>
    public static async Task<IReadOnlyList<string>> Of(
        CommandContext context, string name, CancellationToken cancellation)
    {
        IReadOnlyList<NodeSummary> nodes = await All(context, cancellation);
        List<NodeSummary> machines = [.. nodes.Where(node => IsCalled(node, name))];
        List<NodeSummary> persons = [.. nodes.Where(node => node.User == name)];
        return (machines.Count, persons.Count) switch
        {
            (1, 0) => [machines[0].Node.ToString()],
            (0, > 0) => [.. persons.Select(node => node.Node.ToString())],
            _ => throw Unclear(name, "no machine and no person is called so, or more than one"),
        };
    }

    /// <summary>The machine with a name or the start of an id.</summary>
    /// <exception cref="CommandException">None is called so, or more than one.</exception>
    public static async Task<string> One(CommandContext context, string name, CancellationToken cancellation)
    {
        IReadOnlyList<NodeSummary> nodes = await All(context, cancellation);
        return nodes.Where(node => IsCalled(node, name)).ToList() is [var only]
            ? only.Node.ToString()
            : throw Unclear(name, "no such machine, or more than one");
    }

    private static Task<IReadOnlyList<NodeSummary>> All(CommandContext context, CancellationToken cancellation) =>
        context.Client.Get("/v1/nodes", ControlJson.Default.IReadOnlyListNodeSummary, cancellation);

    private static bool IsCalled(NodeSummary node, string name) => node.Name == name
        || node.Node.ToString().StartsWith(name, StringComparison.OrdinalIgnoreCase);

    private static CommandException Unclear(string name, string why) =>
        new($"{name}: {why}; 'cairn nodes' lists them") { Exit = ExitCode.NotFound };
}
