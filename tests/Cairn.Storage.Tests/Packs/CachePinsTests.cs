using Cairn.Core.Primitives;
using Cairn.Simulation.Disks;
using Cairn.Storage.Packs;

namespace Cairn.Storage.Tests.Packs;

/// <summary>What is pinned stays when space is wanted; the rest of the cache goes.</summary>
public sealed class CachePinsTests
{
    private const int RecordBytes = 1 << 20;
    private const int SpaceBytes = 128 << 20;

    private readonly ChunkStore _store = ChunkStore.Open(
        new SimulatedDisk(1L << 30), new ChunkStoreOptions { SpaceBytes = SpaceBytes }).Value;

    private readonly Prng _random = new(7);

    [Fact]
    public void Pinned_records_outlive_the_rest_of_the_cache()
    {
        RecordKey[] pinned = [.. Enumerable.Range(0, 20).Select(_ => Put(ChunkUse.Cached))];
        Assert.All(pinned, key => Assert.True(_store.Pins.Pin(key)));
        RecordKey[] others = [.. Enumerable.Range(0, 20).Select(_ => Put(ChunkUse.Cached))];
        Fill();
        Assert.All(pinned, key => Assert.True(_store.Verify(key).IsOk));
        Assert.DoesNotContain(others, _store.Contains);

        Assert.False(_store.HasRoom(20 * RecordBytes, ChunkUse.Staged));
        _store.Pins.UnpinAllBut(new HashSet<ChunkAddress> { pinned[0].Address });
        Assert.Equal([pinned[0]], pinned.Where(_store.Pins.IsPinned));
        Assert.True(_store.HasRoom(18 * RecordBytes, ChunkUse.Staged));
    }

    [Fact]
    public void Until_it_is_known_what_is_pinned_nothing_yields()
    {
        _store.Pins.HoldsAll = true;
        RecordKey[] cached = [.. Enumerable.Range(0, 20).Select(_ => Put(ChunkUse.Cached))];
        Fill();
        Assert.All(cached, key => Assert.True(_store.Contains(key)));
        _store.Pins.HoldsAll = false;
        Fill();
        Assert.DoesNotContain(cached, _store.Contains);
    }

    [Fact]
    public void A_pin_stays_with_its_record_through_every_use()
    {
        RecordKey key = Put(ChunkUse.Staged);
        Assert.True(_store.Pins.Pin(key));
        Assert.Equal(0, _store.Pins.Bytes);
        Assert.True(_store.SetUse(key, ChunkUse.Replicated).IsOk);
        Assert.True(_store.SetUse(key, ChunkUse.Cached).IsOk);
        Assert.True(_store.TryGet(key, out StoredRecord record));
        Assert.Equal(ChunkUse.Cached, record.Use);
        Assert.True(_store.Pins.Bytes >= RecordBytes);
        Assert.True(_store.Remove(key).IsOk);
        Assert.Equal(0, _store.Pins.Bytes);
        Assert.False(_store.Pins.Pin(key));
    }

    /// <summary>Puts owed records until there is no room for one more.</summary>
    private void Fill()
    {
        int count = 0;
        while (TryPut(ChunkUse.Staged, out _))
        {
            Assert.True(++count < SpaceBytes / RecordBytes);
        }
    }

    private RecordKey Put(ChunkUse use)
    {
        Assert.True(TryPut(use, out RecordKey key));
        return key;
    }

    private bool TryPut(ChunkUse use, out RecordKey key)
    {
        byte[] stored = new byte[RecordBytes];
        _random.Fill(stored);
        key = RecordKey.Copy(new ChunkAddress(System.Security.Cryptography.SHA256.HashData(stored)));
        return _store.Put(key, stored, use).IsOk;
    }
}
