using System.Globalization;
using System.Text;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Records;
using Cairn.Io.Index;
using Cairn.Node.Logs.Index;
using Cairn.Node.Ports;
using Cairn.Simulation;

namespace Cairn.Bench.Micro;

/// <summary>What sealing the index costs: 10,000 files written, read through at a start, and listed from the database.</summary>
/// <remarks>The two kinds alternate; CPU time, because the machine may be busy. Medians.</remarks>
internal static class QuickIndex
{
    private const int Files = 10_000;
    private const int Rounds = 5;
    private const int ChangesPerWrite = 2000;

    /// <param name="folder">On the disk to measure; a new folder below it is used and removed.</param>
    public static int Run(string folder)
    {
        string home = Path.Join(folder, $"cairn-index-{Environment.ProcessId}");
        Directory.CreateDirectory(home);
        var plain = new List<double[]>();
        var isSealed = new List<double[]>();
        try
        {
            for (int round = 0; round < Rounds; round++)
            {
                plain.Add(Measure(new SqliteIndexStore(Path.Join(home, $"plain{round}"))));
                isSealed.Add(Measure(SealedIndex.Open(
                    new SqliteIndexStore(Path.Join(home, $"sealed{round}")), new byte[32], new SimulatedEntropy(1))));
            }
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }

        Console.WriteLine($"{Files} files, CPU ms    plain   sealed");
        Show("write", 0, plain, isSealed);
        Show("read at start", 1, plain, isSealed);
        Show("list, in cache", 2, plain, isSealed);
        Show("list, no cache", 3, plain, isSealed);
        return 0;
    }

    private static double[] Measure(IIndexStore index)
    {
        using (index)
        {
            var random = new Prng(7);
            var changes = new List<IndexChange>();
            double write = 0;
            for (int i = 0; i < Files; i++)
            {
                byte[] id = new byte[ObjectId.Size];
                random.Fill(id);
                byte[] name = Encoding.UTF8.GetBytes($"a file of some length {i:d6}.txt");
                byte[] record = new byte[220];
                random.Fill(record);
                byte[] entry = [TreeKeys.Entry, .. new byte[ObjectId.Size], .. name];
                changes.Add(new IndexChange(entry, new byte[17]));
                changes.Add(new IndexChange(new byte[] { TreeKeys.Object }.Concat(id).ToArray(), record));
                if (changes.Count == ChangesPerWrite)
                {
                    write += Cpu(() => _ = index.Apply(changes));
                    changes.Clear();
                }
            }

            OverlayTable? table = null;
            double start = Cpu(() => table = new OverlayTable(new IndexTable(index), 64 << 20));
            double cached = Cpu(() => List(table!));
            OverlayTable bare = new(new IndexTable(index), 0, 0);
            return [write, start, cached, Cpu(() => List(bare))];
        }
    }

    /// <summary>A directory's entries in order, and the record of each object.</summary>
    private static void List(OverlayTable table)
    {
        int seen = 0;
        TableCursor entries = table.Scan([TreeKeys.Entry], [TreeKeys.Entry + 1]);
        while (entries.MoveNext())
        {
            seen++;
        }

        TableCursor objects = table.Scan([TreeKeys.Object], [TreeKeys.Object + 1]);
        while (objects.MoveNext())
        {
            seen += table.Get(objects.Key) is null ? 0 : 1;
        }

        Invariant.That(seen == 2 * Files, $"{seen} records");
    }

    private static double Cpu(Action work)
    {
        TimeSpan before = Environment.CpuUsage.TotalTime;
        work();
        return (Environment.CpuUsage.TotalTime - before).TotalMilliseconds;
    }

    private static void Show(string what, int column, List<double[]> plain, List<double[]> isSealed)
    {
        double Median(List<double[]> rounds) => rounds.Select(round => round[column]).Order().ElementAt(Rounds / 2);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{what,-20} {Median(plain),8:F1} {Median(isSealed),8:F1}"));
    }
}
