using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;

namespace Cairn.Bench.Micro;

/// <summary>What a snapshot of 1,000,000 files costs, and what each first change after it costs beside itself.</summary>
internal static class QuickSnapshot
{
    private const int FilesDefault = 1_000_000;
    private const int FilesPerDirectory = 1000;
    private const int Changes = 100_000;
    private const double GateMilliseconds = 50;
    private const long GateBytes = 10 * 1024;

    private static readonly LogId Log = new(new NodeId(new byte[NodeId.Size]), 1);

    /// <param name="files">How many.</param>
    public static int Run(int files = FilesDefault)
    {
        var table = new MemoryTable();
        var fold = new OrderedFold(table, new TreeApplier()) { Alone = true };
        List<ObjectId> made = Fill(fold, files);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{files} files, {table.ContentBytes / 1e6:F0} MB in the table"));

        long before = table.ContentBytes;
        long start = Stopwatch.GetTimestamp();
        Transaction snapshot = fold.Author(
            Log, default, [new Snapshot(new Bytes16(new byte[16]), default, "bench"u8.ToArray())]);
        fold.ApplyLocal(snapshot);
        double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        long bytes = table.ContentBytes - before + TransactionCodec.Encode(snapshot).Length;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"snapshot: {milliseconds:F2} ms, {bytes} bytes in table and log"));

        before = table.ContentBytes;
        double first = Change(fold, made);
        long kept = table.ContentBytes - before;
        double second = Change(fold, made);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"a change: {first:F1} us and {kept / Changes} bytes kept the first time, {second:F1} us after that"));
        bool reached = milliseconds <= GateMilliseconds && bytes <= GateBytes;
        Console.WriteLine($"gate {GateMilliseconds} ms, {GateBytes} bytes: {(reached ? "reached" : "MISSED")}");
        return reached ? 0 : 1;
    }

    private static List<ObjectId> Fill(OrderedFold fold, int files)
    {
        var random = new Prng(1);
        var edits = new TreeEdits(new TreeQueries(fold.Table), () => Fresh(random));
        var made = new List<ObjectId>(files);
        ObjectId directory = default;
        for (int i = 0; i < files; i++)
        {
            if (i % FilesPerDirectory == 0)
            {
                directory = new ObjectId(Fresh(random));
                Apply(fold, edits.MakeDirectory(
                    default, Name($"d{i}"), new NewObject(directory, 0x1ED, 0, 0, default)).Value);
            }

            var id = new ObjectId(Fresh(random));
            var version = new NewVersion(new VersionId(Fresh(random)), 4096, 4096, default, new byte[120]);
            Apply(fold, edits.CreateFile(
                directory, Name($"file-{i}.txt"), new NewObject(id, 0x1A4, 0, 0, default), version).Value);
            made.Add(id);
        }

        return made;
    }

    /// <summary>Changes the mode of the first files; microseconds each.</summary>
    private static double Change(OrderedFold fold, List<ObjectId> files)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < Math.Min(Changes, files.Count); i++)
        {
            Apply(fold, [new SetAttributes(files[i], default, 0x180, null, null, null)]);
        }

        return Stopwatch.GetElapsedTime(start).TotalMicroseconds / Changes;
    }

    private static void Apply(OrderedFold fold, ImmutableArray<Primitive> primitives) =>
        fold.ApplyLocal(fold.Author(Log, default, primitives));

    private static byte[] Name(string text) => Encoding.UTF8.GetBytes(text);

    private static Bytes16 Fresh(Prng random)
    {
        Span<byte> bytes = stackalloc byte[Bytes16.Size];
        random.Fill(bytes);
        return new Bytes16(bytes);
    }
}
