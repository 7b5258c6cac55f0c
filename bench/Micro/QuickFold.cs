using System.Diagnostics;
using System.Globalization;
using System.Text;
using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Io.Index;
using Cairn.Node.Logs;
using Cairn.Node.Logs.Index;
using Cairn.Node.Ports;
using Cairn.Simulation;

namespace Cairn.Bench.Micro;

/// <summary>How fast a peer's operations are folded: in memory, and into the sealed index on disk.</summary>
/// <remarks>
/// One transaction makes one file with its content. Folded in the portions of <c>PendingFold</c>, their pre-images kept; written
/// as <c>TablePersister</c> does it, beside the folding. Each is done twice, the first time for the compiler. Shown per second,
/// and per CPU second because the machine may be busy.
/// </remarks>
internal static class QuickFold
{
    private const int Files = 100_000;
    private const int FilesPerFolder = 500;
    private const int Portion = 8192;
    private const double MemoryGate = 200_000;
    private const double IndexGate = 50_000;

    private readonly record struct Rate(double PerSecond, double PerCpuSecond, double BytesPerFile);

    /// <param name="folder">On the disk to measure; a new folder below it is used and removed.</param>
    public static int Run(string folder)
    {
        Transaction[] foreign = Make();
        InMemory(foreign);
        Rate inMemory = InMemory(foreign);
        string home = Path.Join(folder, $"cairn-fold-{Environment.ProcessId}");
        IntoIndex(home, foreign);
        Rate intoIndex = IntoIndex(home, foreign);
        return Show("in memory", inMemory, MemoryGate) & Show("into the index", intoIndex, IndexGate) ? 0 : 1;
    }

    private static Rate InMemory(Transaction[] foreign)
    {
        var fold = new OrderedFold(new MemoryTable(), new TreeApplier());
        return Measure(() =>
        {
            foreach (Transaction[] portion in foreign.Chunk(Portion))
            {
                Receive(fold, portion);
                fold.Prune(fold.Positions);
            }
        });
    }

    private static Rate IntoIndex(string home, Transaction[] foreign)
    {
        Directory.CreateDirectory(home);
        try
        {
            using SealedIndex index = SealedIndex.Open(
                new SqliteIndexStore(Path.Join(home, "index")), new byte[32], new SimulatedEntropy(1));
            var options = new ReplicatedLogOptions();
            var table = new OverlayTable(new IndexTable(index), options.TableCacheBytes);
            var fold = new OrderedFold(table, new TreeApplier());
            return Measure(() =>
            {
                Task written = Task.CompletedTask;
                foreach (Transaction[] portion in foreign.Chunk(Portion))
                {
                    Receive(fold, portion);
                    if (table.ChangeCount >= options.PersistChangesMax)
                    {
                        written = Write(index, table, fold, written);
                    }
                }

                Write(index, table, fold, written).Wait();
            });
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    private static void Receive(OrderedFold fold, Transaction[] portion)
    {
        int applied = fold.Receive(portion).Applied;
        Invariant.That(applied == portion.Length, $"{applied} of {portion.Length} folded");
    }

    /// <summary>Begins to write what changed, once what was taken before is written.</summary>
    private static Task Write(SealedIndex index, OverlayTable table, OrderedFold fold, Task before)
    {
        fold.Save();
        before.Wait();
        table.ChangesPersisted();
        fold.Save();
        IReadOnlyList<TableChange> changes = table.TakeChanges();

        // By the next time the others have seen it.
        fold.Prune(fold.Positions);
        return Task.Run(() => Invariant.That(
            index.Apply(changes.Select(IndexChange.Of)).IsOk, "the index cannot be written"));
    }

    private static Rate Measure(Action fold)
    {
        long began = Stopwatch.GetTimestamp();
        TimeSpan before = Environment.CpuUsage.TotalTime;
        long allocated = GC.GetTotalAllocatedBytes();
        fold();
        return new Rate(
            Files / Stopwatch.GetElapsedTime(began).TotalSeconds,
            Files / (Environment.CpuUsage.TotalTime - before).TotalSeconds,
            (GC.GetTotalAllocatedBytes() - allocated) / (double)Files);
    }

    private static Transaction[] Make()
    {
        var random = new Prng(1);
        var ids = new FreshIds(random.Fill);
        var fold = new OrderedFold(new MemoryTable(), new TreeApplier()) { Alone = true };
        var edits = new TreeEdits(new TreeQueries(fold.Table), () => Fresh(random));
        var log = new LogId(new NodeId(new byte[NodeId.Size]), 1);
        var made = new Transaction[Files];
        ObjectId folder = default;
        for (int i = 0; i < Files; i++)
        {
            byte[] name = Encoding.UTF8.GetBytes($"file-{i}.txt");
            var created = new NewObject(new ObjectId(ids.Next()), 0x1A4, 0, 0, default);
            var version = new NewVersion(new VersionId(Fresh(random)), 4096, 4096, default, new byte[120]);
            bool isFolder = i % FilesPerFolder == 0;
            made[i] = fold.Author(log, default, isFolder
                ? edits.MakeDirectory(default, name, created).Value
                : edits.CreateFile(folder, name, created, version).Value);
            fold.ApplyLocal(made[i]);
            folder = isFolder ? created.Id : folder;
        }

        return made;
    }

    private static bool Show(string where, Rate rate, double gate)
    {
        bool isReached = Math.Max(rate.PerSecond, rate.PerCpuSecond) >= gate;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"fold {where,-16} {rate.PerSecond,9:F0}/s {rate.PerCpuSecond,9:F0} a CPU second   "
            + $"{rate.BytesPerFile,5:F0} bytes allocated a file   gate {gate:F0}/s {(isReached ? "ok" : "MISSED")}"));
        return isReached;
    }

    private static Bytes16 Fresh(Prng random)
    {
        Span<byte> bytes = stackalloc byte[Bytes16.Size];
        random.Fill(bytes);
        return new Bytes16(bytes);
    }
}
