using Cairn.Core.Primitives;
using Cairn.Simulation.Disks;
using Cairn.Storage.Packs;
using Cairn.Storage.Ports;
using static Cairn.Storage.Tests.Packs.ChunkStoreTests;

namespace Cairn.Storage.Tests.Packs;

/// <summary>Space: never more than was given, cache yields to what is owed, dead records come back as space.</summary>
public sealed class SpaceTests
{
    private const long Given = 64L << 20; // Eight packs of 8 MiB.
    private const int Record = 1 << 20;
    private static readonly ChunkStoreOptions Options = new() { SpaceBytes = Given };

    [Fact]
    public void A_full_store_refuses_and_never_takes_more_than_it_was_given()
    {
        SimulatedDisk disk = new();
        using ChunkStore store = ChunkStore.Open(disk, Options).Value;
        int stored = Fill(store, 0, ChunkUse.Staged);
        Assert.InRange(stored, 42, 56);
        Assert.InRange(PackBytes(disk), 1, Given);
        Assert.False(store.HasRoom(Record, ChunkUse.Staged));
        AssertSums(store);
    }

    [Fact]
    public void Copies_for_others_leave_the_write_reserve()
    {
        using ChunkStore store = ChunkStore.Open(new SimulatedDisk(), Options).Value;
        int copies = Fill(store, 0, ChunkUse.Replicated);
        int own = Fill(store, 1000, ChunkUse.Staged);
        Assert.InRange(copies, 36, 49);
        Assert.InRange(own, 5, 20);
    }

    [Fact]
    public void Cache_yields_to_owed_copies_the_coldest_first_and_nothing_owed_is_lost()
    {
        SimulatedDisk disk = new();
        using ChunkStore store = ChunkStore.Open(disk, Options).Value;
        RecordKey[] owed = [.. Enumerable.Range(500, 10).Select(i => Put(store, i, Record, ChunkUse.Replicated))];
        RecordKey[] cached = [.. Enumerable.Range(0, 20).Select(i => Put(store, i, Record, ChunkUse.Cached))];
        byte[] part = new byte[16];
        for (int i = 0; i < 7; i++)
        {
            Assert.True(store.Read(cached[i], 0, part).IsOk);
        }

        int more = Fill(store, 1000, ChunkUse.Replicated, limit: 16);
        Assert.Equal(16, more);
        Assert.All(owed, key => Assert.True(store.Verify(key).IsOk));
        Assert.InRange(cached.Count(store.Contains), 1, 19);
        Assert.All(cached[..7], key => Assert.True(store.Contains(key)));
        Assert.InRange(PackBytes(disk), 1, Given);
        AssertSums(store);
    }

    [Fact]
    public void Removed_records_come_back_as_space_and_survivors_move_whole()
    {
        SimulatedDisk disk = new();
        using ChunkStore store = ChunkStore.Open(disk, Options).Value;
        List<RecordKey> kept = [];
        for (int round = 0; round < 20; round++)
        {
            IEnumerable<int> ids = Enumerable.Range(round * 100, 10);
            RecordKey[] keys = [.. ids.Select(i => Put(store, i, Record, ChunkUse.Staged))];
            kept.Add(keys[0]);
            Assert.All(keys[1..], key => Assert.True(store.Remove(key).IsOk));
        }

        Assert.All(kept, key => Assert.True(store.Verify(key).IsOk));
        Assert.InRange(PackBytes(disk), 1, Given);
        AssertSums(store);
        store.Dispose();
        using ChunkStore again = ChunkStore.Open(disk, Options).Value;
        Assert.Empty(again.Findings);
        Assert.Equal(20, again.Count);
        Assert.All(kept, key => Assert.True(again.Verify(key).IsOk));
    }

    [Fact]
    public void Maintenance_compacts_and_a_smaller_space_is_reached_without_losing_what_is_owed()
    {
        SimulatedDisk disk = new();
        using ChunkStore store = ChunkStore.Open(disk, Options).Value;
        RecordKey[] keys = [.. Enumerable.Range(0, 40).Select(i => Put(store, i, Record, ChunkUse.Replicated))];
        for (int i = 0; i < 40; i++)
        {
            if (i % 4 != 0)
            {
                Assert.True(store.Remove(keys[i]).IsOk);
            }
        }

        Assert.InRange(store.Maintain(), 1, 8);
        store.SetSpace(Given / 2);
        _ = store.Maintain();
        Assert.InRange(PackBytes(disk), 1, Given / 2);
        Assert.All(keys.Where((_, i) => i % 4 == 0), key => Assert.True(store.Verify(key).IsOk));
        AssertSums(store);
    }

