using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Simulation.Disks;
using Cairn.Storage.Packs;
using Cairn.Storage.Ports;

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

    /// <summary>The name of a chunk says nothing to anybody.</summary>
    [Fact]
    public void Of_a_lost_only_copy_the_file_is_named_until_it_is_whole_again()
    {
        PoolBench bench = PoolBench.WithDrives(1, 78);
        BenchNode node = bench.Nodes[0];
        Assert.True(bench.Put(node, "good", bench.Bytes(100_000)).IsOk);
        Assert.True(bench.Put(node, "photo", bench.Bytes(3_000_000)).IsOk);
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(10));
        string pack = node.Disk.Files.First(file => file.EndsWith(".pack", StringComparison.Ordinal));
        node.Disk.FlipBit(pack, 1_000_000, 3);
        Assert.Null(bench.Get(node, "photo"));
        bool IsNamed(string file) => node.Status().Problems.Any(
            problem => problem.Message.Contains(file, StringComparison.Ordinal));
        bench.Until(() => IsNamed("shared/photo"), "it is named", TimeSpan.FromMinutes(5));
        Assert.False(IsNamed("shared/good"));

        Assert.True(bench.Put(node, "photo", bench.Bytes(2_000_000)).IsOk);
        bench.Until(() => !IsNamed("shared/photo"), "it is whole again", TimeSpan.FromMinutes(30));
        bench.AssertNoFailures();
    }

    /// <summary>Who writes what is stored already may have the last good bytes of it.</summary>
    [Fact]
    public void What_is_written_again_takes_the_place_of_a_copy_that_has_rotted()
    {
        PoolBench bench = PoolBench.WithDrives(1, 79);
        BenchNode node = bench.Nodes[0];
        byte[] content = bench.Bytes(3_000_000);
        Assert.True(bench.Put(node, "photo", content).IsOk);
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(10));
        string pack = node.Disk.Files.First(file => file.EndsWith(".pack", StringComparison.Ordinal));
        node.Disk.FlipBit(pack, 1_000_000, 3);
        Assert.True(bench.Put(node, "again", content).IsOk);
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(10));
        Assert.Equal(content, bench.Get(node, "again"));
        Assert.Equal(content, bench.Get(node, "photo"));
        bench.AssertNoFailures();
    }

    /// <summary>A dead disk is one problem, and nothing on it has rotted; when it gives again, all is as it was.</summary>
    [Fact]
    public void A_disk_that_gives_nothing_is_named_once_and_nothing_on_it_is_called_rotten()
    {
        PoolBench bench = PoolBench.WithDrives(1, 80);
        BenchNode node = bench.Nodes[0];
        byte[] content = bench.Bytes(20_000_000);
        Assert.True(bench.Put(node, "photo", content).IsOk);
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(30));
        Assert.True(node.Stores!.Chunks.Count > 8);

        // Reading through begins anew with each start, and rests for a day when it is through.
        node.Kill();
        node.Start();
        bench.Until(() => node.FindDrive() is not null, "the volume is open again");
        Assert.Empty(node.Status().Problems);
        FailReads(node);
        bench.Until(() => node.Status().Problems.Count > 0, "it is named", TimeSpan.FromMinutes(3));
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(10));
        Assert.Equal("disk-failing", Assert.Single(node.Status().Problems).Code);
        Assert.Single(node.Node.Diary.After(0, 1000), line => line is { Level: LogLevel.Error, Source: "scrub" });
        Assert.Equal(0, node.Stores!.Chunks.Aside.Count);

        node.Disk.Faults.Clear();
        bench.Until(() => node.Status().Problems.Count == 0, "it gives again", TimeSpan.FromMinutes(3));
        Assert.Equal(content, bench.Get(node, "photo"));

        // What is read while the disk gives nothing is set aside, and counted in one problem.
        string[] others = ["one", "two", "three"];
        Assert.All(others, name => Assert.True(bench.Put(node, name, bench.Bytes(2_000_000)).IsOk));
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(30));
        FailReads(node);
        Assert.All(others, name => Assert.Null(bench.Get(node, name)));
        Assert.Single(
            node.Status().Problems, static problem => problem.Message.Contains("packs/", StringComparison.Ordinal)
                && problem.Message.Contains("refused 3 copies", StringComparison.Ordinal));
        Assert.Single(
            node.Status().Problems, static problem => problem.Message.Contains("packs/", StringComparison.Ordinal));
        node.Disk.Faults.Clear();
        bench.Until(() => others.All(name => bench.Get(node, name) is not null), "they are there again");
        bench.AssertNoFailures();
    }

    /// <summary>What is removed lies scattered: packs that are half dead now are empty soon, and need no moving.</summary>
    [Fact]
    public void While_much_is_removed_nothing_is_compacted()
    {
        PoolBench bench = PoolBench.Of(1, 80);
        BenchNode node = bench.Nodes[0];
        bench.Ok(node, () => node.Node.CreateVolume("v", default).AsTask());
        bench.Until(() => node.Volumes!.Open.Count == 1, "the volume is open");
        ChunkAddress[] written =
        [
            .. Enumerable.Range(0, 60).Select(_ => bench.Do(
                node, () => Task.FromResult(node.Volume.Write(bench.Bytes(1_000_000))))),
        ];
        ChunkStore store = node.Stores!.Chunks;
        for (int part = 0; part < 3; part++)
        {
            Assert.All(
                written.Where((_, i) => i % 4 == part),
                address => Assert.True(store.Remove(RecordKey.Copy(address)).IsOk));
            long dead = store.Space.Dead;
            bench.Scheduler.RunFor(TimeSpan.FromSeconds(15));
            Assert.Equal(dead, store.Space.Dead);
        }

        long most = store.Space.Dead;
        bench.Until(() => store.Space.Dead < most / 3, "it is compacted", TimeSpan.FromMinutes(1));
        Assert.All(
            written.Where((_, i) => i % 4 == 3),
            address => Assert.True(store.Verify(RecordKey.Copy(address)).IsOk));
    }

    private static void FailReads(BenchNode node) => node.Disk.Faults.Fail = static (path, operation) =>
        operation == DiskOperation.Read && path.EndsWith(".pack", StringComparison.Ordinal)
            ? DiskErrorKind.InputOutput : null;
}
