using Cairn.Core.Primitives;
using Cairn.Simulation.Disks;
using Cairn.Storage.Journaling;
using static Cairn.Storage.Tests.Journaling.JournalRecords;

namespace Cairn.Storage.Tests.Journaling;

/// <summary>What the journal promises when nothing goes wrong, and after kill -9 and power loss.</summary>
public sealed class JournalTests
{
    [Fact]
    public void Records_come_back_in_order_after_a_clean_close()
    {
        SimulatedDisk disk = new();
        using (Journal journal = Open(disk))
        {
            Append(journal, 1, 100);
            Append(journal, 2, 30_000);
            Append(journal, 3, 0);
            Assert.True(journal.Commit().IsOk);
        }

        (List<int> ids, JournalReplayReport report) = Replay(disk);
        Assert.Equal([1, 2, 3], ids);
        Assert.True(report.WasClean);
        Assert.Empty(report.Damage);
    }

    /// <summary>The later segment would be used again first: the earlier one is pinned by a record of somebody else.</summary>
    [Fact]
    public void A_record_that_makes_another_void_stays_as_long_as_that_one_can_be_found()
    {
        SimulatedDisk disk = new();
        Journal journal = Open(disk);
        JournalPosition begun = Append(journal, 1, 100);
        JournalPosition pin = Append(journal, 2, 100);
        JournalPosition filler = Append(journal, 3, 60_000);
        JournalPosition end = Append(journal, 4, 10_000);
        JournalPosition more = Append(journal, 5, 60_000);
        journal.Release(begun);
        journal.Release(filler);
        journal.Release(end, after: begun);
        journal.Release(more);
        SimulatedDisk killed = disk.Clone();
        killed.Crash(CrashKind.ProcessKilled, 1);
        Assert.Contains(4, Replay(killed).Ids);

        // With the pin the first segment goes, then the second.
        journal.Release(pin);
        disk.Crash(CrashKind.ProcessKilled, 1);
        Assert.DoesNotContain(4, Replay(disk).Ids);
    }

    [Fact]
    public void Acknowledged_records_survive_a_killed_process_without_a_commit()
    {
        SimulatedDisk disk = new();
        Journal journal = Open(disk);
        Append(journal, 1, 100);
        Append(journal, 2, 5000);
        disk.Crash(CrashKind.ProcessKilled, 1);
        (List<int> ids, JournalReplayReport report) = Replay(disk);
        Assert.Equal([1, 2], ids);
        Assert.False(report.WasClean);
        Assert.Empty(report.Damage);
    }

    [Fact]
    public void Committed_records_survive_power_loss_and_the_rest_is_a_prefix()
    {
        for (ulong seed = 0; seed < 200; seed++)
        {
            SimulatedDisk disk = new();
            Journal journal = Open(disk);
            for (int id = 1; id <= 20; id++)
            {
                Append(journal, id, 3000 + (id * 97));
                if (id == 8)
                {
                    Assert.True(journal.Commit().IsOk);
                }
            }

            disk.Crash(CrashKind.PowerLost, seed);
            (List<int> ids, JournalReplayReport report) = Replay(disk);
            Assert.True(ids.Count >= 8, $"seed {seed}: {ids.Count} records");
            Assert.Equal(Enumerable.Range(1, ids.Count), ids);
            Assert.Empty(report.Damage);
        }
    }

    [Fact]
    public void Payload_is_read_back_by_range_while_the_journal_runs()
    {
        using Journal journal = Open(new SimulatedDisk());
        byte[] payload = Payload(7, 10_000);
        JournalPosition position = journal.Append(JournalKind.Extent, [7, 0, 0, 0], payload).Value;
        byte[] part = new byte[4096];
        Assert.True(journal.Read(position, 1234, part).IsOk);
        Assert.Equal(payload[1234..5330], part);
    }

    [Fact]
    public void Released_segments_are_used_again_and_the_journal_never_grows()
    {
        SimulatedDisk disk = new();
        using Journal journal = Open(disk);
        for (int id = 1; id <= 500; id++)
        {
            journal.Release(Append(journal, id, 20_000));
        }

        Assert.InRange(disk.Files.Count, 1, 3);
    }

