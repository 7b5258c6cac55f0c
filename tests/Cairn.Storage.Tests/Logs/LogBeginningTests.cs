using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Simulation.Disks;
using Cairn.Storage.Home;
using Cairn.Storage.Logs;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Tests.Logs;

/// <summary>What the log store promises about a log whose oldest blocks are dropped, by <see cref="LogBeginning"/>.</summary>
public sealed class LogBeginningTests
{
    private const int Whole = 40;
    private const int Dropped = 25;
    private static readonly VolumeId Volume = new(Bytes(100, 16));
    private static readonly LogId Log = new(new NodeId(Bytes(200, 32)), 3);

    [Fact]
    public void What_is_before_is_gone_with_its_space_and_the_log_goes_on()
    {
        SimulatedDisk disk = new();
        using (LogStore store = Filled(disk))
        {
            long before = store.BytesOf(Volume);
            long given = store.BeginAt(Volume, Log, Behind(Dropped)).Value;
            Assert.Equal(before - store.BytesOf(Volume), given);
            Assert.InRange(store.BytesOf(Volume) - disk.LengthOf(PathOf(disk)), 0, 31);
            Assert.True(given > 9000, $"{given} bytes");
            AssertBegins(store, Dropped, Whole);
            Assert.Equal(StoreErrorKind.NotFound, store.Read(Volume, Log, Dropped).Error.Kind);
            Assert.Equal(-1, store.Length(Volume, Log, Dropped));

            // What comes late from before is not wanted, and what follows is.
            Fill(store, 3, 3);
            Fill(store, Whole + 1, Whole + 2);
            Assert.True(store.Commit().IsOk);
        }

        disk.Crash(CrashKind.PowerLost, 1);
        using LogStore again = Open(disk);
        Assert.Empty(again.Findings);
        AssertBegins(again, Dropped, Whole + 2);
        Assert.Equal([Log], again.Logs(Volume));

        // It never begins earlier again, and later as often as somebody wants.
        Assert.Equal(0, again.BeginAt(Volume, Log, Behind(Dropped)).Value);
        Assert.Equal(0, again.BeginAt(Volume, Log, Behind(3)).Value);
        Assert.True(again.BeginAt(Volume, Log, Behind(Whole)).Value > 0);
        AssertBegins(again, Whole, Whole + 2);
        Assert.True(again.Remove(Volume).IsOk);
        Assert.DoesNotContain(disk.Files, file => file.EndsWith(".log", StringComparison.Ordinal));
    }

    [Fact]
    public void A_log_of_which_less_is_here_or_nothing_begins_where_it_is_told_to()
    {
        SimulatedDisk disk = new();
        LogId other = Log with { Incarnation = 9 };
        using (LogStore store = Open(disk))
        {
            Fill(store, 1, 5);
            Assert.True(store.BeginAt(Volume, Log, Behind(Dropped)).IsOk);
            Assert.True(store.BeginAt(Volume, other, Behind(7)).IsOk);
        }

        disk.Crash(CrashKind.PowerLost, 2);
        using LogStore again = Open(disk);
        Assert.Empty(again.Findings);
        AssertBegins(again, Dropped, Dropped);
        Assert.Equal((Behind(7), 7ul), (again.Beginning(Volume, other), again.LastSeq(Volume, other)));
        Fill(again, Dropped + 1, Dropped + 3);
        AssertBegins(again, Dropped, Dropped + 3);
    }

