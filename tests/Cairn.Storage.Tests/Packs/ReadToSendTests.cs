using Cairn.Core.Primitives;
using Cairn.Simulation.Disks;
using Cairn.Storage.Packs;
using static Cairn.Storage.Tests.Packs.ChunkStoreTests;

namespace Cairn.Storage.Tests.Packs;

/// <summary>A record that is to be sent is read in one go and checked.</summary>
public sealed class ReadToSendTests
{
    private const int Length = 3000;
    private const int FirstRecord = 64;

    [Fact]
    public void Records_can_be_read_behind_each_other()
    {
        using ChunkStore store = ChunkStore.Open(new SimulatedDisk(), Options()).Value;
        RecordKey first = Put(store, 1, Length, ChunkUse.Replicated);
        RecordKey second = Put(store, 2, Length, ChunkUse.Staged);
        byte[] buffer = new byte[ChunkStore.ReadRoom + Length + Length];
        Array.Fill(buffer, (byte)7);
        Assert.True(store.ReadToSend(first, buffer.AsSpan(0, ChunkStore.ReadRoom + Length)).IsOk);
        Assert.True(store.ReadToSend(second, buffer.AsSpan(Length, ChunkStore.ReadRoom + Length)).IsOk);
        Assert.All(buffer[..ChunkStore.ReadRoom], room => Assert.Equal(7, room));
        byte[] stored = new byte[Length];
        foreach ((RecordKey key, int at) in new[] { (first, 0), (second, Length) })
        {
            Assert.True(store.Read(key, 0, stored).IsOk);
            Assert.Equal(stored, buffer.AsSpan(ChunkStore.ReadRoom + at, Length).ToArray());
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1500)]
    [InlineData(Length - 1)]
    public void Rotten_bytes_are_not_sent(int at)
    {
        SimulatedDisk disk = new();
        using ChunkStore store = ChunkStore.Open(disk, Options()).Value;
        RecordKey key = Put(store, 1, Length, ChunkUse.Replicated);
        disk.FlipBit(disk.Files[0], FirstRecord + ChunkStore.ReadRoom + at, 4);
        byte[] buffer = new byte[ChunkStore.ReadRoom + Length];
        Assert.Equal(StoreErrorKind.Corrupt, store.ReadToSend(key, buffer).Error.Kind);
    }

    [Fact]
    public void Whole_bytes_under_a_rotten_header_are_sent()
    {
        SimulatedDisk disk = new();
        using ChunkStore store = ChunkStore.Open(disk, Options()).Value;
        RecordKey key = Put(store, 1, Length, ChunkUse.Replicated);
        for (int at = 0; at < ChunkStore.ReadRoom; at++)
        {
            disk.FlipBit(disk.Files[0], FirstRecord + at, at % 8);
            byte[] buffer = new byte[ChunkStore.ReadRoom + Length];
            Assert.True(store.ReadToSend(key, buffer).IsOk);
            disk.FlipBit(disk.Files[0], FirstRecord + at, at % 8);
        }
    }

    [Fact]
    public void What_is_not_here_or_longer_is_an_error()
    {
        using ChunkStore store = ChunkStore.Open(new SimulatedDisk(), Options()).Value;
        RecordKey key = Put(store, 1, Length, ChunkUse.Replicated);
        RecordKey other = KeyOf(Bytes(2, Length));
        byte[] buffer = new byte[ChunkStore.ReadRoom + Length + 1];
        Assert.Equal(StoreErrorKind.NotFound, store.ReadToSend(other, buffer).Error.Kind);
        Assert.Equal(StoreErrorKind.Corrupt, store.ReadToSend(key, buffer).Error.Kind);
    }

    private static ChunkStoreOptions Options() => new() { SpaceBytes = 256L << 20 };
}
