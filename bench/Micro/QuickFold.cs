using System.Globalization;
using System.Text;
using Cairn.Core.Fold;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Io.Index;
using Cairn.Node.Logs;
using Cairn.Node.Ports;
using Cairn.Simulation;

namespace Cairn.Bench.Micro;

/// <summary>How fast a peer's operations are folded: in memory, and into the sealed index on disk.</summary>
/// <remarks>
/// One transaction makes one file with its content. Folded in the portions of <c>PendingFold</c>, their pre-images kept; written
/// after each portion. Per CPU second of the process, because the machine may be busy.
/// </remarks>
internal static class QuickFold
{
    private const int Files = 100_000;
    private const int FilesPerFolder = 500;
    private const int Portion = 8192;
    private const long CacheBytes = 24L << 20;
    private const double MemoryGate = 200_000;
    private const double IndexGate = 50_000;

    /// <param name="folder">On the disk to measure; a new folder below it is used and removed.</param>
    public static int Run(string folder)
    {
        Transaction[] foreign = Make();
        Fold(new MemoryTable(), foreign[..Portion], static _ => { });
        double inMemory = Fold(new MemoryTable(), foreign, static _ => { });
        double intoIndex = IntoIndex(Path.Join(folder, $"cairn-fold-{Environment.ProcessId}"), foreign);
        return Show("in memory", inMemory, MemoryGate) & Show("into the index", intoIndex, IndexGate) ? 0 : 1;
    }

    private static double IntoIndex(string home, Transaction[] foreign)
    {
        Directory.CreateDirectory(home);
        try
        {
            using SealedIndex index = SealedIndex.Open(
                new SqliteIndexStore(Path.Join(home, "index")), new byte[32], new SimulatedEntropy(1));
            var table = new OverlayTable(new IndexTable(index), CacheBytes);
            return Fold(table, foreign, fold =>
            {
                fold.Save();
                IndexChange[] changes = [.. table.TakeChanges().Select(static change => new IndexChange(
                    change.Key, change.Value is null ? null : (ReadOnlyMemory<byte>?)change.Value))];
                Invariant.That(index.Apply(changes).IsOk, "the index cannot be written");
                table.ChangesPersisted();
            });
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    /// <summary>Transactions a CPU second.</summary>
    private static double Fold(ITreeTable table, Transaction[] foreign, Action<OrderedFold> write)
    {
        var fold = new OrderedFold(table, new TreeApplier());
        TimeSpan before = Environment.CpuUsage.TotalTime;
        foreach (Transaction[] portion in foreign.Chunk(Portion))
        {
            int applied = fold.Receive(portion).Applied;
            Invariant.That(applied == portion.Length, $"{applied} of {portion.Length} folded");
            write(fold);

            // The others have seen it.
            fold.Prune(fold.Positions);
        }

        return foreign.Length / (Environment.CpuUsage.TotalTime - before).TotalSeconds;
    }

    private static Transaction[] Make()
    {
        var random = new Prng(1);
        var fold = new OrderedFold(new MemoryTable(), new TreeApplier()) { Alone = true };
        var edits = new TreeEdits(new TreeQueries(fold.Table), () => Fresh(random));
        var log = new LogId(new NodeId(new byte[NodeId.Size]), 1);
        var made = new Transaction[Files];
        ObjectId folder = default;
        for (int i = 0; i < Files; i++)
        {
            byte[] name = Encoding.UTF8.GetBytes($"file-{i}.txt");
            var created = new NewObject(new ObjectId(Fresh(random)), 0x1A4, 0, 0, default);
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

    private static bool Show(string where, double perSecond, double gate)
    {
        bool reached = perSecond >= gate;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"fold {where,-16} {perSecond,9:F0} a CPU second   gate {gate:F0} {(reached ? "ok" : "MISSED")}"));
        return reached;
    }

    private static Bytes16 Fresh(Prng random)
    {
        Span<byte> bytes = stackalloc byte[Bytes16.Size];
        random.Fill(bytes);
        return new Bytes16(bytes);
    }
}
