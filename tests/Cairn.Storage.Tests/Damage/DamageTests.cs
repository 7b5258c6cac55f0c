using System.Buffers.Binary;
using Cairn.Core.Primitives;
using Cairn.Simulation.Disks;
using Cairn.Storage.Home;
using Cairn.Storage.Journaling;
using Cairn.Storage.Packs;
using static Cairn.Storage.Tests.Packs.ChunkStoreTests;

namespace Cairn.Storage.Tests.Damage;

/// <summary>A flipped bit or a cut in every kind of file: noticed, reported by file and place, nothing else lost.</summary>
public sealed class DamageTests
{
    private static readonly JournalOptions JournalOptions =
        new() { SegmentBytes = 16 << 10, SegmentsMax = 8, SegmentsReady = 1 };
    private static readonly ChunkStoreOptions StoreOptions = new() { SpaceBytes = 64L << 20 };

    [Fact]
    public void A_bit_flip_anywhere_in_the_journal_costs_at_most_one_record()
    {
        SimulatedDisk whole = CommittedJournal();
        string[] segments = [.. whole.Files.Where(file => file.EndsWith(".seg", StringComparison.Ordinal))];
        Assert.InRange(segments.Length, 2, 4);
        foreach (string segment in segments)
        {
            for (long offset = 0; offset < whole.LengthOf(segment); offset += 37)
            {
                SimulatedDisk disk = whole.Clone();
                disk.FlipBit(segment, offset, (int)(offset % 8));
                (SortedSet<int> ids, JournalReplayReport report) = Replay(disk);
                Assert.True(ids.Count >= 29, $"{segment}+{offset}: {30 - ids.Count} records lost");
                Assert.True(ids.Count == 30 || report.Damage.Count > 0, $"{segment}+{offset}: lost without a report");
                Assert.All(report.Damage, found => Assert.Equal(StoreErrorKind.Corrupt, found.Error.Kind));
            }
        }
    }

    [Fact]
    public void A_journal_that_was_cut_short_says_so_and_delivers_the_rest()
    {
        SimulatedDisk disk = CommittedJournal();
        disk.Truncate(disk.Files[0], 9000);
        (SortedSet<int> ids, JournalReplayReport report) = Replay(disk);
        Assert.InRange(ids.Count, 20, 29);
        Assert.NotEmpty(report.Damage);
        (SortedSet<int> again, _) = Replay(disk);
        Assert.Equal(ids, again);
    }

    [Fact]
    public void A_bit_flip_anywhere_in_a_pack_costs_at_most_one_record()
    {
        SimulatedDisk whole = new();
        RecordKey[] keys;
        using (ChunkStore store = ChunkStore.Open(whole, StoreOptions).Value)
        {
            keys = [.. Enumerable.Range(0, 12).Select(i => Put(store, i, 700 + i, ChunkUse.Staged))];
        }

        string pack = whole.Files.First(file => file.EndsWith(".pack", StringComparison.Ordinal));
        foreach (bool hasIndex in new[] { true, false })
        {
            for (long offset = 0; offset < 64 + (12 * 832); offset += 13)
            {
                SimulatedDisk disk = whole.Clone();
                if (!hasIndex)
                {
                    Assert.True(disk.Delete("packs/index.snapshot").IsOk);
                }

                disk.FlipBit(pack, offset, (int)(offset % 8));
                using ChunkStore store = ChunkStore.Open(disk, StoreOptions).Value;
                int good = keys.Count(key => store.Verify(key).IsOk);
                Assert.True(good >= 11, $"+{offset}: {12 - good} lost");
                bool isNoticed = store.Findings.Count > 0 || keys.All(store.Contains);
                Assert.True(good == 12 || isNoticed, $"+{offset}: lost without a report");
            }
        }
    }

    [Fact]
    public void A_pack_that_was_cut_short_says_so_and_keeps_what_is_left()
    {
        SimulatedDisk disk = new();
        RecordKey[] keys;
        using (ChunkStore store = ChunkStore.Open(disk, StoreOptions).Value)
        {
            keys = [.. Enumerable.Range(0, 12).Select(i => Put(store, i, 100_000, ChunkUse.Replicated))];
        }

        disk.Truncate(disk.Files.First(file => file.EndsWith(".pack", StringComparison.Ordinal)), 650_000);
        using ChunkStore again = ChunkStore.Open(disk, StoreOptions).Value;
        Assert.NotEmpty(again.Findings);
        Assert.Equal(6, keys.Count(key => again.Contains(key) && again.Verify(key).IsOk));
        Assert.Equal(6, again.Count);
        Put(again, 100, 1 << 20, ChunkUse.Staged);
    }