    [Theory]
    [InlineData(CrashKind.ProcessKilled)]
    [InlineData(CrashKind.PowerLost)]
    public void A_crash_at_any_operation_leaves_a_log_that_begins_at_one_of_the_two_places(CrashKind kind)
    {
        SimulatedDisk whole = new();
        using LogStore story = Filled(whole);
        long first = whole.Faults.ChangeCount + 1;
        Assert.True(story.BeginAt(Volume, Log, Behind(Dropped)).IsOk);
        long last = whole.Faults.ChangeCount;
        Assert.InRange(last - first, 15, 100);
        HashSet<ulong> seen = [];
        for (long k = first; k <= last; k++)
        {
            for (ulong seed = 0; seed < 16; seed++)
            {
                SimulatedDisk disk = new();
                LogStore store = Filled(disk);
                disk.Faults.DieAtChange = k;
                bool isDone = store.BeginAt(Volume, Log, Behind(Dropped)).IsOk;
                disk.Crash(kind, (seed * 1000) + (ulong)k);
                using LogStore again = Open(disk);
                string at = $"operation {k}, seed {seed}";
                Assert.True(again.Findings.Count == 0, $"{at}: {string.Join("; ", again.Findings)}");
                ulong begins = again.Beginning(Volume, Log).BlockSeq;
                Assert.True(begins == Dropped || (begins == 0 && !isDone), $"{at}: it begins behind {begins}");
                AssertBegins(again, (int)begins, Whole);
                Assert.DoesNotContain(disk.Files, file => file.EndsWith(".new", StringComparison.Ordinal));
                seen.Add(begins);

                // What was not done is done by the next try.
                Assert.True(again.BeginAt(Volume, Log, Behind(Dropped)).IsOk);
                AssertBegins(again, Dropped, Whole);
            }
        }

        Assert.Equal(2, seen.Count);
    }

    /// <summary>A program that knows no such logs would take them for damaged.</summary>
    [Fact]
    public void Before_a_log_begins_later_its_home_says_so_to_older_programs()
    {
        SimulatedDisk disk = new();
        HomeLayout.Open(disk).Value.Dispose();
        using LogStore store = Filled(disk);
        disk.Faults.Fail =
            (path, _) => path.StartsWith("version", StringComparison.Ordinal) ? DiskErrorKind.NoSpace : null;
        Assert.False(store.BeginAt(Volume, Log, Behind(Dropped)).IsOk);
        AssertBegins(store, 0, Whole);
        disk.Faults.Fail = null;
        Assert.Equal(13, disk.LengthOf("version"));
        Assert.True(store.BeginAt(Volume, Log, Behind(Dropped)).IsOk);
        AssertBegins(store, Dropped, Whole);
        using IDiskFile version = disk.Open("version", DiskOpenMode.Read).Value;
        byte[] text = new byte[13];
        Assert.True(version.Read(0, text).IsOk);
        Assert.Equal("cairn home 2\n"u8.ToArray(), text);
    }

    [Theory]
    [InlineData(DiskOperation.Open, DiskErrorKind.NoSpace)]
    [InlineData(DiskOperation.Write, DiskErrorKind.NoSpace)]
    [InlineData(DiskOperation.Write, DiskErrorKind.InputOutput)]
    [InlineData(DiskOperation.Rename, DiskErrorKind.NotPermitted)]
    [InlineData(DiskOperation.Sync, DiskErrorKind.InputOutput)]
    public void A_disk_that_refuses_leaves_the_log_as_it_was(DiskOperation operation, DiskErrorKind error)
    {
        for (int k = 1; k <= 20; k++)
        {
            SimulatedDisk disk = new();
            using LogStore store = Filled(disk);
            int count = 0;
            disk.Faults.Fail = (_, asked) => asked == operation && ++count == k ? error : null;
            bool isDone = store.BeginAt(Volume, Log, Behind(Dropped)).IsOk;
            disk.Faults.Fail = null;
            if (!isDone && operation != DiskOperation.Sync)
            {
                AssertBegins(store, 0, Whole);
                Fill(store, Whole + 1, Whole + 1);
                Assert.True(store.Commit().IsOk);
                Assert.True(store.BeginAt(Volume, Log, Behind(Dropped)).IsOk);
                AssertBegins(store, Dropped, Whole + 1);
            }

            disk.Crash(CrashKind.PowerLost, (ulong)k);
            using LogStore again = Open(disk);
            Assert.Empty(again.Findings);
            ulong begins = again.Beginning(Volume, Log).BlockSeq;
            Assert.True(begins == Dropped || (begins == 0 && !isDone), $"{k}: {begins}");
            AssertBegins(again, (int)begins, (int)again.LastSeq(Volume, Log));
        }
    }

