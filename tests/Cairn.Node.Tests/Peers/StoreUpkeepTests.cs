using Cairn.Core.Primitives;
using Cairn.Node.Control;

namespace Cairn.Node.Tests.Peers;

/// <summary>Rot on one node's disk is found without anybody reading, and mended from the others.</summary>
public sealed class StoreUpkeepTests
{
    [Fact]
    public void A_rotten_record_is_found_reported_and_fetched_anew()
    {
        PoolBench bench = PoolBench.Of(3, 77);
        bench.Ok(bench.Nodes[0], () => bench.Nodes[0].Node.CreateVolume("v", default).AsTask());
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Volumes!.Open.Count == 1), "the volume is everywhere");
        BenchNode writer = bench.Nodes[0];
        ChunkAddress[] written =
        [
            .. Enumerable.Range(0, 8).Select(_ => bench.Do(
                writer, () => Task.FromResult(writer.Volume.Write(bench.Bytes(100_000))))),
        ];
        bench.Until(() => bench.Nodes.TrueForAll(node => written.All(node.Holds)), "every node has every chunk");

        BenchNode sick = bench.Nodes[2];
        string pack = sick.Disk.Files.First(file => file.EndsWith(".pack", StringComparison.Ordinal));
        sick.Disk.FlipBit(pack, 250_000, 3);
        Assert.Single(written, address => !sick.Stores!.Chunks.Verify(RecordKey.Copy(address)).IsOk);
        bench.Until(
            () => written.All(address => sick.Stores!.Chunks.Verify(RecordKey.Copy(address)).IsOk),
            "the rotten record is whole again",
            TimeSpan.FromMinutes(3));
        Assert.Contains(
            sick.Node.Diary.After(0, 1000), line => line is { Level: LogLevel.Error, Source: "scrub" });
        Assert.All(written, address => Assert.True(sick.Holds(address)));
    }
}
