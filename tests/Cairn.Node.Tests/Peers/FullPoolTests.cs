using Cairn.Node.Volumes;

namespace Cairn.Node.Tests.Peers;

/// <summary>A pool without room left: writes are refused before anything can be lost, and nothing takes more than was given.</summary>
public sealed class FullPoolTests
{
    private const long Given = 96L << 20;

    [Fact]
    public void A_full_pool_refuses_writes_and_keeps_every_byte_it_took()
    {
        PoolBench bench = PoolBench.WithDrives(4, 141, Given);
        SortedDictionary<string, byte[]> kept = new(StringComparer.Ordinal);
        VolumeError? refused = null;
        for (int i = 0; i < 200 && refused is null; i++)
        {
            byte[] content = bench.Bytes(1_500_000);
            string name = $"file{i:D3}";
            if (bench.Put(bench.Nodes[i % 4], name, content).TryGet(out _, out VolumeError error))
            {
                kept.Add(name, content);
            }
            else
            {
                refused = error;
            }

            Assert.All(bench.Nodes, node => Assert.InRange(node.TakenBytes, 0, Given));
            bench.Scheduler.RunFor(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(VolumeError.NoSpace, refused);
        Assert.True(kept.Count * 1_500_000L > Given / 4, $"refused after only {kept.Count} files");
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Status() is { Owed.SendChunks: 0 }), "all of it safe");
        foreach ((string name, byte[] content) in kept)
        {
            bench.Until(() => bench.Get(bench.Nodes[3], name)?.AsSpan().SequenceEqual(content) == true, $"{name} read");
        }

        // Deleting makes room again, once every member agreed that the chunks are garbage.
        foreach (string name in kept.Keys)
        {
            Assert.True(bench.Delete(bench.Nodes[0], name));
        }

        bench.Until(() => bench.Nodes.TrueForAll(node => node.Status().PoolState.UsedBytes < Given / 10), "room again");
        Assert.True(bench.Put(bench.Nodes[2], "again", bench.Bytes(1_500_000)).IsOk);
        Assert.All(bench.Nodes, node => Assert.InRange(node.TakenBytes, 0, Given));
        bench.AssertNoFailures();
    }
}
