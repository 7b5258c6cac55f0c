using System.CommandLine;
using Cairn.Cli.Demo;
using Cairn.Cli.Output;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn demo</c>: a pool of four real nodes on this machine, to try things on or to check unattended.</summary>
public static class DemoCommand
{
    private const string Space = "4GiB";
    private const int NodeCount = 4;

    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        Option<bool> check = new("--check")
        {
            Description = "Run unattended: copy a tree in, read it back elsewhere, kill a node, verify every byte, "
                + "restart it. One line per step; exit code 1 on any difference.",
        };
        Option<string?> tree = new("--tree")
        {
            Description = "The folder that --check copies. Default: the .NET SDK's own folder (thousands of files).",
            HelpName = "DIR",
        };
        Option<string?> folder = new("--folder")
        {
            Description = "Where to put the demo. Default: a new temporary folder.",
            HelpName = "DIR",
        };
        Option<bool> keep = new("--keep") { Description = "Leave the folder (homes, logs) when the demo ends." };
        Command command = new ManualCommand(
            "demo",
            "Start four nodes on this machine, with one shared drive mounted four times.",
            "Four real daemons with homes and ports of their own, on loopback; 4 GiB each at most. Ctrl-C stops them "
            + "and removes everything. Nothing of it touches this machine's own node.",
            "cairn demo",
            "cairn demo --check",
            "cairn demo --check --tree /usr/include") { check, tree, folder, keep };
        CommandContext.Attach(
            command,
            (context, parsed, cancellation) => parsed.GetValue(check)
                ? Check(context, parsed.GetValue(tree), parsed.GetValue(folder), parsed.GetValue(keep), cancellation)
                : Show(context, parsed.GetValue(folder), parsed.GetValue(keep), cancellation));
        return command;
    }

    private static async Task<int> Check(
        CommandContext context, string? tree, string? folder, bool keep, CancellationToken cancellation)
    {
        string source = tree ?? DefaultTree();
        await using DemoPool pool = DemoPool.Lay(folder, NodeCount, keep);
        try
        {
            await new DemoCheck(pool, source, context.Output).Run(Space, cancellation);
            return ExitCode.Ok;
        }
        catch (DemoException error)
        {
            await Console.Error.WriteLineAsync("cairn demo: " + error.Message);
            foreach (DemoNode node in pool.Nodes)
            {
                await Console.Error.WriteLineAsync(node.LogTail());
            }

            return ExitCode.Failed;
        }
    }

    private static async Task<int> Show(
        CommandContext context, string? folder, bool keep, CancellationToken cancellation)
    {
        await using DemoPool pool = DemoPool.Lay(folder, NodeCount, keep);
        try
        {
            context.Say("Starting four nodes…");
            await pool.Start(Space, cancellation);
            await pool.Mount(cancellation);
            Explain(context, pool);
            await Task.Delay(Timeout.Infinite, cancellation);
        }
        catch (DemoException error)
        {
            await Console.Error.WriteLineAsync("cairn demo: " + error.Message);
            return ExitCode.Failed;
        }
        catch (OperationCanceledException)
        {
            context.Say("Stopping…");
        }

        return ExitCode.Ok;
    }

    private static void Explain(CommandContext context, DemoPool pool)
    {
        context.Say($"Four nodes run, and the volume '{DemoPool.Volume}' is mounted once per node:");
        foreach (DemoNode node in pool.Nodes)
        {
            context.Say($"  {node.Name}  {node.Mount}  (process {node.ProcessId}, home {node.Home})");
        }

        context.Say(string.Empty);
        context.Say("Try, in another terminal:");
        context.Say($"  cp -a ~/some-folder {pool.Nodes[0].Mount}/");
        context.Say($"  ls -l {pool.Nodes[2].Mount}/some-folder");
        context.Say($"  ./cairn --home {pool.Nodes[0].Home} status");
        context.Say($"  ./cairn --home {pool.Nodes[0].Home} safe {DemoPool.Volume}/some-folder");
        context.Say($"  kill -9 {pool.Nodes[3].ProcessId}     # node4 is gone; the files are not");
        context.Say(string.Empty);
        context.Say("Ctrl-C stops the nodes and removes everything.");
    }

    private static string DefaultTree()
    {
        string sdks = Path.Combine(Path.GetDirectoryName(Environment.ProcessPath) ?? "/usr/share/dotnet", "sdk");
        return Directory.Exists(sdks) ? sdks : Path.GetDirectoryName(typeof(object).Assembly.Location)!;
    }
}
