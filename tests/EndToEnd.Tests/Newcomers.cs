using Cairn.Cli.Demo;

namespace Cairn.EndToEnd.Tests;

/// <summary>Machines beside those that a pool was laid with; they are stopped before it is.</summary>
internal sealed class Newcomers : IAsyncDisposable
{
    private readonly List<DemoNode> _nodes = [];

    /// <summary>One more, with an empty home; the number is the next after the pool's.</summary>
    public DemoNode Add(DemoPool pool, int number)
    {
        DemoNode node = new(pool.Root, number);
        _nodes.Add(node);
        return node;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (DemoNode node in _nodes)
        {
            await node.Stop();
            node.Dispose();
        }
    }
}
