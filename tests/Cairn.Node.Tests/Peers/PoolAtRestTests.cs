using Cairn.Simulation.Disks;

namespace Cairn.Node.Tests.Peers;

/// <summary>A pool in which nothing happens does hardly anything.</summary>
public sealed class PoolAtRestTests
{
    private const int Nodes = 4;

    [Fact]
    public void It_writes_nothing_and_says_less_than_a_hundred_bytes_a_second()
    {
        PoolBench bench = PoolBench.WithDrives(Nodes, 91);
        Assert.True(bench.Put(bench.Nodes[1], "a file", bench.Bytes(100_000)).IsOk);
        bench.Until(
            () => bench.Nodes.TrueForAll(node => node.Status() is { Owed.SendChunks: 0, Owed.SendBlocks: 0 }), "safe");
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(2));

        long said = bench.Network.StreamBytes;
        List<string> written = [];
        foreach (BenchNode node in bench.Nodes)
        {
            node.Disk.Faults.Fail = (path, operation) =>
            {
                // What the store's next start begins with is written now and then, whatever happens, and synced with the packs.
                bool isChange = operation is not (DiskOperation.Read or DiskOperation.List or DiskOperation.Sync)
                    && !path.StartsWith("packs/index.snapshot", StringComparison.Ordinal);
                written.AddRange(isChange ? [$"{operation} {path}"] : []);
                return null;
            };
        }

        TimeSpan rest = TimeSpan.FromMinutes(20);
        bench.Scheduler.RunFor(rest);

        Assert.Empty(written);
        Assert.InRange((bench.Network.StreamBytes - said) / rest.TotalSeconds / Nodes, 0, 100);

        // And still hears at once of what is new.
        byte[] content = bench.Bytes(1000);
        Assert.True(bench.Put(bench.Nodes[2], "another", content).IsOk);
        bench.Until(
            () => bench.Get(bench.Nodes[3], "another") is { } read && read.SequenceEqual(content), "seen",
            TimeSpan.FromSeconds(2));
        bench.AssertNoFailures();
    }
}
