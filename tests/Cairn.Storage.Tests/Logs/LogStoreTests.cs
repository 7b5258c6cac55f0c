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

        string path = PathOf(fresh);
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
        disk.FlipBit(PathOf(disk), 128 + 40, 3);
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

        string path = PathOf(disk);
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
        disk.Truncate(PathOf(disk), 0);
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
        Assert.Equal(["logs.list"], disk.Files);
        Assert.Empty(Open(disk).Findings);
    }

    /// <summary>Opened again and again: nobody can say how much was in it, so its end counts as lost for ever.</summary>
    [Fact]
    public void A_log_whose_file_was_deleted_is_missed()
    {
        SimulatedDisk disk = new();
        using (LogStore store = Open(disk))
        {
            Fill(store, 1, 3);
            Assert.True(store.Commit().IsOk);
        }

        Assert.True(disk.Delete(PathOf(disk)).IsOk);
        for (int i = 0; i < 2; i++)
        {
            using LogStore emptied = Open(disk);
            LogDamage gone = Assert.Single(emptied.Findings);
            Assert.Equal((Volume, Log), (gone.Volume, gone.Log));
            Assert.Equal([Log], emptied.Logs(Volume));
            Assert.True(emptied.HasLostEnd(Volume, Log) && emptied.IsDamaged(Volume, Log));
        }

        using (LogStore store = Open(disk))
        {
            Fill(store, 1, 2);
            Assert.True(store.Commit().IsOk);
        }

        using LogStore refilled = Open(disk);
        Assert.Empty(refilled.Findings);
        Assert.True(refilled.HasLostEnd(Volume, Log));
        AssertBlocks(refilled, 2);
    }

    [Fact]
    public void A_list_of_logs_that_is_damaged_or_absent_is_made_anew()
    {
        SimulatedDisk disk = new();
        using (LogStore store = Open(disk))
        {
            Fill(store, 1, 3);
            Assert.True(store.Commit().IsOk);
        }

        disk.FlipBit("logs.list", 20, 1);
        using (LogStore store = Open(disk))
        {
            Assert.Empty(store.Findings);
        }

        Assert.True(disk.Delete(PathOf(disk)).IsOk);
        using LogStore emptied = Open(disk);
        Assert.Single(emptied.Findings);
    }

    /// <summary>A bad sector: however often it is asked, the device does not give it. In the header, the middle, the end.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(20_000)]
    [InlineData(-1)]
    public void Blocks_that_the_device_refuses_for_ever_are_written_again_elsewhere(long offset)
    {
        const int last = 40;
        SimulatedDisk disk = new();
        using (LogStore store = Open(disk))
        {
            Fill(store, 1, last);
            Assert.True(store.Commit().IsOk);
            disk.BreakSector(PathOf(disk), offset < 0 ? disk.LengthOf(PathOf(disk)) - 1 : offset);
            int[] refused = [.. Enumerable.Range(1, last).Where(seq => !store.Read(Volume, Log, (ulong)seq).IsOk)];
            Assert.InRange(refused.Length, 1, 20);
            Assert.Equal(refused.Select(seq => (ulong)seq), store.Missing(Volume, Log));
            Assert.Equal(refused.Length, store.Findings.Count);
            Array.ForEach(refused, seq => Fill(store, seq, 1));
            AssertBlocks(store, last);
            Assert.True(store.Commit().IsOk);
        }

        using LogStore again = Open(disk);
        AssertBlocks(again, last);
        Fill(again, last + 1, 1);
        AssertBlocks(again, last + 1);
    }

    [Fact]
    public void A_start_finds_what_lies_behind_a_bad_sector()
    {
        const int last = 40;
        SimulatedDisk disk = new();
        using (LogStore store = Open(disk))
        {
            Fill(store, 1, last);
            Assert.True(store.Commit().IsOk);
        }

        disk.BreakSector(PathOf(disk), 0);
        using LogStore again = Open(disk);
        Assert.NotEmpty(again.Findings);
        Assert.Equal((ulong)last, again.LastSeq(Volume, Log));
        Assert.InRange(again.Missing(Volume, Log).Count, 1, 20);
        Assert.True(again.Read(Volume, Log, last).IsOk);
    }

    private static string PathOf(SimulatedDisk disk) =>
        disk.Files.Single(file => file.EndsWith(".log", StringComparison.Ordinal));

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
