using Cairn.Core.Primitives;

namespace Cairn.Node.Tests.Peers;

/// <summary>
/// A copy that rots after the scrubber passed by is found by the node that has it, when it is to be sent: who gets wrong bytes
/// cannot mend them, and asked again every second for as long as the scrubber rested.
/// </summary>
public sealed class RottenCopyTests
{
    [Fact]
    public void The_only_copy_that_has_rotted_is_taken_out_and_reported_when_a_peer_asks_for_it()
    {
        PoolBench bench = Pool();
        ChunkAddress[] written = Write(bench, 8);
        bench.Until(() => bench.Nodes.TrueForAll(node => written.All(node.Holds)), "every node has every chunk");
        BenchNode sick = bench.Nodes[2];
        ChunkAddress rotten = Rot(bench, sick, written);
        foreach (BenchNode node in bench.Nodes.Where(node => node != sick))
        {
            Assert.True(node.Stores!.Chunks.Remove(RecordKey.Copy(rotten)).IsOk);
        }

        bench.Until(() => !sick.Holds(rotten), "the rotten copy counts no more", TimeSpan.FromMinutes(1));
        bench.Until(
            () => bench.Nodes.TrueForAll(node => node.Status().Owed.FetchChunks == 0),
            "nobody waits for what nobody has",
            TimeSpan.FromMinutes(1));
        Assert.Contains(sick.Status().Problems, problem => problem.Code == "damage");
        Assert.All(written.Where(address => address != rotten), address => Assert.True(sick.Holds(address)));
    }

    [Fact]
    public void An_owed_copy_that_has_rotted_is_taken_out_and_reported_when_it_is_to_be_sent()
    {
        PoolBench bench = Pool();
        BenchNode sick = bench.Nodes[0];
        bench.Nodes[1].Kill();
        bench.Nodes[2].Kill();
        ChunkAddress[] written = Write(bench, 8);

        // Not for as long as others are waited for: what is owed to nobody is owed no more.
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(20));
        ChunkAddress rotten = Rot(bench, sick, written);
        bench.Nodes[1].Start();
        bench.Nodes[2].Start();
        bench.Until(
            () => bench.Nodes.TrueForAll(node => written.All(address => address == rotten || node.Holds(address))),
            "the others are sent");
        bench.Until(() => !sick.Holds(rotten), "the rotten copy counts no more", TimeSpan.FromMinutes(1));
        Assert.Contains(sick.Status().Problems, problem => problem.Code == "damage");
        bench.Until(() => sick.Status().Owed.SendChunks == 1, "it alone is owed, still", TimeSpan.FromMinutes(1));
        Assert.False(sick.Status().IsSafe);
    }

    /// <summary>Three nodes whose scrubbers have been through and rest for a day.</summary>
    private static PoolBench Pool()
    {
        PoolBench bench = PoolBench.Of(3, 79);
        bench.Ok(bench.Nodes[0], () => bench.Nodes[0].Node.CreateVolume("v", default).AsTask());
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Volumes!.Open.Count == 1), "the volume is everywhere");
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(1));
        return bench;
    }

    private static ChunkAddress[] Write(PoolBench bench, int count)
    {
        BenchNode writer = bench.Nodes[0];
        return
        [
            .. Enumerable.Range(0, count).Select(_ => bench.Do(
                writer, () => Task.FromResult(writer.Volume.Write(bench.Bytes(100_000))))),
        ];
    }

    /// <summary>Turns a bit over in one of the copies of a node.</summary>
    private static ChunkAddress Rot(PoolBench bench, BenchNode node, ChunkAddress[] written)
    {
        string pack = node.Disk.Files.First(file => file.EndsWith(".pack", StringComparison.Ordinal));
        node.Disk.FlipBit(pack, 250_000, 3);
        bench.AssertNoFailures();
        return Assert.Single(written, address => !node.Stores!.Chunks.Verify(RecordKey.Copy(address)).IsOk);
    }
}
