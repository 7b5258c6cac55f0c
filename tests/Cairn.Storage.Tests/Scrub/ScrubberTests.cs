using Cairn.Core.Primitives;
using Cairn.Core.Repair;
using Cairn.Simulation.Disks;
using Cairn.Storage.Packs;
using Cairn.Storage.Ports;
using Cairn.Storage.Scrub;
using static Cairn.Storage.Tests.Packs.ChunkStoreTests;

namespace Cairn.Storage.Tests.Scrub;

/// <summary>Scrubbing finds every rotten record and no other, and the store stops answering for it.</summary>
public sealed class ScrubberTests
{
    [Fact]
    public void A_rotten_record_is_found_taken_out_and_can_be_stored_again()
    {
        SimulatedDisk disk = new();
        using ChunkStore store = ChunkStore.Open(disk, new ChunkStoreOptions { SpaceBytes = 256L << 20 }).Value;
        RecordKey[] keys = [.. Enumerable.Range(0, 50).Select(i => Put(store, i, 3000, ChunkUse.Replicated))];
        disk.FlipBit(disk.Files[0], 64 + (10 * 3072) + 500, 4);
        PartitionDigest before = store.Digest(keys[10].Partition);
        Scrubber scrubber = new(store);
        List<BadRecord> bad = [];
        int records = 0;
        ScrubStep step;
        do
        {
            step = scrubber.Step(20_000);
            Assert.InRange(step.Bytes, 0, 23_000);
            bad.AddRange(step.Bad);
            records += step.Records;
        }
        while (!step.CompletedPass);
        Assert.Equal(50, records);
        Assert.Equal(keys[10], Assert.Single(bad).Record.Key);
        Assert.Equal(StoreErrorKind.Corrupt, bad[0].Error.Kind);
        Assert.False(store.Contains(keys[10]));
        Assert.NotEqual(before, store.Digest(keys[10].Partition));
        Put(store, 10, 3000, ChunkUse.Replicated);
        Assert.Equal(before, store.Digest(keys[10].Partition));
        Assert.True(store.Verify(keys[10]).IsOk);
    }

    [Fact]
    public void An_unreadable_sector_counts_as_bad_and_stops_nothing()
    {
        SimulatedDisk disk = new();
        using ChunkStore store = ChunkStore.Open(disk, new ChunkStoreOptions { SpaceBytes = 256L << 20 }).Value;
        RecordKey key = Put(store, 1, 3000, ChunkUse.Staged);
        disk.Faults.Fail = (_, operation) => operation == DiskOperation.Read ? DiskErrorKind.InputOutput : null;
        ScrubStep step = new Scrubber(store).Step(long.MaxValue);
        Assert.Equal(new StoredRecord(key, 3000, ChunkUse.Staged), Assert.Single(step.Bad).Record);
        Assert.Equal(StoreErrorKind.InputOutput, step.Bad[0].Error.Kind);
    }

    [Fact]
    public void The_only_copy_of_something_is_not_given_up_because_the_device_refused_it_once()
    {
        SimulatedDisk disk = new();
        using ChunkStore store = ChunkStore.Open(disk, new ChunkStoreOptions { SpaceBytes = 256L << 20 }).Value;
        RecordKey key = Put(store, 1, 3000, ChunkUse.Staged);
        int reads = 0;
        disk.Faults.Fail = (_, operation) =>
            operation == DiskOperation.Read && reads++ == 0 ? DiskErrorKind.InputOutput : null;
        Assert.Empty(new Scrubber(store).Step(long.MaxValue).Bad);
        Assert.True(store.Contains(key));
    }

    /// <summary>A disk that has just died says nothing of what is on it.</summary>
    [Fact]
    public void A_device_that_gives_nothing_stops_the_pass_and_no_record_is_called_bad()
    {
        SimulatedDisk disk = new();
        using ChunkStore store = ChunkStore.Open(disk, new ChunkStoreOptions { SpaceBytes = 256L << 20 }).Value;
        RecordKey[] keys = [.. Enumerable.Range(0, 50).Select(i => Put(store, i, 3000, ChunkUse.Replicated))];
        Scrubber scrubber = new(store);
        int records = scrubber.Step(20_000).Records;
        disk.Faults.Fail = static (_, operation) => operation == DiskOperation.Read ? DiskErrorKind.InputOutput : null;
        for (int turn = 0; turn < 10; turn++)
        {
            // One record a step, too: how much a step reads says nothing of the disk.
            ScrubStep step = scrubber.Step(turn < 5 ? 20_000 : 1);
            Assert.Empty(step.Bad);
            Assert.False(step.CompletedPass);
            Assert.Equal(StoreErrorKind.InputOutput, scrubber.Refused?.Kind);
        }

        Assert.All(keys, key => Assert.True(store.Contains(key)));
        Assert.Empty(store.Findings);
        disk.Faults.Clear();
        ScrubStep rest = scrubber.Step(long.MaxValue);
        Assert.True(rest is { CompletedPass: true, Bad.Count: 0 });
        Assert.Null(scrubber.Refused);
        Assert.Equal(50, records + rest.Records);
    }

    /// <summary>Of a disk that gives the rest, a record that it refuses is bad.</summary>
    [Fact]
    public void Bad_sectors_of_a_disk_that_gives_others_count_as_bad()
    {
        SimulatedDisk disk = new();
        using ChunkStore store = ChunkStore.Open(disk, new ChunkStoreOptions { SpaceBytes = 256L << 20 }).Value;
        RecordKey[] keys = [.. Enumerable.Range(0, 50).Select(i => Put(store, i, 3000, ChunkUse.Replicated))];
        disk.BreakSector(disk.Files[0], 64 + (10 * 3072) + 500);
        disk.BreakSector(disk.Files[0], 64 + (30 * 3072) + 500);
        Scrubber scrubber = new(store);
        ScrubStep step = scrubber.Step(long.MaxValue);
        Assert.True(step.CompletedPass);
        Assert.Null(scrubber.Refused);
        Assert.Contains(keys[10], step.Bad.Select(bad => bad.Record.Key));
        Assert.Contains(keys[30], step.Bad.Select(bad => bad.Record.Key));
        Assert.InRange(step.Bad.Count, 2, 8);
        Assert.All(step.Bad, bad => Assert.False(store.Contains(bad.Record.Key)));
    }
}
