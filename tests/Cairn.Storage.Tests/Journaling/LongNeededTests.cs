using Cairn.Simulation.Disks;
using Cairn.Storage.Journaling;
using static Cairn.Storage.Tests.Journaling.JournalRecords;

namespace Cairn.Storage.Tests.Journaling;

/// <summary>
/// One record is needed for as long as somebody is away, and behind it records make each other void all the time: each waits for the
/// segment before it (<see cref="HeldRecords"/>), so that the one would keep all segments.
/// </summary>
public sealed class LongNeededTests
{
    private const int Long = 1;
    private const int Rounds = 60;

    [Fact]
    public void A_record_that_is_needed_for_long_keeps_its_own_segment_alone()
    {
        SimulatedDisk disk = new();
        Journal journal = Open(disk);
        Append(journal, Long, 100);
        Work(journal, () => Assert.True(journal.HasRoom));
        disk.Crash(CrashKind.ProcessKilled, 1);
        (List<int> ids, JournalReplayReport report) = Replay(disk);
        Assert.Contains(Long, ids);
        Assert.Empty(report.Damage);
        Assert.Empty(WithoutEnd(ids));
    }

    /// <summary>What ends a layer goes only when no crash brings its beginning back.</summary>
    [Theory]
    [InlineData(CrashKind.ProcessKilled)]
    [InlineData(CrashKind.PowerLost)]
    public void At_no_crash_a_beginning_comes_back_without_its_end(CrashKind kind)
    {
        bool died = true;
        for (long at = 1; died; at += 3)
        {
            SimulatedDisk disk = new();
            Journal journal = Open(disk);
            Append(journal, Long, 100);
            disk.Faults.DieAtChange = at;
            HashSet<int> released = [];
            try
            {
                Work(journal, static () => { }, released);
            }
            catch (InvalidOperationException)
            {
                // The disk is dead: an append has no position.
            }

            died = disk.Faults.IsDead;
            disk.Crash(kind, (ulong)at);
            List<int> ids = Replay(disk).Ids;
            Assert.DoesNotContain(WithoutEnd(ids), released.Contains);
        }
    }

    [Fact]
    public void A_record_is_far_back_when_it_lies_a_quarter_of_the_segments_behind()
    {
        using Journal journal = Open(new SimulatedDisk());
        JournalPosition first = Append(journal, Long, 100);
        List<bool> isFar = [];
        for (int i = 0; i < 4; i++)
        {
            isFar.Add(journal.IsFarBack(first));
            journal.Release(Append(journal, 2, 60_000));
        }

        Assert.Equal([false, false, false, true], isFar);
    }

    /// <summary>Layers that begin in one segment and are ended in the next: numbers 1000 + i begin, 2000 + i end them.</summary>
    private static void Work(Journal journal, Action look, HashSet<int>? released = null)
    {
        for (int i = 0; i < Rounds; i++)
        {
            JournalPosition begun = Append(journal, 1000 + i, 100);
            journal.Release(Append(journal, 2, 60_000));
            JournalPosition end = Append(journal, 2000 + i, 100);
            _ = journal.Commit();
            journal.Release(begun);
            released?.Add(1000 + i);
            journal.Release(end, after: begun);
            look();
        }
    }

    private static IEnumerable<int> WithoutEnd(List<int> ids) =>
        ids.Where(id => id is >= 1000 and < 2000 && !ids.Contains(id + 1000));
}
