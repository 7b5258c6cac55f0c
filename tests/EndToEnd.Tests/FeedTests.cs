using System.Diagnostics;
using System.Text.Json;
using Cairn.Cli.Demo;

namespace Cairn.EndToEnd.Tests;

/// <summary><c>cairn watch</c> as programs follow it, on a daemon that is ended with SIGKILL meanwhile.</summary>
public sealed class FeedTests : IAsyncLifetime
{
    private readonly DemoPool _pool = DemoPool.Lay(folder: null, nodeCount: 1, keep: false);

    private DemoNode Node => _pool.Nodes[0];

    public async ValueTask InitializeAsync()
    {
        await _pool.Start("256MiB", TestContext.Current.CancellationToken);
        await Node.Must("volume", "create", "v");
    }

    public ValueTask DisposeAsync() => _pool.DisposeAsync();

    [Fact]
    public async Task Who_goes_on_behind_the_last_position_sees_every_change_though_the_daemon_was_killed()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        await Node.Write("v", "before", [1]);
        using Process follower =
            Process.Start(CairnProcess.StartInfo(Node.Home, ["watch", "v", "--json", "--from", "start"]))!;
        string position = string.Empty;
        for (string? seen = null; seen != "before";)
        {
            string? line = await follower.StandardOutput.ReadLineAsync(cancellation);
            Assert.NotNull(line);
            (position, seen) = Told(line);
        }

        // It is told that this was written, but perhaps not to the follower: the daemon is gone the moment after.
        await Node.Write("v", "told", [2]);
        Node.KillProcess();
        await follower.WaitForExitAsync(cancellation);
        Assert.NotEqual(0, follower.ExitCode);
        string rest = await follower.StandardOutput.ReadToEndAsync(cancellation);
        List<string> told = [.. Lines(rest).Select(line => Told(line).Path)];
        position = Lines(rest).Select(line => Told(line).Position).LastOrDefault(position);

        await Node.Start(cancellation);
        await Node.Write("v", "after", [3]);
        string news = await Node.Must("watch", "v", "--json", "--once", "--from", position);
        told.AddRange(Lines(news).Select(line => Told(line).Path));
        Assert.Contains("told", told);
        Assert.Contains("after", told);
        Assert.True(told.IndexOf("told") < told.IndexOf("after"));
    }

    private static string[] Lines(string output) => output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static (string Position, string Path) Told(string line)
    {
        using JsonDocument parsed = JsonDocument.Parse(line);
        JsonElement change = parsed.RootElement;
        return (change.GetProperty("position").GetString()!, change.GetProperty("path").GetString()!);
    }
}
