using System.Buffers.Binary;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Simulation.Disks;
using Cairn.Storage.Home;
using Cairn.Storage.Journaling;
using Cairn.Storage.Logs;
using Cairn.Storage.Packs;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Tests.Crashes;

/// <summary>A crash at every single disk operation: what was promised is there, nothing is taken for damage.</summary>
public sealed class CrashEverywhereTests
{
    private const int Steps = 90;

    [Theory]
    [InlineData(CrashKind.ProcessKilled, 1ul)]
    [InlineData(CrashKind.PowerLost, 1ul)]
    [InlineData(CrashKind.PowerLost, 2ul)]
    public void What_was_promised_survives_a_crash_at_any_operation(CrashKind kind, ulong seed)
    {
        SimulatedDisk whole = new();
        new StoreWorkload(whole, seed).Run(Steps);
        long changes = whole.Faults.ChangeCount;
        Assert.InRange(changes, 100, 2000);
        for (long k = 1; k <= changes; k++)
        {
            SimulatedDisk disk = new();
            StoreWorkload workload = new(disk, seed);
            disk.Faults.DieAtChange = k;
            workload.Run(Steps);
            disk.Crash(kind, (seed * 10_000) + (ulong)k);
            string at = $"{kind}, seed {seed}, operation {k}";
            Check(disk, workload, kind, at);

            // Recovery itself may have been the last thing that happened.
            disk.Crash(CrashKind.PowerLost, (ulong)k);
            Check(disk, workload, kind, at + ", again");
        }
    }

    [Theory]
    [InlineData(CrashKind.ProcessKilled)]
    [InlineData(CrashKind.PowerLost)]
    public void Compaction_and_eviction_lose_nothing_owed_whenever_they_are_cut_off(CrashKind kind)
    {
        const int steps = 40;
        SimulatedDisk whole = new();
        StoreWorkload story = new(whole, 9, mostlyChunks: true);
        story.Run(steps);
        Assert.InRange(story.Compactions, 1, 100);
        for (long k = 20; k <= whole.Faults.ChangeCount; k += 5)
        {
            SimulatedDisk disk = new();
            StoreWorkload workload = new(disk, 9, mostlyChunks: true);
            disk.Faults.DieAtChange = k;
            workload.Run(steps);
            disk.Crash(kind, (ulong)k);
            Check(disk, workload, kind, $"{kind}, operation {k}");
        }
    }

    [Theory]
    [InlineData(DiskOperation.Write, DiskErrorKind.NoSpace)]
    [InlineData(DiskOperation.Write, DiskErrorKind.InputOutput)]
    [InlineData(DiskOperation.Open, DiskErrorKind.NoSpace)]
    [InlineData(DiskOperation.Sync, DiskErrorKind.InputOutput)]
    public void A_refused_operation_of_any_kind_is_told_and_costs_nothing_that_was_acknowledged(
        DiskOperation operation, DiskErrorKind error)
    {
        const ulong seed = 4;
        SimulatedDisk whole = new();
        long total = 0;
        whole.Faults.Fail = (_, asked) =>
        {
            total += asked == operation ? 1 : 0;
            return null;
        };
        new StoreWorkload(whole, seed).Run(Steps);
        for (long k = 1; k <= total; k++)
        {
            SimulatedDisk disk = new();
            StoreWorkload workload = new(disk, seed);
            long count = 0;
            disk.Faults.Fail = (_, asked) => asked == operation && ++count == k ? error : null;
            workload.Run(Steps);
            bool isLost = operation == DiskOperation.Sync;
            disk.Crash(isLost ? CrashKind.PowerLost : CrashKind.ProcessKilled, (ulong)k);
            Check(disk, workload, isLost ? CrashKind.PowerLost : CrashKind.ProcessKilled, $"{operation} {k}: {error}");
        }
    }

