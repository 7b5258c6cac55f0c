using Cairn.Core.Primitives;
using Cairn.Node.Control;

namespace Cairn.Node.Tests.Peers;

/// <summary>Nodes that go and come back: copies are remade, and those that are then too many are dropped.</summary>
public sealed class PoolLifeTests
{
    /// <summary>
    /// Found with real machines: 57 connections in a second, each sent away as a duplicate of one that was lost already.
    /// </summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_machine_that_comes_back_from_another_address_is_taken_in_at_once(int mover)
    {
        PoolBench bench = PoolBench.Of(2, 311);
        BenchNode node = bench.Nodes[mover];
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(30));
        node.MoveTo(bench.Network.NewAddress());
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(2));
        Assert.Equal(1, node.Connected);
        IEnumerable<LogLine> lines = node.Node.Diary.After(0, 1000);
        Assert.Single(lines, line => line.Text.StartsWith("connected with", StringComparison.Ordinal));
    }

    [Fact]
    public void A_node_that_returns_is_reconciled_and_no_copy_is_kept_too_many()
    {
        PoolBench bench = PoolBench.Of(6, 281);
        List<ChunkAddress> written = Write(bench, 60);
        BenchNode lost = bench.Nodes[4];
        BenchNode[] rest = [.. bench.Nodes.Where(node => node != lost)];
        lost.Kill();
        bench.Until(() => written.TrueForAll(address => rest.Count(node => node.Holds(address)) == 4), "remade");
        lost.Start();
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Connected == 5), "back");
        bench.Until(() => HasFourOfEach(bench, written), "four copies of each, where placement wants them");
    }

    [Fact]
    public void A_forgotten_nodes_copies_are_remade_without_waiting_for_the_grace_period()
    {
        PoolBench bench = PoolBench.Of(
            5, 291, new NodeOptions { SpaceBytes = 256L << 20, RepairGrace = TimeSpan.FromHours(10) });
        List<ChunkAddress> written = Write(bench, 40);
        BenchNode lost = bench.Nodes[2];
        BenchNode[] rest = [.. bench.Nodes.Where(node => node != lost)];
        lost.Kill();
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(5));
        Assert.Contains(written, address => rest.Count(node => node.Holds(address)) < 4);
        bench.Ok(bench.Nodes[0], () => bench.Nodes[0].Node.ForgetNode("node2", default).AsTask());
        bench.Until(() => written.TrueForAll(address => rest.Count(node => node.Holds(address)) == 4), "remade");
    }

    [Fact]
    public void A_node_whose_home_lost_its_record_is_believed_again()
    {
        PoolBench bench = PoolBench.Of(3, 301);
        BenchNode node = bench.Nodes[1];
        for (int i = 0; i < 5; i++)
        {
            node.Kill();
            node.Start();
            bench.Until(() => bench.Nodes.TrueForAll(other => other.Connected == 2), "connected");
        }

        node.Kill();
        Assert.True(node.Disk.Delete("record").IsOk);
        node.Options = node.Options with { Name = "renamed" };
        node.Start();
        bench.Until(
            () => bench.Nodes.TrueForAll(other => other.Info().Single(one => one.Node == node.Id).Name == "renamed"),
            "its new record everywhere");
    }

    private static List<ChunkAddress> Write(PoolBench bench, int count)
    {
        BenchNode writer = bench.Nodes[0];
        bench.Ok(writer, () => writer.Node.CreateVolume("scrap", default).AsTask());
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Volumes is { Open.Count: > 0 }), "volume everywhere");
        bench.Do(writer, () =>
        {
            for (int i = 0; i < count; i++)
            {
                writer.Volume.Write(bench.Bytes(5000));
            }

            return Task.FromResult(0);
        });
        List<ChunkAddress> written = writer.Volume.Written;
        bench.Until(() => HasFourOfEach(bench, written), "four copies of each");
        return written;
    }

    private static bool HasFourOfEach(PoolBench bench, List<ChunkAddress> written) => written.TrueForAll(
        address => bench.Nodes.Count(node => node.IsUp && node.Holds(address)) == 4);
}
