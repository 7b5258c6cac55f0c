using Cairn.Core.Primitives;
using Cairn.Simulation.Disks;
using Cairn.Storage.Packs;
using Cairn.Storage.Ports;

namespace Cairn.Node.Tests.Peers;

/// <summary>An owed chunk that this node cannot read now is owed all the same, and its owner hears of it.</summary>
public sealed class UnreadableOwedTests
{
    [Fact]
    public void What_the_disk_does_not_give_now_stays_owed_and_goes_out_when_it_does()
    {
        (PoolBench bench, BenchNode writer, ChunkAddress address) = Owing(91);
        FailReads(writer);
        StartOthers(bench);
        bench.Until(() => IsNamed(writer, address), "the owner hears of it");
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(2));
        Assert.True(IsNamed(writer, address));
        Assert.Equal(1, writer.Status().Owed.SendChunks);
        Assert.False(writer.Status().IsSafe);
        Assert.Equal(1, writer.Status().OnlyHere.Chunks);
        writer.Disk.Faults.Fail = null;
        bench.Until(
            () => bench.Nodes.TrueForAll(node => node.Holds(address)), "every node has it", TimeSpan.FromMinutes(10));
        bench.Until(() => writer.Status() is { IsSafe: true, Owed.SendChunks: 0 }, "it is safe");
        Assert.False(IsNamed(writer, address));
        bench.AssertNoFailures();
    }

    [Fact]
    public void What_has_rotted_stays_owed_over_a_restart_and_is_sent_round_no_more()
    {
        (PoolBench bench, BenchNode writer, ChunkAddress address) = Owing(92);
        Rot(writer);
        StartOthers(bench);
        bench.Until(() => IsNamed(writer, address), "the owner hears of it");
        writer.Kill();
        writer.Start();
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(1));
        Assert.True(IsNamed(writer, address));
        Assert.Equal(1, writer.Status().Owed.SendChunks);
        Assert.False(writer.Status().IsSafe);
        Assert.Single(writer.Lines, line => line.Contains("cannot be sent", StringComparison.Ordinal));
    }

    [Fact]
    public void What_has_rotted_is_taken_from_the_cache_of_another_node()
    {
        (PoolBench bench, BenchNode writer, ChunkAddress address) = Owing(93);
        BenchNode reader = bench.Nodes[1];
        byte[] good = new byte[writer.Stores!.Chunks.Length(RecordKey.Copy(address))];
        Assert.True(writer.Stores.Chunks.Read(RecordKey.Copy(address), 0, good).IsOk);
        Rot(writer);
        StartOthers(bench);
        Assert.True(reader.Stores!.Chunks.Put(RecordKey.Copy(address), good, ChunkUse.Cached).IsOk);
        bench.Until(
            () => bench.Nodes.TrueForAll(node => node.Holds(address)), "every node has it", TimeSpan.FromMinutes(10));
        bench.Until(() => writer.Status() is { IsSafe: true, Owed.SendChunks: 0 }, "it is safe");
        Assert.True(writer.Stores!.Chunks.Verify(RecordKey.Copy(address)).IsOk);
    }

    /// <summary>A read that fails once while nothing is bad is tried again after a pause, and not named.</summary>
    [Fact]
    public void A_read_that_failed_once_is_no_problem()
    {
        (PoolBench bench, BenchNode writer, ChunkAddress address) = Owing(94);
        int reads = 0;
        writer.Disk.Faults.Fail = (path, operation) =>
            operation == DiskOperation.Read && path.EndsWith(".pack", StringComparison.Ordinal) && reads++ < 8
                ? DiskErrorKind.InputOutput
                : null;
        StartOthers(bench);
        bench.Until(
            () => bench.Nodes.TrueForAll(node => node.Holds(address)), "every node has it", TimeSpan.FromMinutes(2));
        bench.Until(() => writer.Status() is { IsSafe: true, Owed.SendChunks: 0 }, "it is safe");
        Assert.InRange(reads, 9, 200);
    }

    /// <summary>A pool of three, and a chunk that one of them wrote while it was alone.</summary>
    private static (PoolBench Bench, BenchNode Writer, ChunkAddress Address) Owing(ulong seed)
    {
        PoolBench bench = PoolBench.Of(3, seed);
        bench.Ok(bench.Nodes[0], () => bench.Nodes[0].Node.CreateVolume("v", default).AsTask());
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Volumes!.Open.Count == 1), "the volume is everywhere");
        BenchNode writer = bench.Nodes[0];
        bench.Nodes.Skip(1).ToList().ForEach(other => other.Kill());
        ChunkAddress address = bench.Do(writer, () => Task.FromResult(writer.Volume.Write(bench.Bytes(100_000))));
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(5));
        Assert.Equal(1, writer.Status().Owed.SendChunks);
        return (bench, writer, address);
    }

    private static void StartOthers(PoolBench bench) => bench.Nodes.Skip(1).ToList().ForEach(other => other.Start());

    private static void FailReads(BenchNode node) => node.Disk.Faults.Fail = static (path, operation) =>
        operation == DiskOperation.Read && path.EndsWith(".pack", StringComparison.Ordinal)
            ? DiskErrorKind.InputOutput
            : null;

    private static void Rot(BenchNode node)
    {
        string pack = node.Disk.Files.First(file => file.EndsWith(".pack", StringComparison.Ordinal));
        node.Disk.FlipBit(pack, 50_000, 3);
    }

    private static bool IsNamed(BenchNode node, ChunkAddress address) => node.Status().Problems.Any(
        problem => problem.Code == "owed-unreadable"
            && problem.Message.Contains(address.Short, StringComparison.Ordinal));
}