    private static void Check(SimulatedDisk disk, StoreWorkload workload, CrashKind kind, string at)
    {
        using HomeLayout home = HomeLayout.Open(disk).Value;
        bool isKilled = kind == CrashKind.ProcessKilled;
        CheckJournal(disk, isKilled ? workload.Acknowledged : workload.Committed, workload.LastId, at);
        CheckChunks(disk, isKilled ? workload.AcknowledgedChunks : workload.CommittedChunks, at);
        CheckLogs(disk, workload, isKilled ? workload.AcknowledgedBlocks : workload.CommittedBlocks, at);
    }

    private static void CheckJournal(SimulatedDisk disk, SortedSet<int> promised, int lastId, string at)
    {
        List<int> ids = [];
        Journal journal = Journal.Open(disk, StoreWorkload.JournalOptions).Value;
        JournalReplayReport report = journal.Replay((_, kind, head, payload) =>
        {
            int id = BinaryPrimitives.ReadInt32LittleEndian(head);
            byte[] expected = StoreWorkload.Payload(id, payload.Length);
            Assert.True(payload.SequenceEqual(expected), $"{at}: record {id}");
            ids.Add(id);
            return true;
        }).Value;
        Assert.True(report.Damage.Count == 0, $"{at}: {string.Join("; ", report.Damage)}");
        Assert.True(promised.IsSubsetOf(ids), $"{at}: journal lost {string.Join(' ', promised.Except(ids))}");
        Assert.True(ids.SequenceEqual(ids.Order().Distinct()) && (ids.Count == 0 || ids[^1] <= lastId), $"{at}: order");
        Assert.True(ids.Count == 0 || promised.Count == 0 || ids[^1] >= promised.Max, $"{at}: not a prefix");
    }

    private static void CheckChunks(
        SimulatedDisk disk, SortedDictionary<int, (RecordKey Key, ChunkUse Use)> promised, string at)
    {
        using ChunkStore store = ChunkStore.Open(disk, StoreWorkload.StoreOptions).Value;
        Assert.True(store.Findings.Count == 0, $"{at}: {string.Join("; ", store.Findings)}");
        foreach ((int number, (RecordKey key, ChunkUse use)) in promised)
        {
            Assert.True(store.TryGet(key, out StoredRecord record), $"{at}: chunk {number} is gone");
            bool isKept = record.Use >= use || record.Use == ChunkUse.Replicated;
            Assert.True(isKept, $"{at}: chunk {number} is {record.Use}");
        }

        for (int p = 0; p < PartitionId.Count; p++)
        {
            foreach (StoredRecord record in store.Enumerate(new PartitionId((ushort)p)))
            {
                Assert.True(store.Verify(record.Key).IsOk, $"{at}: a chunk is in the index and not on the disk");
            }
        }

        StoreSpace space = store.Space;
        Assert.True(space.Staged + space.Replicated + space.Cached + space.Dead + space.Free == space.Allocated, at);
    }

    private static void CheckLogs(SimulatedDisk disk, StoreWorkload workload, int promised, string at)
    {
        using LogStore logs = LogStore.Open(disk).Value;
        Assert.True(logs.Findings.Count == 0, $"{at}: {string.Join("; ", logs.Findings)}");
        ulong last = logs.LastSeq(StoreWorkload.Volume, StoreWorkload.Log);
        Assert.True(last >= (ulong)promised, $"{at}: {last} blocks of {promised}");
        LogBeginning beginning = logs.Beginning(StoreWorkload.Volume, StoreWorkload.Log);
        Assert.True(
            beginning.IsFirst ? workload.Dropped == 0
            : beginning == StoreWorkload.Behind((int)beginning.BlockSeq)
                && (int)beginning.BlockSeq >= workload.Dropped && (int)beginning.BlockSeq <= workload.LastToDrop,
            $"{at}: it begins behind {beginning}, not between {workload.Dropped} and {workload.LastToDrop}");
        for (int seq = (int)beginning.BlockSeq + 1; seq <= (int)last; seq++)
        {
            byte[] expected = StoreWorkload.Payload(seq, 100 + (seq * 37));
            Assert.Equal(expected, logs.Read(StoreWorkload.Volume, StoreWorkload.Log, (ulong)seq).Value);
        }
    }
}
