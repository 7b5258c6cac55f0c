using Cairn.Simulation.Disks;
using Cairn.Storage.Journaling;
using Cairn.Storage.Ports;
using Cairn.Storage.Tests.Packs;
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

    /// <summary>What is needed no more while something in it is made void is not used again before that is done.</summary>
    [Fact]
    public void A_segment_that_is_released_meanwhile_is_not_written_over()
    {
        SimulatedDisk inner = new();
        HookedDisk disk = new(inner);
        Queue<Action> later = [];
        Journal journal = Open(disk, background: later.Enqueue);
        JournalPosition pin = Append(journal, Long, 100);
        JournalPosition begun = Append(journal, 1000, 100);
        journal.Release(begun);
        int next = 3000;
        bool AppendNext() => TryAppend(journal, next, 60_000).IsOk && ++next > 0;
        disk.Writing = (path, offset, length) =>
        {
            // The header of the beginning, behind the segment's name and the pin.
            if (offset == 256 && length == 64 && path.EndsWith("000000.seg", StringComparison.Ordinal))
            {
                disk.Writing = null;
                journal.Release(pin);
                while (AppendNext())
                {
                }
            }
        };
        journal.Release(Append(journal, 2, 60_000));
        journal.Release(Append(journal, 2000, 10_000), after: begun);
        while (disk.Writing is not null)
        {
            Assert.True(AppendNext());
            while (later.TryDequeue(out Action? work))
            {
                work();
            }
        }

        inner.Crash(CrashKind.ProcessKilled, 1);
        (List<int> ids, JournalReplayReport report) = Replay(inner);
        Assert.Empty(report.Damage);
        Assert.Equal(Enumerable.Range(3000, next - 3000), ids.Where(id => id >= 3000));
    }

    /// <summary>Writers wait for room, so nothing else would happen to a journal that is full.</summary>
    [Fact]
    public void A_full_journal_has_room_as_soon_as_what_fills_it_is_released()
    {
        using Journal journal = Open(new SimulatedDisk());
        Append(journal, Long, 100);
        List<(JournalPosition Begun, JournalPosition End)> layers = FillWithLayers(journal);
        Assert.False(journal.HasRoom);
        layers.ForEach(layer => journal.Release(layer.End, after: layer.Begun));
        Assert.True(journal.HasRoom);
    }

    /// <summary>What could not be made void waits, for the next time or until its segment is wiped.</summary>
    [Fact]
    public void A_beginning_that_cannot_be_read_for_a_while_keeps_nothing_for_good()
    {
        SimulatedDisk disk = new();
        Journal journal = Open(disk);
        JournalPosition pin = Append(journal, Long, 100);
        List<(JournalPosition Begun, JournalPosition End)> layers = FillWithLayers(journal);
        disk.Faults.Fail = static (_, operation) => operation == DiskOperation.Read ? DiskErrorKind.InputOutput : null;
        layers.ForEach(layer => journal.Release(layer.End, after: layer.Begun));
        Assert.False(journal.HasRoom);
        disk.Faults.Fail = null;
        journal.Release(pin);
        Assert.True(journal.HasRoom);
        for (int i = 0; i < Rounds; i++)
        {
            journal.Release(Append(journal, 3000 + i, 60_000));
        }

        Assert.InRange(journal.UsedBytes, 0, Small.SegmentBytes);
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

    /// <summary>Layers that all begin in one segment, and are ended in one each, until an extent would be refused.</summary>
    private static List<(JournalPosition Begun, JournalPosition End)> FillWithLayers(Journal journal)
    {
        JournalPosition[] begun = [.. Enumerable.Range(1000, 20).Select(id => Append(journal, id, 100))];
        List<(JournalPosition Begun, JournalPosition End)> layers = [];
        while (journal.HasRoom)
        {
            layers.Add((begun[layers.Count], Append(journal, 2000 + layers.Count, 60_000)));
        }

        Array.ForEach(begun, position => journal.Release(position));
        return layers;
    }

    private static IEnumerable<int> WithoutEnd(List<int> ids) =>
        ids.Where(id => id is >= 1000 and < 2000 && !ids.Contains(id + 1000));
}
