using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tests.Tree;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Tests.Fold;

/// <summary>What was read of a table stays so until a key changes that was read.</summary>
public sealed class NotedReadsTests
{
    private const int Many = 10_000;

    [Fact]
    public void A_folder_is_as_it_was_read_until_one_of_the_keys_changes()
    {
        (int same, int changed) = (0, 0);
        Seeds.Run(100, seed =>
        {
            var random = new Prng(seed);
            (Replica here, Replica other, Replica third) = (new(1, seed), new(2, seed), new(3, seed));
            for (int step = 0; step < 60; step++)
            {
                Replica from = random.Chance(2) ? other : third;
                new RandomEdits(from, random, []).Next(step);
                ObjectId[] folders = [.. Folders(here.Queries)];
                ObjectId folder = folders[random.Next(folders.Length)];
                var reads = new NotedReads(here.Fold.Table, Many);
                string before = Shown(new TreeQueries(reads), folder);
                Assert.True(reads.IsWhole);
                FoldReport report = here.Fold.Receive(from.Written);
                if (random.Chance(3))
                {
                    (from == other ? third : other).Receive(here, from);
                }

                if (report.ChangedKeys.Any(key => reads.Has(key.Span)))
                {
                    changed++;
                }
                else
                {
                    same++;
                    Assert.Equal(before, Shown(here.Queries, folder));
                }
            }
        });
        Assert.True(same > 100 && changed > 100, $"{same} stayed, {changed} did not");
    }

    [Fact]
    public void A_read_of_more_than_one_id_or_of_too_much_counts_as_touched_by_everything()
    {
        var table = new MemoryTable();
        var wide = new NotedReads(table, Many);
        wide.Scan([TreeKeys.Object], [TreeKeys.Object + 1]);
        Assert.False(wide.IsWhole);
        Assert.True(wide.Has([TreeKeys.Rule]));

        var large = new NotedReads(table, 2);
        large.Find([1]);
        large.Find([2]);
        Assert.True(large.IsWhole);
        Assert.False(large.Has([3]));
        large.Find([3]);
        Assert.False(large.IsWhole);
        Assert.True(large.Has([4]));
    }

    private static IEnumerable<ObjectId> Folders(TreeQueries queries)
    {
        var waiting = new Stack<ObjectId>([TreeQueries.Root]);
        while (waiting.TryPop(out ObjectId next))
        {
            yield return next;
            foreach (EntryView entry in queries.List(next, default, Many))
            {
                if (entry.Kind == TreeKind.Directory)
                {
                    waiting.Push(entry.Object);
                }
            }
        }
    }

    /// <summary>The path of a folder and all that is below it.</summary>
    private static string Shown(TreeQueries queries, ObjectId folder)
    {
        List<string> lines = [string.Join('/', queries.PathOf(folder).Select(name => Convert.ToHexString(name.Span)))];
        var waiting = new Stack<ObjectId>([folder]);
        while (waiting.TryPop(out ObjectId next))
        {
            if (queries.Get(next) is not { } view)
            {
                continue;
            }

            lines.Add($"{view.Id} {view.Kind} {view.IsDetached} {view.Modified} {view.Head?.Version}");
            foreach (EntryView entry in queries.List(next, default, Many))
            {
                lines.Add($"{Convert.ToHexString(entry.Name.Span)} {entry.Object}");
                waiting.Push(entry.Object);
            }
        }

        return string.Join('\n', lines);
    }
}
