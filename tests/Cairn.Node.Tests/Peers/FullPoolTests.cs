using Cairn.Core.Primitives;
using Cairn.Node.Volumes;
using Cairn.Simulation.Disks;
using Cairn.Storage.Ports;

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

        // Who goes on is not made to wait for each.
        TimeSpan before = bench.Scheduler.Now;
        Assert.Equal(VolumeError.NoSpace, bench.Put(bench.Nodes[kept.Count % 4], "more", bench.Bytes(1_500_000)).Error);
        Assert.InRange(bench.Scheduler.Now - before, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        Assert.Contains("fewer machines have room", RefusedOf(bench.Nodes[kept.Count % 4]), StringComparison.Ordinal);
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
        bench.Until(() => bench.Nodes.TrueForAll(node => RefusedOf(node) is null), "nothing said of refused writes");
        Assert.All(bench.Nodes, node => Assert.InRange(node.TakenBytes, 0, Given));
        bench.AssertNoFailures();
    }

    /// <summary>A file that is written anew again and again fills the space with its past, as long as snapshots hold that.</summary>
    [Fact]
    public void A_node_that_the_past_fills_says_so_and_takes_writes_again()
    {
        PoolBench bench = PoolBench.WithDrives(1, 147, Given);
        BenchNode node = bench.Nodes[0];
        IVolumeSnapshots snapshots = node.Drive.Snapshots!;
        for (int i = 0; i < 20 && FullOf(node) is null; i++)
        {
            bench.Put(node, "file", bench.Bytes(8 << 20));
            byte[] name = [(byte)'s', (byte)('a' + i)];
            bench.Do(node, () => snapshots.Create(InodeNumber.Root, name, default).AsTask());
        }

        string full = FullOf(node) ?? throw new InvalidOperationException("20 versions did not fill it");
        Assert.Contains("are past versions and removed files", full, StringComparison.Ordinal);
        bench.Do(node, () => Task.FromResult(
            snapshots.List().Select(one => snapshots.Remove(one.Name)).Count(removed => removed.IsOk)));
        bench.Until(() => FullOf(node) is null, "the past has gone", TimeSpan.FromMinutes(10));
        Assert.True(bench.Put(node, "file", bench.Bytes(8 << 20)).IsOk);
        bench.AssertNoFailures();
    }

    private static string? FullOf(BenchNode node) => ProblemOf(node, "node-full");

    private static string? RefusedOf(BenchNode node) => ProblemOf(node, "writes-refused");

    private static string? ProblemOf(BenchNode node, string code) =>
        node.Status().Problems.Where(problem => problem.Code == code).Select(problem => problem.Message)
            .SingleOrDefault();

    [Fact]
    public void A_full_disk_of_the_host_refuses_writes_without_a_long_wait()
    {
        PoolBench bench = PoolBench.WithDrives(1, 142);
        BenchNode node = bench.Nodes[0];
        node.Disk.ForeignBytes += node.Disk.Space().Value.FreeBytes;
        Result<Unit, VolumeError> put = Unit.Value;
        TimeSpan waited = TimeSpan.Zero;
        for (int i = 0; i < 200 && put.IsOk; i++)
        {
            TimeSpan before = bench.Scheduler.Now;
            put = bench.Put(node, $"file{i:D3}", bench.Bytes(1_500_000));
            waited = bench.Scheduler.Now - before;
        }

        Assert.Equal(VolumeError.NoSpace, put.Error);
        Assert.InRange(waited, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        Assert.Contains(node.Status().Problems, problem => problem.Code == "disk-full");

        node.Disk.ForeignBytes = 0;
        Assert.True(bench.Put(node, "after", bench.Bytes(1_500_000)).IsOk);
        bench.AssertNoFailures();
    }

    [Fact]
    public void A_record_that_the_disk_refuses_is_tried_again_by_housekeeping_alone()
    {
        PoolBench bench = PoolBench.WithDrives(2, 143);
        BenchNode node = bench.Nodes[0];
        int tried = 0;
        node.Disk.Faults.Fail = (path, operation) =>
        {
            bool isRecord = path == "record.new" && operation == DiskOperation.Open;
            tried += isRecord ? 1 : 0;
            return isRecord ? DiskErrorKind.NoSpace : null;
        };
        for (int i = 0; i < 60; i++)
        {
            Assert.True(bench.Put(node, $"file{i:D3}", bench.Bytes(1_500_000)).IsOk);
            bench.Scheduler.RunFor(TimeSpan.FromMilliseconds(500));
        }

        Assert.InRange(tried, 1, 8);
        node.Disk.Faults.Clear();
        bench.Until(
            () => bench.Nodes[1].Info().Single(other => other.Node == node.Id).UsedBytes > 50_000_000, "said again");
    }

    [Fact]
    public void What_a_little_data_takes_is_shown_here_at_once_and_elsewhere_within_minutes()
    {
        const int Written = 4 << 20;
        PoolBench bench = PoolBench.WithDrives(2, 144, spaceBytes: 1L << 30);
        Assert.True(bench.Put(bench.Nodes[0], "file", bench.Bytes(Written)).IsOk);
        bench.Until(() => bench.Nodes[0].Status().PoolState.UsedBytes >= Written, "shown");
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(2));
        Assert.InRange(
            bench.Nodes[1].Info().Single(other => other.Node == bench.Nodes[0].Id).UsedBytes, Written, 2 * Written);
    }

    [Fact]
    public void More_than_the_disk_is_refused_in_the_unit_that_people_read()
    {
        PoolBench bench = PoolBench.Of(1, 145);
        BenchNode node = bench.Nodes[0];
        string refused = bench.Do(node, async () => (await node.Node.SetSpace(100L << 50, default)).Error.Message);
        Assert.Contains("has 4.00 GiB: give at most", refused, StringComparison.Ordinal);
    }

    /// <summary>A chunk that every node refused is not sent round and round, and goes out when there is room.</summary>
    [Fact]
    public void What_all_refused_is_offered_again_ever_more_rarely_and_at_once_when_there_is_room()
    {
        PoolBench bench = PoolBench.Of([256L << 20, 80L << 20], 146);
        (BenchNode writer, BenchNode small) = (bench.Nodes[0], bench.Nodes[1]);
        bench.Ok(writer, () => writer.Node.CreateVolume("scrap", default).AsTask());
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Volumes is { Open.Count: > 0 }), "volume everywhere");
        const int Bytes = 1 << 20;
        bench.Do(writer, () => Task.FromResult(
            Enumerable.Range(0, 80).Select(_ => writer.Volume.Write(bench.Bytes(Bytes))).ToList()));
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(20));
        long owed = writer.Status().Owed.SendBytes;
        Assert.True(owed > Bytes, $"{owed} bytes were refused");
        long before = bench.Network.StreamBytes;
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(20));
        Assert.InRange(bench.Network.StreamBytes - before, 0, 12 * owed);   // every 5 s would be 240 times

        bench.Ok(small, () => small.Node.SetSpace(256L << 20, default).AsTask());
        bench.Until(() => writer.Status().Owed.SendChunks == 0, "all of it is taken", TimeSpan.FromSeconds(20));
        bench.AssertNoFailures();
    }

    [Fact]
    public void Space_for_more_than_there_is_cannot_be_asked_for()
    {
        PoolBench bench = PoolBench.WithDrives(1, 144);
        BenchNode node = bench.Nodes[0];
        Assert.True(bench.Put(node, "file", bench.Bytes(1000)).IsOk);
        Result<Unit, VolumeError> Ask(long bytes, AllocateMode mode) => bench.Do(node, async () =>
        {
            ObjectAttributes file = (await node.Drive.Resolve("file")).Value;
            OpenedFile opened = (await node.Drive.Open(file.Inode, OpenIntent.Write, Caller.Daemon)).Value;
            Result<Unit, VolumeError> asked = await node.Drive.Allocate(opened.Handle, 0, bytes, mode);
            await node.Drive.Release(opened.Handle);
            return asked;
        });
        Assert.Equal(VolumeError.NoSpace, Ask(1L << 40, AllocateMode.Extend).Error);
        Assert.Equal(VolumeError.NoSpace, Ask(1L << 40, AllocateMode.KeepSize).Error);
        Assert.Equal(1000, bench.Get(node, "file")!.Length);
        Assert.True(Ask(1L << 20, AllocateMode.Extend).IsOk);
        Assert.True(Ask(1L << 40, AllocateMode.PunchHole).IsOk);
    }
}
