using Cairn.Core.Primitives;

namespace Cairn.Node.Tests.Peers;

/// <summary>What peers have is not sent to them again.</summary>
public sealed class SentOnceTests
{
    [Fact]
    public void A_large_file_written_anew_with_a_byte_inserted_sends_only_the_chunks_that_changed()
    {
        PoolBench bench = PoolBench.WithDrives(3, 71);
        BenchNode writer = bench.Nodes[1];
        byte[] content = bench.Bytes(24 << 20);
        Assert.True(bench.Put(writer, "large", content).IsOk);
        Safe(bench);
        long before = bench.Network.StreamBytes;
        Assert.True(before > 2 * content.Length, $"{before} bytes for two peers");

        byte[] edited = [.. content.AsSpan(0, 12 << 20), 7, .. content.AsSpan(12 << 20)];
        Assert.True(bench.Put(writer, "large, edited", edited).IsOk);
        Safe(bench);

        // The cut chunk, and at worst the one behind it, of at most 4 MiB each, to two peers.
        Assert.InRange(bench.Network.StreamBytes - before, 1, content.Length);
        bench.Until(() => bench.Get(bench.Nodes[2], "large, edited") is { } read && read.SequenceEqual(edited), "read");
    }

    [Fact]
    public void A_sender_that_is_killed_half_way_sends_only_the_rest()
    {
        PoolBench bench = PoolBench.Of(2, 72);
        BenchNode writer = bench.Nodes[0];
        BenchNode taker = bench.Nodes[1];
        bench.Ok(writer, () => writer.Node.CreateVolume("scrap", default).AsTask());
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Volumes is { Open.Count: > 0 }), "volume everywhere");
        const int Count = 40;
        const int Bytes = 1 << 20;
        List<ChunkAddress> written = bench.Do(writer, () => Task.FromResult(
            Enumerable.Range(0, Count).Select(_ => writer.Volume.Write(bench.Bytes(Bytes))).ToList()));
        bench.Until(() => written.Count(taker.Holds) >= Count / 2, "half of it is there");
        int held = written.Count(taker.Holds);
        Assert.NotEqual(Count, held);
        writer.Kill();
        long before = bench.Network.StreamBytes;
        writer.Start();
        bench.Until(() => written.TrueForAll(taker.Holds), "all of it");
        Safe(bench);

        Assert.InRange(bench.Network.StreamBytes - before, 1, ((Count - held) * Bytes) + (Bytes / 2));
    }

    private static void Safe(PoolBench bench) => bench.Until(
        () => bench.Nodes.TrueForAll(node => node.Status() is { Owed.SendChunks: 0, Owed.SendBlocks: 0 }), "safe");
}
