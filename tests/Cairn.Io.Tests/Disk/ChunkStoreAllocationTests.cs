using Cairn.Core.Primitives;
using Cairn.Io.Disk;
using Cairn.Storage.Packs;

namespace Cairn.Io.Tests.Disk;

/// <summary>Chunks pass through the store without a managed allocation: a collection would stall the drive.</summary>
public sealed class ChunkStoreAllocationTests : IDisposable
{
    private const int Rounds = 16;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(4096)]
    [InlineData(1 << 20)]
    public void A_put_and_a_read_allocate_nothing(int length)
    {
        RealDisk disk = RealDisk.OpenRoot(_folder["home"]).Value;
        ChunkStoreOptions options = new() { SpaceBytes = 8L << 30 };
        using ChunkStore store = ChunkStore.Open(disk, options).Value;
        byte[] stored = new byte[length];
        byte[] sent = new byte[ChunkStore.ReadRoom + length];
        Prng random = new(1);
        byte[] address = new byte[ChunkAddress.Size];
        RecordKey Next()
        {
            random.Fill(address);
            return RecordKey.Copy(new ChunkAddress(address));
        }

        // The first opens a pack and compiles the code.
        for (int i = 0; i < Rounds; i++)
        {
            PutAndRead(store, Next(), stored, sent);
        }

        RecordKey[] keys = [.. Enumerable.Range(0, Rounds).Select(_ => Next())];
        long before = GC.GetAllocatedBytesForCurrentThread();
        foreach (RecordKey key in keys)
        {
            PutAndRead(store, key, stored, sent);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void PutAndRead(ChunkStore store, RecordKey key, byte[] stored, byte[] sent)
    {
        bool isDone = store.Put(key, stored, ChunkUse.Staged).IsOk
            && store.Read(key, 0, stored).IsOk && store.ReadToSend(key, sent).IsOk;
        if (!isDone)
        {
            Assert.Fail("the store did not take and give a record");
        }
    }
}
