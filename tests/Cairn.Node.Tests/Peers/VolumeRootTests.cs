using Cairn.Core.Primitives;
using Cairn.Node.Volumes;

namespace Cairn.Node.Tests.Peers;

/// <summary>What the root of a volume shows before anything is in it.</summary>
public sealed class VolumeRootTests
{
    [Fact]
    public void An_untouched_root_is_as_old_as_its_volume_on_every_node_and_after_a_restart()
    {
        PoolBench bench = PoolBench.WithDrives(2, 181);
        bench.Nodes[1].Kill();
        bench.Nodes[1].Start();
        bench.Until(() => bench.Nodes[1].FindDrive() is not null, "the volume is open again");
        ObjectAttributes[] roots = [.. bench.Nodes.Select(node => Root(bench, node))];
        Assert.All(roots, root => Assert.Equal((root.Modified, root.Modified), (root.Changed, root.Accessed)));
        Assert.Equal(roots[0].Modified, roots[1].Modified);
        Assert.True(roots[0].Modified > default(WallTime));

        bench.Scheduler.RunFor(TimeSpan.FromMinutes(1));
        Assert.True(bench.Put(bench.Nodes[0], "file", bench.Bytes(10)).IsOk);
        Assert.True(Root(bench, bench.Nodes[0]).Modified > roots[0].Modified);
    }

    private static ObjectAttributes Root(PoolBench bench, BenchNode node) =>
        bench.Do(node, async () => (await node.Drive.Resolve(string.Empty)).Value);
}
