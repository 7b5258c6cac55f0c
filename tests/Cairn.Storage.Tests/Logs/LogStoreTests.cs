using Cairn.Core.Primitives;
using Cairn.Simulation.Disks;
using Cairn.Storage.Logs;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Tests.Logs;

/// <summary>What the log store promises: blocks in order, damage known by its sequence, torn tails cut.</summary>
public sealed class LogStoreTests
{
    private static readonly VolumeId Volume = new(Bytes(100, 16));
    private static readonly LogId Log = new(new NodeId(Bytes(200, 32)), 3);

    [Fact]
    public void Blocks_come_back_after_a_restart()
    {
        SimulatedDisk disk = new();
        using (LogStore store = Open(disk))
        {
            Fill(store, 1, 20);
            Assert.True(store.Append(new VolumeId(Bytes(101, 16)), Log, 1, Bytes(1, 10)).IsOk);
            Assert.True(store.Commit().IsOk);
        }

        disk.Crash(CrashKind.PowerLost, 1);
        using LogStore again = Open(disk);
        Assert.Empty(again.Findings);
        Assert.Equal(2, again.Volumes().Count);
        Assert.Equal([Log], again.Logs(Volume));
        AssertBlocks(again, 20);
    }

    [Fact]
    public void What_was_not_committed_is_lost_as_a_tail()
    {
        for (ulong seed = 0; seed < 100; seed++)
        {
            SimulatedDisk disk = new();
            LogStore store = Open(disk);
            Fill(store, 1, 10);
            Assert.True(store.Commit().IsOk);
            Fill(store, 11, 10);
            disk.Crash(CrashKind.PowerLost, seed);
            store = Open(disk);
            Assert.Empty(store.Findings);
            ulong last = store.LastSeq(Volume, Log);
            Assert.InRange(last, 10ul, 20ul);
            AssertBlocks(store, (int)last);
            Fill(store, (int)last + 1, 3);
            Assert.True(store.Commit().IsOk);
            store.Dispose();
            AssertBlocks(Open(disk), (int)last + 3);
        }
    }

    [Fact]
    public void A_block_that_the_device_refuses_once_is_read_and_not_taken_for_damage()
    {
        SimulatedDisk disk = new();
        using LogStore store = Open(disk);
        Fill(store, 1, 3);
        int refused = 0;
        disk.Faults.Fail = (_, asked) =>
            asked == DiskOperation.Read && refused++ == 0 ? DiskErrorKind.InputOutput : null;
        AssertBlocks(store, 3);
        Assert.True(refused > 1);
        Assert.Empty(store.Findings);
        Assert.False(store.IsDamaged(Volume, Log));
    }

    [Fact]
    public void A_bit_flip_anywhere_costs_at_most_one_block_which_can_be_written_again()
    {
        SimulatedDisk fresh = new();
        using (LogStore store = Open(fresh))
        {
            Fill(store, 1, 6);
            Assert.True(store.Commit().IsOk);
        }

        string path = fresh.Files.Single(file => file.EndsWith(".log", StringComparison.Ordinal));
        for (long offset = 0; offset < fresh.LengthOf(path); offset += 5)
        {
            SimulatedDisk disk = fresh.Clone();
            disk.FlipBit(path, offset, (int)(offset % 8));
            using LogStore store = Open(disk);
            IReadOnlyList<ulong> missing = store.Missing(Volume, Log);
            ulong last = store.LastSeq(Volume, Log);
            Assert.True(last is 5 or 6 && missing.Count <= (last == 6 ? 1 : 0), $"{offset}: {last}, {missing.Count}");
            bool isLost = missing.Count > 0 || last == 5;
            Assert.True(!isLost || store.Findings.Count > 0, $"{offset}: nothing reported");
            foreach (ulong seq in missing.Concat(last == 5 ? [6ul] : []))
            {
                Assert.True(store.Append(Volume, Log, seq, Bytes((int)seq, 50 * (int)seq)).IsOk);
            }

            AssertBlocks(store, 6);
        }
    }

