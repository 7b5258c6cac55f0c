using System.Text;
using Cairn.Cli.Demo;

namespace Cairn.EndToEnd.Tests;

/// <summary>
/// Real daemons: a laptop is written to while no other machine is up, and is off for longer than the horizon. The others throw away
/// and collect what it edited, and drop the history that said what that was; it comes back.
/// </summary>
/// <remarks>Some fifteen seconds: seven starts of daemons.</remarks>
public sealed class AbsentMachineTests : IAsyncLifetime
{
    private const int Changes = 150;

    private readonly DemoPool _pool = DemoPool.Lay(folder: null, nodeCount: 3, keep: false);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _pool.Start("256MiB", Cancellation, ShortHistory.Environment);
        await _pool.Nodes[0].Must("volume", "create", "v");
        await Eventually.Holds(() => _pool.Nodes.All(node => node.Read("v", "none") is null), "it is everywhere");
    }

    public async ValueTask DisposeAsync() => await _pool.DisposeAsync();

    [Fact]
    public async Task What_a_laptop_wrote_alone_is_there_though_nobody_knows_any_more_what_it_was_about()
    {
        (DemoNode first, DemoNode second, DemoNode laptop) = (_pool.Nodes[0], _pool.Nodes[1], _pool.Nodes[2]);
        await first.Must("mkdir", "v/folder");
        foreach (string name in new[] { "edited", "removed", "folder/removed" })
        {
            await first.Write("v", name, "before"u8.ToArray());
        }

        await Eventually.Holds(() => _pool.Nodes.All(node => Shows(node, "folder/removed", "before")), "all have it");
        await first.Stop();
        await second.Stop();
        await laptop.Write("v", "edited", "mine"u8.ToArray());
        await laptop.Write("v", "folder/new", "mine, too"u8.ToArray());
        laptop.KillProcess();

        await first.Start(Cancellation, ShortHistory.Environment);
        await second.Start(Cancellation, ShortHistory.Environment);
        await first.Must("node", "forget", laptop.Name);
        await first.Must("rm", "v/edited");
        await first.Must("rm", "v/removed");
        await first.Must("rm", "-r", "v/folder");
        await first.Must("trash", "empty", "v");
        for (int i = 0; i < Changes; i++)
        {
            await first.Write("v", $"file{i % 30}", Encoding.UTF8.GetBytes($"{i}"));
        }

        await Eventually.Holds(
            () => ShortHistory.HasDropped(first) && ShortHistory.HasDropped(second),
            "old history goes without it",
            seconds: 120);
        Assert.Null(first.Read("v", "edited"));

        await laptop.Start(Cancellation, ShortHistory.Environment);
        await Eventually.Holds(
            () => _pool.Nodes.All(node => Shows(node, "edited", "mine") && Shows(node, "folder/new", "mine, too")),
            "what it wrote is everywhere", seconds: 60);
        foreach (string name in new[] { "removed", "folder/removed" })
        {
            await Eventually.Holds(
                () => _pool.Nodes.All(node => node.Read("v", name) is null), "what it did not edit stays removed",
                seconds: 60);
        }

        Assert.Empty((await first.Must("conflicts", "v", "--json")).Trim().Trim('[', ']'));
    }

    private static bool Shows(DemoNode node, string name, string text) =>
        node.Read("v", name) is { } bytes && Encoding.UTF8.GetString(bytes) == text;
}
