using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Tests.Tree;

/// <summary>Checks that what the table says in one place agrees with what it says in another.</summary>
internal static class TreeAudit
{
    internal static void Check(ITreeTable table)
    {
        var queries = new TreeQueries(table);
        var reached = new HashSet<ObjectId>();
        long bytes = 0;
        var pending = new Stack<ObjectId>([TreeQueries.Root]);
        while (pending.TryPop(out ObjectId directory))
        {
            uint subdirectories = 0;
            foreach (EntryView entry in queries.List(directory, default, int.MaxValue))
            {
                ObjectView view = queries.Get(entry.Object)!;
                Assert.Equal(entry.Kind, view.Kind);
                Assert.False(view.IsDetached);
                Assert.Contains(queries.Parents(entry.Object), place =>
                    place.Parent == directory && place.Name.Span.SequenceEqual(entry.Name.Span));
                if (entry.IsBranch)
                {
                    Assert.Equal((uint)queries.Parents(entry.Object).Count, view.LinkCount);
                    continue;
                }

                if (reached.Add(entry.Object))
                {
                    bytes += view.Heads.Sum(head => head.SizeBytes);
                }

                if (entry.Kind == TreeKind.Directory)
                {
                    Assert.Single(queries.Parents(entry.Object));
                    subdirectories++;
                    pending.Push(entry.Object);
                }
            }

            Assert.Equal(2 + subdirectories, queries.Get(directory)!.LinkCount);
        }

        CheckObjects(table, queries, reached);
        Assert.True(queries.Totals.Objects >= reached.Count);
    }

    private static void CheckObjects(ITreeTable table, TreeQueries queries, HashSet<ObjectId> reached)
    {
        HashSet<ObjectId> detached = [.. queries.DetachedObjects().Select(gone => gone.Object)];
        long live = 0;
        TableCursor cursor = table.Scan([TreeKeys.Object], [TreeKeys.Object + 1]);
        while (cursor.MoveNext())
        {
            Assert.True(TreeKeys.TryParseObject(cursor.Key, out ObjectId id));
            ObjectView? view = queries.Get(id);
            if (view is null)
            {
                // Only the alias of a directory that was condemned leads nowhere.
                Assert.Equal(8, cursor.Value[0] & 0x18);
                continue;
            }

            if (id == default || view.Owner != id)
            {
                continue;
            }

            Assert.Equal(view.IsDetached, detached.Contains(id));
            live += view.IsDetached ? 0 : 1;
            if (!view.IsDetached && !reached.Contains(id))
            {
                Assert.True(IsHiddenEqual(table, queries, id), $"object {id} is live but not shown");
            }
        }

        Assert.Equal(live, queries.Totals.Objects);
    }

    private static bool IsHiddenEqual(ITreeTable table, TreeQueries queries, ObjectId id)
    {
        TableCursor cursor = table.Scan([TreeKeys.Entry], [TreeKeys.Entry + 1]);
        while (cursor.MoveNext())
        {
            for (int at = 17; at < cursor.Value.Length; at += 17)
            {
                if (new ObjectId(cursor.Value.AsSpan(at, 16)) == id)
                {
                    return Enumerable.Range(0, at / 17).Any(i => Replica.ContentOf(
                        queries.Get(new ObjectId(cursor.Value.AsSpan(i * 17, 16)))!)
                            == Replica.ContentOf(queries.Get(id)!));
                }
            }
        }

        return false;
    }
}
