using System.Globalization;
using System.Text;
using System.Text.Json;
using Cairn.Cli.Demo;
using Cairn.Cli.Output;

namespace Cairn.EndToEnd.Tests;

/// <summary>
/// Real daemons that drop old history: one is killed meanwhile, one loses its indexes afterwards, one comes later; everything is
/// still there for all of them, and what needs the old history says that it is gone.
/// </summary>
/// <remarks>Some half a minute: eight starts of daemons, and as many commands as there are questions to the past.</remarks>
public sealed class DroppedHistoryTests : IAsyncLifetime
{
    private const int FilesEach = 20;

    private readonly DemoPool _pool = DemoPool.Lay(folder: null, nodeCount: 3, keep: false);
    private readonly Newcomers _newcomers = new();
    private string _early = string.Empty;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _pool.Start("256MiB", Cancellation, ShortHistory.Environment);
        await _pool.Nodes[0].Must("volume", "create", "v");
        await _pool.Nodes[0].Write("v", "begin", "begun"u8.ToArray());
        await Eventually.Holds(() => _pool.Nodes.All(node => Shows(node, "begin", "begun")), "it is everywhere");
    }

    public async ValueTask DisposeAsync()
    {
        await _newcomers.DisposeAsync();
        await _pool.DisposeAsync();
    }

    [Fact]
    public async Task Old_history_goes_and_everything_stays_for_all_of_them()
    {
        (DemoNode first, DemoNode second, DemoNode third) = (_pool.Nodes[0], _pool.Nodes[1], _pool.Nodes[2]);
        await WriteHistory();

        // Killed as soon as anybody drops: it is about to, or in the middle of it.
        await Eventually.Holds(() => _pool.Nodes.Any(ShortHistory.HasDropped), "old history goes", seconds: 120);
        third.KillProcess();
        await third.Start(Cancellation, ShortHistory.Environment);
        await Eventually.Holds(() => _pool.Nodes.All(ShortHistory.HasDropped), "it goes everywhere", seconds: 120);
        await Eventually.Holds(() => _pool.Nodes.All(IsWhole), "everything is there on all of them", seconds: 60);

        // An index is made of the settled checkpoint and what came after; without that, too, the others give it.
        foreach (string lost in new[] { "volume-*", "*" })
        {
            await second.Write("v", "before" + lost.Length, "kept"u8.ToArray());
            await second.Stop();
            Assert.NotEmpty(Remove(second, lost));
            await second.Start(Cancellation, ShortHistory.Environment);
            await Eventually.Holds(
                () => IsWhole(second) && Shows(second, "before" + lost.Length, "kept"), $"it is back without {lost}",
                seconds: 60);
        }

        DemoNode newcomer = await Join(first);
        await Eventually.Holds(() => IsWhole(newcomer), "the newcomer has everything", seconds: 60);
        await newcomer.Write("v", "by-newcomer", "new"u8.ToArray());
        await Eventually.Holds(
            () => _pool.Nodes.All(node => Shows(node, "by-newcomer", "new")), "all have what it writes",
            seconds: 60);
        await LookBack(newcomer);
        await ChangeThePast(first, second);
    }

    /// <summary>Some history in versions, a snapshot and the trash, and files until there is enough of it.</summary>
    private async Task WriteHistory()
    {
        DemoNode first = _pool.Nodes[0];
        await first.Write("v", "doc", "one\n"u8.ToArray());
        await first.Write("v", "gone", "not gone"u8.ToArray());
        await first.Must("snapshot", "create", "v", "early");
        _early = DateTimeOffset.UtcNow.ToString("O", CultureInfo.InvariantCulture);
        await first.Write("v", "doc", "two\n"u8.ToArray());
        await first.Must("rm", "v/gone");
        foreach (DemoNode node in _pool.Nodes)
        {
            for (int i = 0; i < FilesEach; i++)
            {
                await node.Write("v", $"{node.Name}-{i}", Text(node, i));
            }

            await Eventually.Holds(
                () => _pool.Nodes.All(other => Shows(other, $"{node.Name}-{FilesEach - 1}", Text(node, FilesEach - 1))),
                "all have what it wrote");
        }
    }

    /// <summary>What is read of the past, on a machine that never had the old history.</summary>
    private async Task LookBack(DemoNode node)
    {
        using JsonDocument log = JsonDocument.Parse(await node.Must("log", "v/doc", "--json"));
        string[] versions =
            [.. log.RootElement.EnumerateArray().Select(version => version.GetProperty("version").GetString()!)];
        Assert.Equal(2, versions.Length);
        Assert.Equal("one\n", await node.Must("cat", $"v/doc@{versions[1]}"));
        Assert.Equal("one\n", await node.Must("cat", $"v/doc@{_early}"));
        Assert.Equal("one\n", await node.Must("cat", "v/.snapshots/early/doc"));
        Assert.Equal("not gone", await node.Must("cat", "v/.snapshots/early/gone"));
        CairnProcess.Outcome diff = await node.Try("diff", $"v/doc@{versions[1]}");
        Assert.Contains("-one\n+two\n", diff.Output, StringComparison.Ordinal);
        Assert.Contains("doc", await node.Must("snapshot", "diff", "v", "early"), StringComparison.Ordinal);
        Assert.Contains("gone", await node.Must("trash", "ls", "v"), StringComparison.Ordinal);

        await node.MustRefuse(ExitCode.Failed, ShortHistory.Gone, "cat", $"v/.snapshots/@{_early}/doc");
        await node.MustRefuse(ExitCode.Failed, ShortHistory.Gone, "snapshot", "diff", "v", "@" + _early);
        await node.MustRefuse(ExitCode.Failed, ShortHistory.Gone, "rewind", $"v@{_early}");
        await node.MustRefuse(ExitCode.Failed, ShortHistory.Gone, "rewind", $"v@{_early}", "--by", "node1");
        await node.MustRefuse(ExitCode.Failed, ShortHistory.Gone, "watch", "v", "--from", "start", "--once");
        Assert.DoesNotContain("before-", await node.Must("snapshot", "ls", "v"), StringComparison.Ordinal);
    }

    /// <summary>What is brought back, and seen by another.</summary>
    private async Task ChangeThePast(DemoNode node, DemoNode other)
    {
        string now = DateTimeOffset.UtcNow.ToString("O", CultureInfo.InvariantCulture);
        await node.Must("restore", $"v/doc@{_early}");
        await node.Must("undelete", "v/gone");
        await node.Must("snapshot", "clone", "v", "early", "copy");
        await Eventually.Holds(
            () => Shows(other, "doc", "one\n") && Shows(other, "gone", "not gone")
                && other.Read("copy", "doc") is { } bytes && Encoding.UTF8.GetString(bytes) == "one\n",
            "what came back is seen");
        await node.Must("rewind", $"v@{now}", "--by", "node1");
        await Eventually.Holds(() => Shows(other, "doc", "two\n") && other.Read("v", "gone") is null, "a rewind");
        await node.Must("snapshot", "restore", "v/doc", "early");
        await Eventually.Holds(() => Shows(other, "doc", "one\n"), "a snapshot from before what is dropped");
    }

    private static byte[] Text(DemoNode node, int number) => Encoding.UTF8.GetBytes($"{number} of {node.Name}");

    private static bool Shows(DemoNode node, string name, string text) =>
        Shows(node, name, Encoding.UTF8.GetBytes(text));

    private static bool Shows(DemoNode node, string name, byte[] text) =>
        node.Read("v", name).AsSpan().SequenceEqual(text);

    private bool IsWhole(DemoNode node) => Shows(node, "doc", "two\n") && node.Read("v", "gone") is null
        && _pool.Nodes.All(author =>
            Enumerable.Range(0, FilesEach).All(i => Shows(node, $"{author.Name}-{i}", Text(author, i))));

    private static string[] Remove(DemoNode node, string files)
    {
        string[] found = Directory.GetFiles(Path.Combine(node.Home, "index"), files);
        Array.ForEach(found, File.Delete);
        return found;
    }

    private async Task<DemoNode> Join(DemoNode host)
    {
        DemoNode newcomer = _newcomers.Add(_pool, 4);
        string code = (await host.Must("invite", "--quiet")).Trim();
        await newcomer.Must("join", code, "--space", "256MiB", "--name", newcomer.Name, "--listen", "127.0.0.1:0");
        await newcomer.Start(Cancellation, ShortHistory.Environment);
        return newcomer;
    }
}
