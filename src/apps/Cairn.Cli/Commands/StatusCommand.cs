using System.CommandLine;
using System.Globalization;
using Cairn.Cli.Output;
using Cairn.Core.Text;
using Cairn.Gateway.Control;
using Cairn.Node.Control;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn status</c>: this node, the pool, what is owed, problems, and a plain verdict.</summary>
public static class StatusCommand
{
    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        Command command = new ManualCommand(
            "status",
            "Show this node, the pool, space, what is owed, problems, and a plain verdict.",
            "The last line is the verdict. 'replicated' are copies this machine owes the pool, 'staged' is what was "
            + "written here and is not on enough machines yet, 'cached' is given up when space is needed. A line "
            + "'Alone' says what would be lost if this machine were lost now; 'cairn evacuate' pushes it out.",
            "cairn status",
            "cairn status --json");
        CommandContext.Attach(command, Run);
        return command;
    }

    private static async Task<int> Run(CommandContext context, ParseResult parsed, CancellationToken cancellation)
    {
        NodeStatus status = await context.Client.Get("/v1/status", ControlJson.Default.NodeStatus, cancellation);
        if (context.Json)
        {
            await context.PrintJson(status, ControlJson.Default.NodeStatus);
            return ExitCode.Ok;
        }

        foreach (string line in Lines(status))
        {
            await context.Output.WriteLineAsync(line);
        }

        return ExitCode.Ok;
    }

    private static IEnumerable<string> Lines(NodeStatus status)
    {
        string admin = (status.IsAdmin ? ", admin" : string.Empty) + (status.IsReadOnly ? ", read-only" : string.Empty);
        yield return $"Node    {status.Name} ({status.Node.Short}), {status.State}{admin}, "
            + $"up {DurationText.Format(status.Uptime)}, listening on {status.ListenAddress}";
        PoolStatus pool = status.PoolState;
        yield return Text($"Pool    {pool.NodesOnline} of {CountText.Of(pool.NodesTotal, "node")} online, ")
            + $"{SizeText.Format(pool.UsedBytes)} used of {SizeText.Format(pool.UsableBytes)} usable "
            + Text($"with {pool.CopiesPossible} {(pool.CopiesPossible == 1 ? "copy" : "copies")}");
        SpaceStatus space = status.Space;
        yield return $"Space   {SizeText.Format(space.AllocatedBytes)} given: "
            + $"{SizeText.Format(space.ReplicatedBytes)} replicated, {SizeText.Format(space.StagedBytes)} staged, "
            + $"{SizeText.Format(space.CachedBytes)} cached, {SizeText.Format(space.FreeBytes)} free";
        OwedStatus owed = status.Owed;
        yield return owed is { PublishFiles: 0, SendChunks: 0, FetchChunks: 0, SendBlocks: 0, ReceiveBlocks: 0 }
            ? "Owed    nothing"
            : $"Owed    {CountText.Of(owed.PublishFiles, "file")} to publish, "
                + $"{CountText.Of(owed.SendChunks, "chunk")} ({SizeText.Format(owed.SendBytes)}) and "
                + $"{CountText.Of(owed.SendBlocks, "log block")} to send, "
                + $"{CountText.Of(owed.FetchChunks, "chunk")} to fetch, "
                + $"{CountText.Of(owed.ReceiveBlocks, "log block")} to receive";
        if (status.OnlyHere is { Sentence.Length: > 0 } only)
        {
            string paths = Printable.Of(string.Join(", ", only.Paths.Take(3)));
            string some = paths.Length == 0 ? string.Empty : $" ({paths})";
            yield return $"Alone   {SizeText.Format(only.Bytes)}: {only.Sentence}{some}";
        }

        foreach (NodeProblem problem in status.Problems)
        {
            yield return $"Problem {Printable.Of(problem.Message)} {problem.Advice}";
        }

        yield return status.Verdict;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
