using System.Security.Cryptography;
using Cairn.Core.Primitives;
using Cairn.Core.Repair;
using Cairn.Simulation.Disks;
using Cairn.Storage.Packs;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Tests.Packs;

/// <summary>What the chunk store promises: records come back, with their use, whatever ended the process.</summary>
public sealed class ChunkStoreTests
{
    private static readonly ChunkStoreOptions Options = new() { SpaceBytes = 256L << 20 };

    [Fact]
    public void A_record_is_read_back_whole_and_in_parts()
    {
        using ChunkStore store = ChunkStore.Open(new SimulatedDisk(), Options).Value;
        byte[] bytes = Bytes(1, 100_000);
        RecordKey key = KeyOf(bytes);
        Assert.True(store.Put(key, bytes, ChunkUse.Staged).IsOk);
        Assert.True(store.TryGet(key, out StoredRecord record));
        Assert.Equal(new StoredRecord(key, 100_000, ChunkUse.Staged), record);
        byte[] part = new byte[4096];
        Assert.True(store.Read(key, 50_000, part).IsOk);
        Assert.Equal(bytes[50_000..54_096], part);
        Assert.True(store.Verify(key).IsOk);
        Assert.False(store.Read(key, 99_000, part).IsOk);
    }

    [Fact]
    public void Uses_and_removals_survive_a_killed_process_and_after_a_commit_power_loss()
    {
        SimulatedDisk disk = new();
        ChunkStore store = ChunkStore.Open(disk, Options).Value;
        RecordKey[] keys = [.. Enumerable.Range(0, 20).Select(i => Put(store, i, 5000, ChunkUse.Staged))];
        Assert.True(store.SetUse(keys[1], ChunkUse.Replicated).IsOk);
        Assert.True(store.SetUse(keys[2], ChunkUse.Cached).IsOk);
        Assert.True(store.Remove(keys[3]).IsOk);
        Assert.True(store.Commit().IsOk);
        PartitionDigest digest = store.Digest(keys[1].Partition);
        foreach (CrashKind kind in new[] { CrashKind.ProcessKilled, CrashKind.PowerLost })
        {
            disk.Crash(kind, 5);
            store = ChunkStore.Open(disk, Options).Value;
            Assert.Empty(store.Findings);
            Assert.Equal(19, store.Count);
            Assert.True(store.TryGet(keys[1], out StoredRecord one));
            Assert.Equal(ChunkUse.Replicated, one.Use);
            Assert.True(store.TryGet(keys[2], out StoredRecord two));
            Assert.Equal(ChunkUse.Cached, two.Use);
            Assert.False(store.Contains(keys[3]));
            Assert.Equal(digest, store.Digest(keys[1].Partition));
        }
    }

    [Theory]
    [InlineData(CrashKind.ProcessKilled)]
    [InlineData(CrashKind.PowerLost)]
    public void A_record_that_was_being_written_while_the_index_was_saved_is_found_again(CrashKind kind)
    {
        SimulatedDisk disk = new();
        HookedDisk hooked = new(disk);
        ChunkStore store = ChunkStore.Open(hooked, Options).Value;
        RecordKey first = Put(store, 1, 5000, ChunkUse.Staged);
        hooked.BeforeRecord = () => Assert.True(store.SaveIndex().IsOk);
        RecordKey second = Put(store, 2, 5000, ChunkUse.Staged);
        Assert.True(store.Commit().IsOk);
        disk.Crash(kind, 5);
        store = ChunkStore.Open(disk, Options).Value;
        Assert.True(store.Contains(first));
        Assert.True(store.Contains(second));
    }

    [Fact]
    public void What_much_is_read_of_passes_the_hosts_cache_once()
    {
        HookedDisk hooked = new(new SimulatedDisk());
        using ChunkStore store = ChunkStore.Open(hooked, Options).Value;
        RecordKey large = Put(store, 1, 300_000, ChunkUse.Staged);
        RecordKey small = Put(store, 2, 5000, ChunkUse.Staged);
        byte[] buffer = new byte[300_000];
        Assert.True(store.Read(large, 0, buffer).IsOk);
        Assert.Equal(1, hooked.ReadsOnce);
        Assert.True(store.Read(large, 0, buffer).IsOk);
        Assert.True(store.Read(small, 0, buffer.AsSpan(0, 5000)).IsOk);
        Assert.Equal(1, hooked.ReadsOnce);
        Assert.True(store.Read(large, 1000, buffer.AsSpan(0, 200_000)).IsOk);
        Assert.Equal(2, hooked.ReadsOnce);
    }

    [Fact]
    public void A_change_that_the_disk_refused_to_note_is_noted_with_the_next()
    {
        SimulatedDisk disk = new();
        ChunkStore store = ChunkStore.Open(disk, Options).Value;
        RecordKey first = Put(store, 1, 5000, ChunkUse.Staged);
        Assert.True(store.Commit().IsOk && store.SaveIndex().IsOk);
        disk.Faults.Fail = static (_, operation) =>
            operation == DiskOperation.Write ? DiskErrorKind.InputOutput : null;
        Assert.False(store.Remove(first).IsOk);
        Assert.True(store.Contains(first));
        disk.Faults.Fail = null;
        RecordKey second = Put(store, 2, 5000, ChunkUse.Staged);
        Assert.True(store.Commit().IsOk);
        disk.Crash(CrashKind.ProcessKilled, 5);
        store = ChunkStore.Open(disk, Options).Value;
        Assert.True(store.Contains(first));
        Assert.True(store.Contains(second));
    }

