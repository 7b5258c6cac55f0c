using System.Security.Cryptography;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Storage.Packs;

namespace Cairn.Node.Tests.Peers;

/// <summary>A copy that no other node has is not taken for one of many, and is brought to where it belongs.</summary>
public sealed class LastCopyTests
{
    [Fact]
    public void What_was_owed_is_owed_after_a_restart_too_though_nobody_else_is_there()
    {
        PoolBench bench = PoolBench.Of(5, 13);
        bench.Ok(bench.Nodes[0], () => bench.Nodes[0].Node.CreateVolume("v", default).AsTask());
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Volumes!.Open.Count == 1), "the volume is everywhere");
        foreach (BenchNode one in bench.Nodes)
        {
            foreach (BenchNode other in bench.Nodes.Where(other => other != one))
            {
                bench.Network.Cut(one.Address, other.Address);
            }
        }

        // Which node comes first in the order of ids, and so in what it remembers, is not to matter: each writes.
        ChunkAddress[] written =
        [
            .. bench.Nodes.Select(node =>
                bench.Do(node, () => Task.FromResult(node.Volume.Write(bench.Bytes(50_000))))),
        ];
        foreach (BenchNode node in bench.Nodes)
        {
            node.Kill();
            node.Start();
        }

        bench.Scheduler.RunFor(TimeSpan.FromSeconds(5));
        Assert.All(bench.Nodes, node => Assert.Equal(1, node.Status().Owed.SendChunks));
        bench.Network.HealAll();
        bench.Until(() => written.All(address => bench.Nodes.Count(node => node.Holds(address)) >= 4), "four copies");
        bench.AssertNoFailures();
    }

    [Fact]
    public void A_copy_outside_of_its_place_that_nobody_has_is_brought_to_its_holders()
    {
        PoolBench bench = PoolBench.Of(6, 14);
        byte[] stored = bench.Bytes(30_000);
        ChunkAddress address = new(SHA256.HashData(stored));
        PlacementTable table = bench.Nodes[0].Node.Placement;
        BenchNode stray = bench.Nodes.First(node => !table.AnswersFor(PartitionId.Of(address), node.Id));
        RecordKey key = RecordKey.Copy(address);
        Assert.True(stray.Stores!.Chunks.Put(key, stored, ChunkUse.Replicated).IsOk);
        bench.Until(
            () => bench.Nodes.Where(node => table.IsHolder(key.Partition, node.Id)).All(node => node.Holds(address)),
            "its holders have it",
            TimeSpan.FromMinutes(3));
        bench.Until(() => !stray.Holds(address), "the stray is a cached copy", TimeSpan.FromMinutes(3));
        bench.AssertNoFailures();
    }
}