    [Fact]
    public void A_block_that_rots_while_running_is_reported_and_asked_for_again()
    {
        SimulatedDisk disk = new();
        using LogStore store = Open(disk);
        Fill(store, 1, 3);
        disk.FlipBit(disk.Files.Single(file => file.EndsWith(".log", StringComparison.Ordinal)), 128 + 40, 3);
        Assert.Equal(StoreErrorKind.Corrupt, store.Read(Volume, Log, 1).Error.Kind);
        Assert.Equal([1ul], store.Missing(Volume, Log));
        Fill(store, 1, 1);
        AssertBlocks(store, 3);
    }

    /// <summary>Opened again and again: what was cut off stays known as lost until all of it is back.</summary>
    [Fact]
    public void A_cut_is_remembered_until_the_blocks_are_back()
    {
        SimulatedDisk disk = new();
        using (LogStore store = Open(disk))
        {
            Fill(store, 1, 6);
            Assert.True(store.Commit().IsOk);
            Assert.False(store.HasLostEnd(Volume, Log));
        }

        string path = disk.Files.Single(file => file.EndsWith(".log", StringComparison.Ordinal));
        disk.Truncate(path, disk.LengthOf(path) - 400);
        for (int i = 0; i < 2; i++)
        {
            using LogStore cut = Open(disk);
            Assert.True(cut.HasLostEnd(Volume, Log) && cut.IsDamaged(Volume, Log));
            Assert.NotEmpty(cut.Findings);
        }

        using (LogStore store = Open(disk))
        {
            Fill(store, (int)store.LastSeq(Volume, Log) + 1, 6 - (int)store.LastSeq(Volume, Log));
            Assert.True(store.Commit().IsOk);
        }

        AssertBlocks(Open(disk), 6);
    }

    [Fact]
    public void A_log_that_was_begun_is_there_again_though_nothing_was_written()
    {
        SimulatedDisk disk = new();
        using (LogStore store = Open(disk))
        {
            Assert.True(store.Begin(Volume, Log).IsOk);
            Assert.True(store.Commit().IsOk);
        }

        disk.Crash(CrashKind.PowerLost, 1);
        using (LogStore again = Open(disk))
        {
            Assert.Equal([Log], again.Logs(Volume));
            Assert.False(again.IsDamaged(Volume, Log));
            Assert.Empty(again.Findings);
        }

        // One that was emptied is told from it.
        disk.Truncate(disk.Files.Single(), 0);
        using LogStore emptied = Open(disk);
        Assert.True(emptied.IsDamaged(Volume, Log));
        Assert.False(emptied.HasLostEnd(Volume, Log));
    }

    [Fact]
    public void Removing_a_volume_leaves_no_file()
    {
        SimulatedDisk disk = new();
        using LogStore store = Open(disk);
        Fill(store, 1, 3);
        Assert.True(store.Remove(Volume).IsOk);
        Assert.True(store.Commit().IsOk);
        Assert.Empty(disk.Files);
    }

    private static LogStore Open(SimulatedDisk disk) => LogStore.Open(disk).Value;

    private static void Fill(LogStore store, int first, int count)
    {
        for (int seq = first; seq < first + count; seq++)
        {
            Assert.True(store.Append(Volume, Log, (ulong)seq, Bytes(seq, 50 * seq)).IsOk);
        }
    }

    private static void AssertBlocks(LogStore store, int last)
    {
        Assert.Equal((ulong)last, store.LastSeq(Volume, Log));
        for (int seq = 1; seq <= last; seq++)
        {
            Assert.Equal(Bytes(seq, 50 * seq), store.Read(Volume, Log, (ulong)seq).Value);
        }
    }

    private static byte[] Bytes(int seed, int length)
    {
        byte[] bytes = new byte[length];
        new Prng((ulong)seed).Fill(bytes);
        return bytes;
    }
}
