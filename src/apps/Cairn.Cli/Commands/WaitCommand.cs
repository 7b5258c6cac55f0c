using System.CommandLine;
using Cairn.Cli.Output;
using Cairn.Gateway.Control;
using Cairn.Node.Control;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn wait</c>: until something holds, with a progress bar.</summary>
public static class WaitCommand
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        Option<bool> safe = new("--safe")
        {
            Description = "Until everything this node knows of (or PATH) has its copies.",
        };
        Option<int?> online = GlobalOptions.Number("--online", 1, "is not a number of nodes, 1 or more");
        online.Description = "Until so many nodes are online and connected.";
        online.HelpName = "N";
        Option<TimeSpan?> timeout =
            GlobalOptions.Seconds("--timeout", "Give up after so many seconds; exit code 3.");
        Argument<string?> path = Names.OptionalPath();
        Command command = new ManualCommand(
            "wait",
            "Wait until data is safe, or until nodes are online.",
            "Shows a progress bar on a terminal. Exit code 3 when the time is over before it holds.",
            "cairn wait --safe",
            "cairn wait --safe photos/2026 --timeout 600",
            "cairn wait --online 4 --timeout 60") { safe, online, timeout, path };
        command.Validators.Add(result =>
        {
            if (result.GetResult(safe) is null && result.GetResult(online) is null)
            {
                result.AddError("say what to wait for: --safe [PATH], or --online N");
            }
        });
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            TimeSpan? limit = parsed.GetValue(timeout);
            if (parsed.GetValue(online) is { } count)
            {
                return await Online(context, count, limit, cancellation);
            }

            string query = parsed.GetValue(path) is { Length: > 0 } given
                ? "?path=" + Uri.EscapeDataString(given)
                : string.Empty;
            IAsyncEnumerable<ProgressLine> steps = context.Client.Stream(
                "/v1/wait-safe" + query, ControlJson.Default.ProgressLine, cancellation);
            return await ProgressStream.Follow(context, steps, limit, cancellation);
        });
        return command;
    }

    private static async Task<int> Online(
        CommandContext context, int count, TimeSpan? timeout, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(timeout ?? Timeout.InfiniteTimeSpan);
        try
        {
            while (true)
            {
                IReadOnlyList<NodeSummary> nodes = await context.Client.Get(
                    "/v1/nodes", ControlJson.Default.IReadOnlyListNodeSummary, patience.Token);
                int connected = nodes.Count(node => node.IsSelf || node.IsConnected);
                if (connected >= count)
                {
                    context.Say($"{connected} nodes are online.");
                    return ExitCode.Ok;
                }

                await Task.Delay(LookEvery, patience.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync($"cairn: fewer than {count} nodes are online");
            return ExitCode.NotSafe;
        }
    }
}