    /// <summary>The owner gives less, and the daemon starts again: the segments are fewer, and each is shorter.</summary>
    [Fact]
    public void A_journal_that_is_given_less_gives_the_rest_back_to_the_disk()
    {
        SimulatedDisk disk = new();
        JournalOptions large = Small with { SegmentBytes = 256 << 10, SegmentsReady = 4 };
        using (Journal journal = Open(disk, large))
        {
            List<JournalPosition> held = [.. Enumerable.Range(1, 40).Select(id => Append(journal, id, 30_000))];
            held.ForEach(position => journal.Release(position));
        }

        using Journal smaller = Journal.Open(disk, Small).Value;
        Assert.True(smaller.Replay((_, _, _, _) => false).IsOk);
        for (int id = 1; id <= 100; id++)
        {
            smaller.Release(Append(smaller, id, 20_000));
        }

        Assert.InRange(disk.Files.Sum(disk.LengthOf), 1, Small.BytesMax);
    }

    [Fact]
    public void A_full_journal_refuses_extents_first_and_takes_them_again_when_records_are_released()
    {
        using Journal journal = Open(new SimulatedDisk());
        List<JournalPosition> held = [];
        Result<JournalPosition, StoreError> last;
        while ((last = journal.Append(JournalKind.Extent, default, new byte[30_000])).IsOk)
        {
            held.Add(last.Value);
        }

        Assert.Equal(StoreErrorKind.NoSpace, last.Error.Kind);
        Assert.False(journal.HasRoom);
        Assert.True(journal.Append(JournalKind.Operation, default, new byte[30_000]).IsOk);
        held.ForEach(position => journal.Release(position));
        Assert.True(journal.HasRoom);
        Assert.True(journal.Append(JournalKind.Extent, default, new byte[30_000]).IsOk);
    }

    [Fact]
    public void A_full_journal_opens_again_and_can_be_emptied()
    {
        SimulatedDisk disk = new();
        Journal journal = Open(disk);
        while (journal.Append(JournalKind.Operation, default, new byte[30_000]).IsOk)
        {
        }

        disk.Crash(CrashKind.ProcessKilled, 1);
        journal = Journal.Open(disk, Small).Value;
        List<JournalPosition> held = [];
        Assert.True(journal.Replay((position, _, _, _) =>
        {
            held.Add(position);
            return true;
        }).IsOk);
        Assert.True(held.Count > 10);
        held.ForEach(position => journal.Release(position));
        Assert.True(journal.Append(JournalKind.Extent, default, new byte[30_000]).IsOk);
    }

    [Fact]
    public void Appending_allocates_nothing()
    {
        using Journal journal = Open(new SimulatedDisk());
        byte[] payload = new byte[100];
        byte[] head = new byte[40];
        for (int i = 0; i < 20; i++)
        {
            journal.Release(journal.Append(JournalKind.Extent, head, payload).Value);
        }

        // The simulated disk makes room for each page, in steps: some of these runs fall between two of them.
        long least = long.MaxValue;
        for (int run = 0; run < 40; run++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 5; i++)
            {
                journal.Release(journal.Append(JournalKind.Extent, head, payload).Value);
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.InRange(least, 0, 100);
    }

    [Fact]
    public async Task Commits_that_come_together_share_a_sync()
    {
        SimulatedDisk disk = new();
        using Journal journal = Open(disk);
        Append(journal, 1, 10);
        long before = disk.Faults.ChangeCount;
        Task<Result<Unit, StoreError>>[] commits =
            [journal.CommitAsync(), journal.CommitAsync(), journal.CommitAsync()];
        Assert.All(await Task.WhenAll(commits), committed => Assert.True(committed.IsOk));

        // One sync of the segment, one mark behind it.
        Assert.Equal(2, disk.Faults.ChangeCount - before);
    }

    [Fact]
    public void Appends_from_many_threads_are_all_there_after_a_kill()
    {
        SimulatedDisk disk = new();
        Journal journal = Open(disk, Small with { SegmentsMax = 64 });
        AppendFromThreads(journal, 0, 100, i => 500 * (1 + (i % 7)), JournalKind.Operation);
        disk.Crash(CrashKind.ProcessKilled, 1);
        (List<int> ids, _) = Replay(disk);
        ids.Sort();
        Assert.Equal(Enumerable.Range(0, 400), ids);
    }
}