    [Fact]
    public void A_damaged_or_truncated_index_is_thrown_away_and_rebuilt()
    {
        SimulatedDisk whole = new();
        RecordKey[] keys;
        using (ChunkStore store = ChunkStore.Open(whole, StoreOptions).Value)
        {
            keys = [.. Enumerable.Range(0, 12).Select(i => Put(store, i, 1000, ChunkUse.Cached))];
        }

        const string snapshot = "packs/index.snapshot";
        for (long offset = 0; offset < whole.LengthOf(snapshot); offset += 7)
        {
            SimulatedDisk disk = whole.Clone();
            disk.FlipBit(snapshot, offset, 2);
            using ChunkStore store = ChunkStore.Open(disk, StoreOptions).Value;
            Assert.Contains(snapshot, Assert.Single(store.Findings).Error.Where, StringComparison.Ordinal);
            Assert.All(keys, key => Assert.True(store.Verify(key).IsOk));
        }

        for (long length = 0; length < whole.LengthOf(snapshot); length += 11)
        {
            SimulatedDisk disk = whole.Clone();
            using (Storage.Ports.IDiskFile file = disk.Open(snapshot, Storage.Ports.DiskOpenMode.ReadWrite).Value)
            {
                Assert.True(file.SetLength(length).IsOk);
            }

            using ChunkStore store = ChunkStore.Open(disk, StoreOptions).Value;
            Assert.Contains(snapshot, Assert.Single(store.Findings).Error.Where, StringComparison.Ordinal);
            Assert.All(keys, key => Assert.True(store.Verify(key).IsOk));
        }
    }

    [Fact]
    public void A_home_is_for_one_daemon_and_not_for_a_newer_format()
    {
        SimulatedDisk disk = new();
        using (HomeLayout home = HomeLayout.Open(disk).Value)
        {
            Assert.True(home.IsNew);
            Assert.Equal(StoreErrorKind.InUse, HomeLayout.Open(disk).Error.Kind);
        }

        using (HomeLayout home = HomeLayout.Open(disk).Value)
        {
            Assert.False(home.IsNew);
        }

        // Not before something is written that an older program would take for damage.
        Assert.Equal("cairn home 1\n", VersionText(disk));
        Assert.True(HomeLayout.Raise(disk, HomeLayout.VersionOfBeginnings).IsOk);
        Assert.Equal("cairn home 2\n", VersionText(disk));
        Assert.True(HomeLayout.Raise(disk, 1).IsOk);
        Assert.Equal("cairn home 2\n", VersionText(disk));
        using (HomeLayout home = HomeLayout.Open(disk).Value)
        {
            Assert.False(home.IsNew);
        }

        Assert.True(HomeLayout.Raise(new SimulatedDisk(), HomeLayout.VersionOfBeginnings).IsOk);
        SimulatedDisk newer = disk.Clone();
        using (Storage.Ports.IDiskFile file = newer.Open("version", Storage.Ports.DiskOpenMode.ReadWrite).Value)
        {
            Assert.True(file.Write(0, "cairn home 3\n"u8).IsOk);
        }

        Assert.Equal(StoreErrorKind.NewerFormat, HomeLayout.Open(newer).Error.Kind);
        disk.FlipBit("version", 3, 1);
        Assert.Equal(StoreErrorKind.Corrupt, HomeLayout.Open(disk).Error.Kind);
    }

    private static string VersionText(SimulatedDisk disk)
    {
        using Storage.Ports.IDiskFile file = disk.Open("version", Storage.Ports.DiskOpenMode.Read).Value;
        byte[] text = new byte[file.Length().Value];
        Assert.True(file.Read(0, text).IsOk);
        return System.Text.Encoding.ASCII.GetString(text);
    }

    private static SimulatedDisk CommittedJournal()
    {
        SimulatedDisk disk = new();
        Journal journal = Journal.Open(disk, JournalOptions).Value;
        Assert.True(journal.Replay((_, _, _, _) => true).IsOk);
        byte[] head = new byte[4];
        for (int id = 1; id <= 30; id++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(head, id);
            Assert.True(journal.Append(JournalKind.Note, head, Bytes(id, 1000)).IsOk);
        }

        Assert.True(journal.Commit().IsOk);
        disk.Crash(CrashKind.ProcessKilled, 1);
        return disk;
    }

    private static (SortedSet<int> Ids, JournalReplayReport Report) Replay(SimulatedDisk disk)
    {
        SortedSet<int> ids = [];
        Journal journal = Journal.Open(disk, JournalOptions).Value;
        JournalReplayReport report = journal.Replay((_, _, head, payload) =>
        {
            int id = BinaryPrimitives.ReadInt32LittleEndian(head);
            Assert.Equal(Bytes(id, 1000), payload.ToArray());
            ids.Add(id);
            return true;
        }).Value;
        disk.Crash(CrashKind.ProcessKilled, 2);
        return (ids, report);
    }
}
