using Cairn.Core.Primitives;
using Cairn.Node.Control;

namespace Cairn.Node.Tests.Peers;

/// <summary>Bandwidth limits, on virtual time: 8 MB over three links at 1 MB/s, both directions.</summary>
/// <remarks>The last chunk may go when all before it are paid, and a link has some on its way: hence the tolerance.</remarks>
public sealed class LimitTests
{
    private const long Rate = 1_000_000;
    private const int Chunks = 16;
    private const int ChunkBytes = 500_000;

    [Fact]
    public void Sending_is_limited_over_all_links_together()
    {
        PoolBench bench = Pool(251);
        Limit(bench, bench.Nodes[0], new BandwidthLimit(Rate, null));
        TimeSpan took = WriteUntilSafe(bench, bench.Nodes[0]);
        double expected = 3.0 * Chunks * ChunkBytes / Rate;
        Assert.InRange(took.TotalSeconds, expected * 0.8, expected * 1.1);
    }

    [Fact]
    public void Sending_what_was_just_published_is_limited()
    {
        const int Bytes = 8_000_000;
        PoolBench bench = PoolBench.WithDrives(2, 256);
        Limit(bench, bench.Nodes[0], new BandwidthLimit(Rate, null));
        byte[] content = bench.Bytes(Bytes);
        Assert.True(bench.Put(bench.Nodes[0], "large", content).IsOk);
        bench.Until(() => bench.Nodes[0].Status().Owed.SendChunks > 0, "published");
        TimeSpan before = bench.Scheduler.Now;
        bench.Until(() => bench.Nodes[0].Status().Owed.SendChunks == 0, "safe");

        // The last chunk goes on credit, and may have 4 MiB.
        Assert.InRange((bench.Scheduler.Now - before).TotalSeconds, 3.5, 8.5);
        bench.Until(() => bench.Get(bench.Nodes[1], "large") is { } read && read.SequenceEqual(content), "there");
    }

    [Fact]
    public void Receiving_is_limited_whoever_sends()
    {
        PoolBench bench = Pool(261);
        Limit(bench, bench.Nodes[3], new BandwidthLimit(null, Rate));
        TimeSpan took = WriteUntilSafe(bench, bench.Nodes[0], bench.Nodes[1]);
        double expected = 2.0 * Chunks * ChunkBytes / Rate;
        Assert.InRange(took.TotalSeconds, expected * 0.8, expected * 1.1);
    }

    [Fact]
    public void Fetching_what_is_read_is_limited()
    {
        PoolBench bench = Pool(271);
        BenchNode late = bench.NewNode();
        WriteUntilSafe(bench, bench.Nodes[0]);
        List<ChunkAddress> written = bench.Nodes[0].Volume.Written;
        bench.Join(late, bench.Nodes[0]);
        Limit(bench, late, new BandwidthLimit(null, Rate));
        bench.Until(() => late.Volumes is { Open.Count: > 0 } && late.Connected == 4, "joined");
        ChunkAddress[] wanted = [.. written.Where(address => !late.Holds(address))];
        TimeSpan before = bench.Scheduler.Now;
        foreach (ChunkAddress address in wanted)
        {
            Assert.True(bench.Do(late, () => late.Volume.Read(address)).IsOk);
        }

        double expected = (double)wanted.Length * ChunkBytes / Rate;
        Assert.True((bench.Scheduler.Now - before).TotalSeconds >= expected * 0.8);
    }

    [Fact]
    public void What_waits_goes_at_once_when_the_limit_is_lifted()
    {
        PoolBench bench = Pool(281);
        BenchNode writer = bench.Nodes[0];
        Limit(bench, writer, new BandwidthLimit(1000, null));
        bench.Do(writer, () => Task.FromResult(Enumerable.Range(0, Chunks).Select(
            _ => writer.Volume.Write(bench.Bytes(ChunkBytes))).ToArray()));
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(5));
        Assert.InRange(writer.Status().Owed.SendChunks, 1, Chunks);
        Limit(bench, writer, default);
        bench.Until(() => writer.Status().Owed.SendChunks == 0, "safe", TimeSpan.FromSeconds(20));
    }

    [Fact]
    public void The_lowest_limit_is_slow_and_breaks_nothing()
    {
        PoolBench bench = Pool(291);
        BenchNode writer = bench.Nodes[0];
        Limit(bench, writer, new BandwidthLimit(1, 1));
        bench.Do(writer, () => Task.FromResult(Enumerable.Range(0, Chunks).Select(
            _ => writer.Volume.Write(bench.Bytes(ChunkBytes))).ToArray()));
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(5));
        bench.AssertNoFailures();
    }

    private static PoolBench Pool(ulong seed)
    {
        PoolBench bench = PoolBench.Of(4, seed);
        bench.Ok(bench.Nodes[0], () => bench.Nodes[0].Node.CreateVolume("scrap", default).AsTask());
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Volumes is { Open.Count: > 0 }), "volume everywhere");
        return bench;
    }

    private static void Limit(PoolBench bench, BenchNode node, BandwidthLimit limit) =>
        bench.Ok(node, () => node.Node.SetLimit(limit, default).AsTask());

    private static TimeSpan WriteUntilSafe(PoolBench bench, params BenchNode[] writers)
    {
        TimeSpan before = bench.Scheduler.Now;
        foreach (BenchNode writer in writers)
        {
            bench.Do(writer, () =>
            {
                for (int i = 0; i < Chunks; i++)
                {
                    writer.Volume.Write(bench.Bytes(ChunkBytes));
                }

                return Task.FromResult(0);
            });
        }

        bench.Until(() => writers.All(writer => writer.Status().Owed.SendChunks == 0), "safe");
        return bench.Scheduler.Now - before;
    }
}