    [Fact]
    public void A_bit_flip_anywhere_never_takes_the_beginning_and_at_most_one_block()
    {
        SimulatedDisk fresh = new();
        using (LogStore store = Filled(fresh))
        {
            Assert.True(store.BeginAt(Volume, Log, Behind(Whole - 6)).IsOk);
            Fill(store, Whole + 1, Whole + 1);
            Assert.True(store.Commit().IsOk);
        }

        const int last = Whole + 1;
        string path = PathOf(fresh);
        for (long offset = 0; offset < fresh.LengthOf(path); offset += offset is 127 or 4096 + 127 ? 3969 : 1)
        {
            SimulatedDisk disk = fresh.Clone();
            disk.FlipBit(path, offset, (int)(offset % 8));
            for (int opening = 0; opening < 2; opening++)
            {
                using LogStore store = Open(disk);
                Assert.Equal(Behind(Whole - 6), store.Beginning(Volume, Log));
                IReadOnlyList<ulong> missing = store.Missing(Volume, Log);
                ulong end = store.LastSeq(Volume, Log);
                Assert.True(end is last or last - 1 && missing.Count <= (end == last ? 1 : 0), $"{offset}: {end}");
                bool isHeader = offset % 4096 < 128 && offset < 8192;
                bool isLost = missing.Count > 0 || end < last;
                Assert.True(!isLost || store.Findings.Count > 0, $"{offset}: nothing reported");
                Assert.True(!isHeader || opening > 0 || store.IsDamaged(Volume, Log), $"{offset}: not noticed");
                Assert.True(!isHeader || opening == 0 || store.Findings.Count == 0, $"{offset}: not repaired");
            }

            using LogStore mended = Open(disk);
            foreach (ulong seq in mended.Missing(Volume, Log))
            {
                Fill(mended, (int)seq, (int)seq);
            }

            Fill(mended, (int)mended.LastSeq(Volume, Log) + 1, last);
            AssertBegins(mended, Whole - 6, last);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4096)]
    public void A_page_that_cannot_be_read_takes_one_header_and_the_other_says_it_again(int offset)
    {
        SimulatedDisk disk = new();
        using (LogStore store = Filled(disk))
        {
            Assert.True(store.BeginAt(Volume, Log, Behind(Dropped)).IsOk);
        }

        disk.BreakSector(PathOf(disk), offset);
        for (int i = 0; i < 2; i++)
        {
            using LogStore again = Open(disk);
            Assert.True(again.IsDamaged(Volume, Log));
            Assert.NotEmpty(again.Findings);
            AssertBegins(again, Dropped, Whole);
        }
    }

    /// <summary>Both headers gone: what is left is kept, and whoever knows where it begins says so again.</summary>
    [Fact]
    public void A_file_that_does_not_know_any_more_where_it_begins_can_be_told()
    {
        SimulatedDisk disk = new();
        using (LogStore store = Filled(disk))
        {
            Assert.True(store.BeginAt(Volume, Log, Behind(Dropped)).IsOk);
        }

        disk.FlipBit(PathOf(disk), 101, 1);
        disk.FlipBit(PathOf(disk), 4096 + 101, 1);
        using LogStore again = Open(disk);
        Assert.NotEmpty(again.Findings);
        Assert.True(again.Beginning(Volume, Log).IsFirst);
        Assert.Equal(Dropped, again.Missing(Volume, Log).Count);
        Assert.True(again.BeginAt(Volume, Log, Behind(Dropped)).IsOk);
        AssertBegins(again, Dropped, Whole);
    }

    [Fact]
    public void A_log_whose_kept_blocks_are_damaged_is_mended_first()
    {
        SimulatedDisk disk = new();
        using LogStore store = Filled(disk);
        disk.FlipBit(PathOf(disk), disk.LengthOf(PathOf(disk)) - 3000, 3);
        Assert.Equal(StoreErrorKind.Corrupt, store.BeginAt(Volume, Log, Behind(Dropped)).Error.Kind);
        Assert.Equal(StoreErrorKind.Corrupt, store.BeginAt(Volume, Log, Behind(Dropped)).Error.Kind);
        Assert.True(store.Beginning(Volume, Log).IsFirst);
        Assert.True(store.Read(Volume, Log, 1).IsOk);
        int bad = (int)Assert.Single(store.Missing(Volume, Log));
        Fill(store, bad, bad);
        Assert.True(store.BeginAt(Volume, Log, Behind(Dropped)).IsOk);
        AssertBegins(store, Dropped, Whole);
    }

