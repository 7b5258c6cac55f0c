using Cairn.Cli.Demo;

namespace Cairn.EndToEnd.Tests;

/// <summary>Four real nodes, one volume, four mounts, shared by the tests that leave the pool as they found it.</summary>
public sealed class PoolFixture : IAsyncLifetime
{
    /// <summary>The pool.</summary>
    public DemoPool Pool { get; } = DemoPool.Lay(folder: null, nodeCount: 4, keep: false);

    /// <summary>A node, 1 to 4.</summary>
    public DemoNode Node(int number) => Pool.Nodes[number - 1];

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(File.Exists("/dev/fuse"), "there is no /dev/fuse here");
        await Pool.Start("2GiB", CancellationToken.None);
        await Pool.Mount(CancellationToken.None);
        await Pool.WaitForOnline(4, CancellationToken.None);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Pool.DisposeAsync();
}

/// <summary>Tests in this collection share one pool and run one after the other.</summary>
[CollectionDefinition("pool")]
public sealed class PoolCollectionDefinition : ICollectionFixture<PoolFixture>;
