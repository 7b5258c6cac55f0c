using System.Diagnostics;
using System.Globalization;
using Cairn.Core.Primitives;
using Cairn.Io.Disk;
using Cairn.Storage.Packs;

namespace Cairn.Bench.Micro;

/// <summary>1 GiB in chunks of 1 MiB through the chunk store on a real disk: put, commit, read back to send.</summary>
internal static class QuickStore
{
    private const int Records = 1024;
    private const int RecordBytes = 1 << 20;

    /// <param name="folder">On the disk to measure; a new folder below it is used and removed.</param>
    public static int Run(string folder)
    {
        string home = Path.Join(folder, $"cairn-store-{Environment.ProcessId}");
        try
        {
            RealDisk disk = RealDisk.OpenRoot(home).Value;
            using ChunkStore store = ChunkStore.Open(disk, new ChunkStoreOptions { SpaceBytes = 2L << 30 }).Value;
            byte[] stored = new byte[RecordBytes];
            Prng random = new(1);
            random.Fill(stored);
            RecordKey[] keys = [.. Enumerable.Range(0, Records).Select(_ => Key(random))];
            Show("put", () => Each(keys, key => store.Put(key, stored, ChunkUse.Staged).IsOk));
            Show("commit", () => store.Commit().IsOk);
            Show("read to send", () => Each(keys, key => store.ReadBulk(key, stored).IsOk));
            return 0;
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    private static RecordKey Key(Prng random)
    {
        byte[] address = new byte[ChunkAddress.Size];
        random.Fill(address);
        return RecordKey.Copy(new ChunkAddress(address));
    }

    private static bool Each(RecordKey[] keys, Func<RecordKey, bool> work) => Array.TrueForAll(keys, key => work(key));

    private static void Show(string what, Func<bool> work)
    {
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        bool isDone = work();
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        double cpuSeconds = (Environment.CpuUsage.TotalTime - cpu).TotalSeconds;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{what,-16} {seconds,7:F2} s {cpuSeconds,7:F2} CPU s {(isDone ? string.Empty : "FAILED")}"));
    }
}