    [Fact]
    public void A_lost_end_stays_known()
    {
        SimulatedDisk disk = new();
        using (LogStore store = Filled(disk))
        {
            Assert.True(store.Commit().IsOk);
        }

        disk.Truncate(PathOf(disk), disk.LengthOf(PathOf(disk)) - 2000);
        using (LogStore cut = Open(disk))
        {
            // What is behind the beginning may be lost: nothing is dropped. Where nothing is behind it, it begins.
            Assert.Equal(StoreErrorKind.Corrupt, cut.BeginAt(Volume, Log, Behind(Dropped)).Error.Kind);
            Assert.True(cut.BeginAt(Volume, Log, Behind(Whole)).IsOk);
            Assert.True(cut.HasLostEnd(Volume, Log));
        }

        using LogStore again = Open(disk);
        Assert.True(again.HasLostEnd(Volume, Log) && again.IsDamaged(Volume, Log));
        AssertBegins(again, Whole, Whole);
    }

    [Fact]
    public void What_is_appended_and_read_while_blocks_are_dropped_is_kept()
    {
        SimulatedDisk disk = new();
        using LogStore store = Filled(disk);
        int next = Whole;
        int writes = 0;
        bool isBusy = false;
        disk.Faults.Fail = (path, asked) =>
        {
            bool isCopy = asked == DiskOperation.Write && path.EndsWith(".new", StringComparison.Ordinal);
            if (!isBusy && isCopy && writes++ < 9)
            {
                isBusy = true;
                Fill(store, next + 1, ++next);
                Assert.Equal(Bytes(Whole - 1, 50 * (Whole - 1)), store.Read(Volume, Log, Whole - 1).Value);
                Assert.True(writes != 4 || store.Commit().IsOk);
                isBusy = false;
            }

            return null;
        };
        Assert.True(store.BeginAt(Volume, Log, Behind(Dropped)).IsOk);
        disk.Faults.Fail = null;
        Assert.Equal(Whole + 9, next);
        AssertBegins(store, Dropped, next);
        disk.Crash(CrashKind.PowerLost, 4);
        using LogStore again = Open(disk);
        Assert.Empty(again.Findings);
        AssertBegins(again, Dropped, next);
    }

    private static void AssertBegins(LogStore store, int dropped, int last)
    {
        Assert.Equal(dropped == 0 ? default : Behind(dropped), store.Beginning(Volume, Log));
        Assert.Equal((ulong)last, store.LastSeq(Volume, Log));
        Assert.Empty(store.Missing(Volume, Log));
        for (int seq = dropped + 1; seq <= last; seq++)
        {
            Assert.Equal(Bytes(seq, 50 * seq), store.Read(Volume, Log, (ulong)seq).Value);
        }
    }

    private static LogStore Filled(SimulatedDisk disk)
    {
        LogStore store = Open(disk);
        Fill(store, 1, Whole);
        Assert.True(store.Commit().IsOk);
        return store;
    }

    private static void Fill(LogStore store, int first, int last)
    {
        for (int seq = first; seq <= last; seq++)
        {
            Assert.True(store.Append(Volume, Log, (ulong)seq, Bytes(seq, 50 * seq)).IsOk);
        }
    }

    private static LogBeginning Behind(int seq) =>
        new((ulong)seq, new BlockHash(Bytes(seq, BlockHash.Size)), (ulong)seq * 3, 50_000);

    private static LogStore Open(SimulatedDisk disk) => LogStore.Open(disk).Value;

    private static string PathOf(SimulatedDisk disk) =>
        disk.Files.Single(file => file.EndsWith("-3.log", StringComparison.Ordinal));

    private static byte[] Bytes(int seed, int length)
    {
        byte[] bytes = new byte[length];
        new Prng((ulong)seed).Fill(bytes);
        return bytes;
    }
}
