using System.Diagnostics;
using System.Globalization;
using Cairn.Cli.Output;

namespace Cairn.Cli.Demo;

/// <summary>The unattended demo: a real tree in through one node, out through the others, with one node killed between.</summary>
public sealed class DemoCheck(DemoPool pool, string source, TextWriter output)
{
    private readonly Stopwatch _total = Stopwatch.StartNew();
    private Dictionary<string, long> _wanted = [];

    /// <summary>Runs every step; prints a line for each.</summary>
    /// <exception cref="DemoException">A step failed or a byte differed.</exception>
    public async Task Run(string space, CancellationToken cancellation)
    {
        DemoNode first = pool.Nodes[0];
        DemoNode second = pool.Nodes[1];
        DemoNode victim = pool.Nodes[^1];
        string copy = Path.Combine(first.Mount, "tree");

        await Step("start four nodes", () => pool.Start(space, cancellation));
        await Step("make a volume, mount it on every node", () => pool.Mount(cancellation));
        SortedDictionary<string, string> expected =
            await Task.Run(() => TreeComparer.Hash(source, cancellation), cancellation);
        _wanted = await Task.Run(() => TreeComparer.Lengths(source), cancellation);
        await Step(
            string.Create(CultureInfo.InvariantCulture, $"copy {expected.Count:N0} files in through {first.Name}"),
            () => Task.Run(() => Copy(source, copy, cancellation), cancellation));
        await Step($"read them through {second.Name}", () => Verify(expected, second, cancellation));
        await Step("wait until everything is safe", () => WaitUntilSafe(first, cancellation));
        await Step($"kill {victim.Name} (SIGKILL)", () => victim.Kill(cancellation));
        foreach (DemoNode node in pool.Nodes.SkipLast(1))
        {
            await Step($"verify every byte through {node.Name}", () => Verify(expected, node, cancellation));
        }

        await Step($"start {victim.Name} again", () => victim.Start(cancellation));
        await Step("wait until the pool is whole", () => pool.WaitForOnline(pool.Nodes.Count, cancellation));
        await Step($"verify every byte through {victim.Name}", () => Verify(expected, victim, cancellation));
        await Step("everything safe", () => WaitUntilSafe(first, cancellation));
        await output.WriteLineAsync((await first.Run(cancellation, "status")).TrimEnd());
        await output.WriteLineAsync($"demo check passed in {DurationText.Format(_total.Elapsed)}");
    }

    private static Task<string> WaitUntilSafe(DemoNode node, CancellationToken cancellation) =>
        node.Run(cancellation, "wait", "--safe", "--timeout", "60", "--quiet");

    private static void Copy(string from, string to, CancellationToken cancellation)
    {
        Directory.CreateDirectory(to);
        EnumerationOptions options = TreeComparer.EverythingBelow;
        foreach (string directory in Directory.EnumerateDirectories(from, "*", options))
        {
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, directory)));
        }

        foreach (string file in Directory.EnumerateFiles(from, "*", options))
        {
            cancellation.ThrowIfCancellationRequested();
            File.Copy(file, Path.Combine(to, Path.GetRelativePath(from, file)));
        }
    }

    private Task Verify(
        SortedDictionary<string, string> expected, DemoNode node, CancellationToken cancellation) =>
        Task.Run(
            async () =>
            {
                string tree = Path.Combine(node.Mount, "tree");
                await WaitForFiles(tree, cancellation);
                TreeComparer.Comparison comparison = TreeComparer.Compare(expected, tree, cancellation);
                if (comparison.Differences.Count > 0)
                {
                    throw new DemoException($"through {node.Name}:\n  " + string.Join("\n  ", comparison.Differences));
                }
            },
            cancellation);

    /// <summary>
    /// Changes travel in the background: a reader elsewhere sees the last file a moment after it was written, and a file whose
    /// program is still at it as long as it was. Once a file is as long as it shall be, its bytes must be right at once.
    /// </summary>
    private async Task WaitForFiles(string tree, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(30))
        {
            Dictionary<string, long> there = Directory.Exists(tree) ? TreeComparer.Lengths(tree) : [];
            if (_wanted.All(file => there.TryGetValue(file.Key, out long length) && length == file.Value))
            {
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellation);
        }
    }

    private async Task Step(string name, Func<Task> work)
    {
        long start = Stopwatch.GetTimestamp();
        try
        {
            await work();
        }
        catch (DemoException)
        {
            await output.WriteLineAsync($"FAILED  {name}");
            throw;
        }

        string took = DurationText.Format(Stopwatch.GetElapsedTime(start));
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"ok {took,9}  {name}"));
    }
}