    [Fact]
    public void What_the_disk_does_not_let_be_removed_is_still_there()
    {
        SimulatedDisk disk = new();
        ChunkStore store = ChunkStore.Open(disk, Options).Value;
        RecordKey key = Put(store, 1, 5000, ChunkUse.Replicated);
        Assert.True(store.Commit().IsOk);
        disk.Faults.Fail = static (_, operation) =>
            operation == DiskOperation.Write ? DiskErrorKind.InputOutput : null;
        Assert.False(store.Remove(key).IsOk);
        disk.Faults.Fail = null;
        Assert.True(store.Contains(key));
        Assert.True(store.Remove(key).IsOk);
        Assert.False(store.Contains(key));
    }

    [Fact]
    public void A_second_put_keeps_the_more_binding_use_and_writes_nothing()
    {
        SimulatedDisk disk = new();
        using ChunkStore store = ChunkStore.Open(disk, Options).Value;
        RecordKey key = Put(store, 1, 1000, ChunkUse.Replicated);
        StoreSpace before = store.Space;
        Put(store, 1, 1000, ChunkUse.Cached);
        Assert.Equal(before, store.Space);
        Put(store, 1, 1000, ChunkUse.Staged);
        Assert.True(store.TryGet(key, out StoredRecord record));
        Assert.Equal(ChunkUse.Staged, record.Use);
    }

    [Fact]
    public void A_partition_lists_its_own_records_only()
    {
        using ChunkStore store = ChunkStore.Open(new SimulatedDisk(), Options).Value;
        List<RecordKey> keys = [.. Enumerable.Range(0, 3000).Select(i => Put(store, i, 40, ChunkUse.Replicated))];
        int listed = 0;
        for (int p = 0; p < PartitionId.Count; p++)
        {
            PartitionId partition = new((ushort)p);
            IReadOnlyList<StoredRecord> records = store.Enumerate(partition);
            Assert.All(records, record => Assert.Equal(partition, record.Key.Partition));
            Assert.Equal(PartitionDigest.Of(records.Select(record => record.Key)), store.Digest(partition));
            listed += records.Count;
        }

        Assert.Equal(keys.Count, listed);
    }

    [Fact]
    public void Reading_allocates_nothing()
    {
        using ChunkStore store = ChunkStore.Open(new SimulatedDisk(), Options).Value;
        RecordKey key = Put(store, 1, 100_000, ChunkUse.Staged);
        byte[] part = new byte[4096];
        Assert.True(store.Read(key, 0, part).IsOk);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            Assert.True(store.Read(key, i * 64, part).IsOk);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Puts_reads_removals_and_compaction_run_side_by_side()
    {
        using ChunkStore store = ChunkStore.Open(new SimulatedDisk(), new() { SpaceBytes = 96L << 20 }).Value;
        Thread[] threads = new Thread[3];
        int failures = 0;
        bool isDone = false;
        for (int t = 0; t < threads.Length; t++)
        {
            int first = t * 1000;
            threads[t] = new Thread(() =>
            {
                byte[] part = new byte[4096];
                List<RecordKey> keys = [];
                for (int i = 0; i < 60; i++)
                {
                    keys.Add(Put(store, first + i, 300_000, ChunkUse.Staged));
                    failures += store.Read(keys[i / 2], i, part).IsOk || i / 2 % 3 == 0 ? 0 : 1;
                    if (i % 3 == 2)
                    {
                        failures += store.Remove(keys[i - 2]).IsOk ? 0 : 1;
                    }
                }

                failures += keys.Where((_, i) => i % 3 != 0).All(key => store.Verify(key).IsOk) ? 0 : 1;
            });
            threads[t].Start();
        }

        Thread compacting = new(() =>
        {
            while (!Volatile.Read(ref isDone))
            {
                _ = store.Maintain();
                Assert.True(store.Commit().IsOk);
            }
        });
        compacting.Start();
        Array.ForEach(threads, thread => thread.Join());
        Volatile.Write(ref isDone, true);
        compacting.Join();
        Assert.Equal(0, failures);
        Assert.Equal(120, store.Count);
        Assert.Empty(store.Findings);
    }

    internal static byte[] Bytes(int id, int length)
    {
        byte[] bytes = new byte[length];
        new Prng((ulong)id).Fill(bytes);
        return bytes;
    }

    internal static RecordKey KeyOf(byte[] bytes) => RecordKey.Copy(new ChunkAddress(SHA256.HashData(bytes)));

    internal static RecordKey Put(ChunkStore store, int id, int length, ChunkUse use)
    {
        byte[] bytes = Bytes(id, length);
        RecordKey key = KeyOf(bytes);
        Result<Unit, StoreError> put = store.Put(key, bytes, use);
        Assert.True(put.IsOk, put.ToString());
        return key;
    }
}