    /// <summary>The cache would yield, but to the owner, who took the space back.</summary>
    [Fact]
    public void A_store_that_holds_more_than_it_is_given_now_has_room_for_nothing()
    {
        SimulatedDisk disk = new();
        using ChunkStore store = ChunkStore.Open(disk, Options).Value;
        RecordKey[] keys = [.. Enumerable.Range(0, 40).Select(i => Put(store, i, Record, ChunkUse.Staged))];
        foreach (RecordKey key in keys.Where((_, i) => i % 4 == 0))
        {
            Assert.True(store.SetUse(key, ChunkUse.Cached).IsOk);
        }

        Assert.True(store.HasRoom(10 * Record, ChunkUse.Staged));
        store.SetSpace(Given / 2);
        Assert.False(store.HasRoom(Record, ChunkUse.Staged));
        Array.ForEach(keys[..30], key => Assert.True(store.Remove(key).IsOk));
        Assert.True(store.HasRoom(Record, ChunkUse.Staged));
    }

    [Fact]
    public void A_damaged_record_is_not_moved_but_reported_and_holds_its_pack_until_it_is_needed_no_more()
    {
        SimulatedDisk disk = new();
        using ChunkStore store = ChunkStore.Open(disk, Options).Value;
        RecordKey[] keys = [.. Enumerable.Range(0, 7).Select(i => Put(store, i, Record, ChunkUse.Staged))];
        Assert.All(keys[1..6], key => Assert.True(store.Remove(key).IsOk));
        disk.FlipBit(disk.Files.First(file => file.EndsWith(".pack", StringComparison.Ordinal)), 5000, 1);
        Assert.Equal(0, store.Maintain());
        Assert.False(store.Contains(keys[0]));
        Assert.True(store.Verify(keys[6]).IsOk);
        Assert.Equal(keys[0], Assert.Single(store.Findings).Record);
        Assert.True(store.Remove(keys[0]).IsOk);
        Assert.Equal(1, store.Maintain());
    }

    [Fact]
    public void Compaction_does_not_give_up_a_record_that_the_device_refused_once()
    {
        SimulatedDisk disk = new();
        using ChunkStore store = ChunkStore.Open(disk, Options).Value;
        RecordKey[] keys = [.. Enumerable.Range(0, 7).Select(i => Put(store, i, Record, ChunkUse.Staged))];
        Assert.All(keys[1..6], key => Assert.True(store.Remove(key).IsOk));
        int reads = 0;
        disk.Faults.Fail = (_, operation) =>
            operation == DiskOperation.Read && reads++ == 0 ? DiskErrorKind.InputOutput : null;
        Assert.Equal(1, store.Maintain());
        Assert.True(store.Verify(keys[0]).IsOk);
        Assert.Empty(store.Findings);
    }

    [Fact]
    public void The_host_filling_up_is_told_apart_from_the_own_space_and_loses_nothing()
    {
        SimulatedDisk disk = new(totalBytes: 40L << 20);
        using ChunkStore store = ChunkStore.Open(disk, Options).Value;
        RecordKey key = Put(store, 1, Record, ChunkUse.Staged);
        disk.ForeignBytes = 30L << 20;
        Result<Unit, StoreError> last = Unit.Value;
        for (int i = 2; last.IsOk; i++)
        {
            byte[] bytes = Bytes(i, Record);
            last = store.Put(KeyOf(bytes), bytes, ChunkUse.Staged);
        }

        Assert.Equal(StoreErrorKind.DiskFull, last.Error.Kind);
        Assert.True(store.Commit().IsOk);
        Assert.True(store.Verify(key).IsOk);
        disk.ForeignBytes = 0;
        Put(store, 100, Record, ChunkUse.Staged);
    }

    private static int Fill(ChunkStore store, int first, ChunkUse use, int limit = 1000)
    {
        for (int i = 0; i < limit; i++)
        {
            byte[] bytes = Bytes(first + i, Record);
            Result<Unit, StoreError> put = store.Put(KeyOf(bytes), bytes, use);
            if (!put.IsOk)
            {
                Assert.Equal(StoreErrorKind.NoSpace, put.Error.Kind);
                return i;
            }
        }

        return limit;
    }

    private static long PackBytes(SimulatedDisk disk) =>
        disk.Files.Where(file => file.EndsWith(".pack", StringComparison.Ordinal)).Sum(disk.LengthOf);

    private static void AssertSums(ChunkStore store)
    {
        StoreSpace space = store.Space;
        Assert.Equal(space.Allocated, space.Staged + space.Replicated + space.Cached + space.Dead + space.Free);
    }
}
