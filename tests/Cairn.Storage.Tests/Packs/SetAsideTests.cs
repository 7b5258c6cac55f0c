using Cairn.Core.Primitives;
using Cairn.Simulation.Disks;
using Cairn.Storage.Packs;
using Cairn.Storage.Ports;
using Cairn.Storage.Scrub;
using static Cairn.Storage.Tests.Packs.ChunkStoreTests;

namespace Cairn.Storage.Tests.Packs;

/// <summary>A copy that cannot be read now may be the only one: it is not answered for, and not thrown away.</summary>
public sealed class SetAsideTests
{
    private static readonly ChunkStoreOptions Options = new() { SpaceBytes = 256L << 20 };

    private readonly SimulatedDisk _disk = new();

    [Theory]
    [InlineData(ChunkUse.Staged)]
    [InlineData(ChunkUse.Replicated)]
    public void A_device_that_fails_for_a_while_costs_no_copy(ChunkUse use)
    {
        using ChunkStore store = ChunkStore.Open(_disk, Options).Value;
        RecordKey key = Put(store, 1, 3000, use);
        FailReads();
        Assert.Single(new Scrubber(store).Step(long.MaxValue).Bad);
        Assert.False(store.Contains(key));
        Assert.True(store.Digest(key.Partition).IsEmpty);
        Assert.Equal(0, store.Aside.TryAgain());
        _disk.Faults.Fail = null;
        Assert.Equal(1, store.Aside.TryAgain());
        Assert.True(store.TryGet(key, out StoredRecord record));
        Assert.Equal(use, record.Use);
        Assert.True(store.Verify(key).IsOk);
        Assert.Equal(0, store.Aside.Count);
    }

    [Theory]
    [InlineData(false, CrashKind.ProcessKilled)]
    [InlineData(true, CrashKind.ProcessKilled)]
    [InlineData(true, CrashKind.PowerLost)]
    public void It_is_still_set_aside_and_still_there_after_a_start(bool isIndexSaved, CrashKind crash)
    {
        ChunkStore store = ChunkStore.Open(_disk, Options).Value;
        RecordKey key = Put(store, 1, 3000, ChunkUse.Staged);
        RecordKey other = Put(store, 2, 3000, ChunkUse.Staged);
        Assert.True(store.Commit().IsOk);
        FailReads();
        store.Quarantine(key, store.Verify(key).Error);
        _disk.Faults.Fail = null;
        Assert.True(!isIndexSaved || store.SaveIndex().IsOk);
        _disk.Crash(crash, 3);
        store = ChunkStore.Open(_disk, Options).Value;
        Assert.False(store.Contains(key));
        Assert.True(store.Contains(other));
        Assert.Equal(1, store.Aside.TryAgain());
        Assert.True(store.Verify(key).IsOk);
    }

    [Fact]
    public void Good_bytes_take_its_place_and_keep_it_owed()
    {
        ChunkStore store = ChunkStore.Open(_disk, Options).Value;
        RecordKey key = Rotten(store, ChunkUse.Staged);
        Put(store, 1, 3000, ChunkUse.Cached);
        Assert.True(store.TryGet(key, out StoredRecord record));
        Assert.Equal(ChunkUse.Staged, record.Use);
        Assert.Equal(0, store.Aside.Count);
        Assert.True(store.Commit().IsOk);
        _disk.Crash(CrashKind.PowerLost, 3);
        store = ChunkStore.Open(_disk, Options).Value;
        store.Aside.TryAgain();
        Assert.True(store.Verify(key).IsOk);
        Assert.Equal((1, 0), (store.Count, store.Aside.Count));
    }

    [Fact]
    public void What_nobody_needs_any_more_goes()
    {
        ChunkStore store = ChunkStore.Open(_disk, Options).Value;
        RecordKey key = Rotten(store, ChunkUse.Replicated);
        Assert.Equal([new StoredRecord(key, 3000, ChunkUse.Replicated)], store.Aside.Records);
        Assert.True(store.Remove(key).IsOk);
        Assert.Equal(StoreErrorKind.NotFound, store.Remove(key).Error.Kind);
        Assert.Equal(store.Space.Allocated, store.Space.Free + store.Space.Dead);
        _disk.Crash(CrashKind.ProcessKilled, 3);
        store = ChunkStore.Open(_disk, Options).Value;
        Assert.Equal((0, 0), (store.Count, store.Aside.Count));
    }

    [Fact]
    public void Compaction_does_not_take_it_away_and_goes_on_with_the_next_pack()
    {
        ChunkStoreOptions small = new() { PackBytes = 8 << 20, SpaceBytes = 128L << 20 };
        using ChunkStore store = ChunkStore.Open(_disk, small).Value;
        RecordKey[] keys = [.. Enumerable.Range(0, 8).Select(i => Put(store, i, 4 << 20, ChunkUse.Replicated))];
        Assert.True(store.Remove(keys[1]).IsOk && store.Remove(keys[3]).IsOk);
        Assert.True(store.Commit().IsOk);
        string first = _disk.Files.First(file => file.EndsWith(".pack", StringComparison.Ordinal));
        _disk.Faults.Fail = (path, operation) =>
            path == first && operation == DiskOperation.Read ? DiskErrorKind.InputOutput : null;
        store.Maintain();
        _disk.Faults.Fail = null;
        store.Aside.TryAgain();
        Assert.All(keys.Where((_, i) => i is not (1 or 3)), key => Assert.True(store.Verify(key).IsOk));
    }

    [Fact]
    public void The_index_is_written_again_only_when_something_changed()
    {
        using ChunkStore store = ChunkStore.Open(_disk, Options).Value;
        RecordKey key = Put(store, 1, 3000, ChunkUse.Staged);
        Assert.True(store.SaveIndex().IsOk);
        int writes = 0;
        _disk.Faults.Fail = (_, operation) =>
        {
            writes += operation == DiskOperation.Write ? 1 : 0;
            return null;
        };
        Assert.True(store.SaveIndex().IsOk);
        Assert.Equal(0, writes);
        Assert.True(store.SetUse(key, ChunkUse.Replicated).IsOk);
        writes = 0;
        Assert.True(store.SaveIndex().IsOk);
        Assert.True(writes > 0);
    }

    private RecordKey Rotten(ChunkStore store, ChunkUse use)
    {
        RecordKey key = Put(store, 1, 3000, use);
        Assert.True(store.Commit().IsOk);
        _disk.FlipBit(_disk.Files.First(file => file.EndsWith(".pack", StringComparison.Ordinal)), 64 + 500, 4);
        Assert.Single(new Scrubber(store).Step(long.MaxValue).Bad);
        Assert.False(store.Contains(key));
        return key;
    }

    private void FailReads() => _disk.Faults.Fail = static (_, operation) =>
        operation == DiskOperation.Read ? DiskErrorKind.InputOutput : null;
}
