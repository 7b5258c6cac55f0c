using Cairn.Core.Primitives;
using Cairn.Simulation.Disks;
using Cairn.Storage.Journaling;
using Cairn.Storage.Ports;
using static Cairn.Storage.Tests.Journaling.JournalRecords;

namespace Cairn.Storage.Tests.Journaling;

/// <summary>
/// A record is released because a later one replaces it: bytes written over, a note written anew, a transaction under a new number.
/// </summary>
public sealed class ReplacedTests
{
    private const int Old = 1;
    private const int New = 2;
    private const int Other = 3;

    /// <summary>Nobody asked that the later one be durable; the earlier one was, so it must not go before.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void At_no_power_loss_both_are_gone(bool isWriterFirst)
    {
        for (ulong seed = 0; seed < 100; seed++)
        {
            SimulatedDisk disk = new();
            List<Action> later = [];
            Journal journal = Open(disk, background: isWriterFirst ? later.Add : null);
            JournalPosition old = Append(journal, Old, 60_000);
            Append(journal, Other, 10_000);
            Assert.True(journal.Commit().IsOk);
            Append(journal, New, 20_000);
            journal.Release(old);
            if (isWriterFirst)
            {
                // The background is late: a writer cleans the segment that it takes.
                Append(journal, 4, 40_000);
            }

            disk.Crash(CrashKind.PowerLost, seed);
            (List<int> ids, JournalReplayReport report) = Replay(disk);
            Assert.True(ids.Contains(Old) || ids.Contains(New), $"seed {seed}: {string.Join(',', ids)}");
            Assert.Contains(Other, ids);
            Assert.Empty(report.Damage);
        }
    }

    /// <summary>Each record replaces the one before, some are committed, and the background comes whenever it likes.</summary>
    [Theory]
    [InlineData(CrashKind.ProcessKilled)]
    [InlineData(CrashKind.PowerLost)]
    public void The_last_that_was_promised_or_a_later_one_is_there_after_any_crash(CrashKind kind)
    {
        for (ulong seed = 0; seed < 2000; seed++)
        {
            Prng random = new(seed);
            SimulatedDisk disk = new();
            List<Action> later = [];
            Journal journal = Open(disk, background: later.Add);
            JournalPosition last = Append(journal, 0, 100);
            Assert.True(journal.Commit().IsOk);
            disk.Faults.DieAtChange = disk.Faults.ChangeCount + 1 + random.Next(150);
            int promised = 0;
            for (int id = 1; !disk.Faults.IsDead; id++)
            {
                if (!TryAppend(journal, id, 5000 + random.Next(20_000)).TryGet(out JournalPosition position, out _))
                {
                    break;
                }

                promised = kind == CrashKind.ProcessKilled ? id : promised;
                journal.Release(last);
                last = position;
                promised = random.Next(6) == 0 && journal.Commit().IsOk ? id : promised;
                if (random.Next(8) == 0)
                {
                    Action[] now = [.. later];
                    later.Clear();
                    Array.ForEach(now, static action => action());
                }
            }

            disk.Crash(kind, seed);
            (List<int> ids, JournalReplayReport report) = Replay(disk);
            Assert.True(ids.Exists(id => id >= promised), $"seed {seed}: {promised} of {string.Join(',', ids)}");
            Assert.Empty(report.Damage);
        }
    }

    /// <summary>The pages that could not be written count as clean from then on: a later sync would succeed without them.</summary>
    [Fact]
    public void A_sync_that_fails_before_a_segment_is_wiped_is_final()
    {
        SimulatedDisk disk = new();
        List<Action> later = [];
        Journal journal = Open(disk, background: later.Add);
        JournalPosition old = Append(journal, Old, 60_000);
        Append(journal, New, 20_000);
        journal.Release(old);
        disk.Faults.Fail = static (path, operation) =>
            operation == DiskOperation.Sync && path.EndsWith("1.seg", StringComparison.Ordinal)
                ? DiskErrorKind.InputOutput
                : null;
        later.ForEach(static action => action());
        disk.Faults.Fail = null;
        Assert.False(journal.Commit().IsOk);
    }
}
