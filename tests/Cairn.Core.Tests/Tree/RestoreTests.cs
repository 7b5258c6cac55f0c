using System.Text;
using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Past;

namespace Cairn.Core.Tests.Tree;

/// <summary>Going back: to a snapshot, to a moment, and to what there would be without one member's work.</summary>
public sealed class RestoreTests
{
    [Fact]
    public void After_any_edits_the_tree_becomes_again_what_a_snapshot_shows()
    {
        for (ulong seed = 1; seed <= 300; seed++)
        {
            Restore(seed);
        }
    }

    private static void Restore(ulong seed)
    {
        var random = new Prng(seed);
        Replica[] replicas = [.. Enumerable.Range(1, 1 + random.Next(3)).Select(n => new Replica((byte)n, seed))];
        Edit(replicas, random, 40);
        Replica owner = replicas[0];
        Bytes16 id = owner.Fresh();
        owner.Do(new Primitive[] { new Snapshot(id, default, "s"u8.ToArray()) }.ToImmutable());
        Edit(replicas, random, 60);
        var snapshots = new SnapshotQueries(owner.Fold.Table);
        TreeQueries then = snapshots.View(snapshots.Find(id)!);
        var walk = new RestoreWalk(then, owner.Queries, owner.Fresh, (_, _) => true);
        foreach (RestoreStep step in walk.Steps([]))
        {
            Assert.False(step.IsLost);
            Assert.Null(owner.Do(step.Primitives));
        }

        Assert.True(Lines(then) == Lines(owner.Queries), $"seed {seed}\n{Lines(then)}\n--- is\n{Lines(owner.Queries)}");
        Assert.Empty(owner.Queries.ConflictedNames());
        Assert.DoesNotContain(walk.Steps([]), step => !step.Primitives.IsEmpty);
        TreeAudit.Check(owner.Fold.Table);
        Replica.Sync(replicas);
    }

    [Fact]
    public void A_folder_alone_comes_back_with_those_above_it_and_nothing_else_changes()
    {
        var a = new Replica(1);
        a.MakeDirectory("x");
        a.MakeDirectory("x/y");
        a.Create("x/y/f", "one");
        a.Create("x/beside", "b");
        Bytes16 id = a.Fresh();
        a.Do(new Primitive[] { new Snapshot(id, default, "s"u8.ToArray()) }.ToImmutable());
        a.Write("x/y/f", "two");
        a.Unlink("x/y/f");
        a.RemoveDirectory("x/y");
        a.Unlink("x/beside");
        a.RemoveDirectory("x");
        a.Create("new", "n");
        var snapshots = new SnapshotQueries(a.Fold.Table);
        var walk = new RestoreWalk(snapshots.View(snapshots.Find(id)!), a.Queries, a.Fresh, (_, _) => true);
        foreach (RestoreStep step in walk.Steps(["x"u8.ToArray(), "y"u8.ToArray()]))
        {
            Assert.Null(a.Do(step.Primitives));
        }

        Assert.Equal("one", a.Read("x/y/f"));
        Assert.Equal("n", a.Read("new"));
        Assert.Null(a.Find("x/beside"));
    }

    [Fact]
    public void A_replay_of_everything_is_the_fold()
    {
        for (ulong seed = 1; seed <= 60; seed++)
        {
            var random = new Prng(seed);
            Replica[] replicas = [.. Enumerable.Range(1, 4).Select(n => new Replica((byte)n, seed))];
            Edit(replicas, random, 80);
            Replica.Sync(replicas);
            var table = new MemoryTable();
            long applied = Replay(replicas, table, _ => true);
            Assert.Equal(replicas.Sum(replica => replica.Written.Count), applied);
            Assert.Equal(Lines(replicas[0].Queries), Lines(new TreeQueries(table)));
            TreeAudit.Check(table);
        }
    }

    [Fact]
    public void Without_one_members_work_the_others_stays()
    {
        var good = new Replica(1);
        var bad = new Replica(2);
        good.MakeDirectory("d");
        good.Create("d/mine", "1");
        good.Create("d/theirs", "1");
        Replica.Sync(good, bad);
        bad.Unlink("d/mine");
        bad.Write("d/theirs", "ruined");
        bad.Create("ransom", "pay");
        Replica.Sync(good, bad);
        good.Create("d/after", "2");
        Replica.Sync(good, bad);
        var table = new MemoryTable();
        Replay([good, bad], table, written => written.Id.Log != bad.Log);
        Assert.Equal("/d/;/d/after=2;/d/mine=1;/d/theirs=1;", Names(Lines(new TreeQueries(table))));
    }

    [Fact]
    public void Differences_are_told_by_name()
    {
        var a = new Replica(1);
        a.MakeDirectory("d");
        a.Create("d/same", "s");
        a.Create("d/old", "o");
        a.Create("d/changed", "1");
        Bytes16 id = a.Fresh();
        a.Do(new Primitive[] { new Snapshot(id, default, "s"u8.ToArray()) }.ToImmutable());
        a.Write("d/changed", "2");
        a.Rename("d/old", "d/young");
        a.Do(a.Edits.SetAttributes(a.Find("d/same")!.Value.Object, 0x180, null, null, null));
        var snapshots = new SnapshotQueries(a.Fold.Table);
        var differences = new List<EntryDifference>();
        var below = new List<(IReadOnlyList<ReadOnlyMemory<byte>> Path, ObjectId? Was, ObjectId? IsNow)>
        {
            ([], TreeQueries.Root, TreeQueries.Root),
        };
        var compare = new TreeDifferences(snapshots.View(snapshots.Find(id)!), a.Queries);
        for (int i = 0; i < below.Count; i++)
        {
            compare.Compare(below[i].Path, below[i].Was, below[i].IsNow, differences, below);
        }

        Assert.Equal(
            ["d/changed Modified", "d/old Removed", "d/same Attributes", "d/young Added"],
            differences.Select(one => string.Join('/', one.Path.Select(name => Encoding.UTF8.GetString(name.Span)))
                + " " + one.Change));
    }

    private static long Replay(Replica[] replicas, MemoryTable table, Func<Transaction, bool> isWanted) =>
        OrderedReplay.Run([.. replicas.Select(replica => replica.Written)], isWanted, new TreeApplier(), table);

    private static void Edit(Replica[] replicas, Prng random, int steps)
    {
        var contents = new Dictionary<string, byte>();
        for (int step = 0; step < steps; step++)
        {
            Replica replica = replicas[random.Next(replicas.Length)];
            if (random.Chance(4))
            {
                replica.Receive(replicas[random.Next(replicas.Length)]);
            }

            new RandomEdits(replica, random, contents).Next(step);
        }
    }

    /// <summary>Every real entry with what a restoration brings back; conflicts are not among that.</summary>
    private static string Lines(TreeQueries queries)
    {
        var lines = new StringBuilder();
        Lines(queries, TreeQueries.Root, string.Empty, lines);
        return lines.ToString();
    }

    private static void Lines(TreeQueries queries, ObjectId directory, string path, StringBuilder lines)
    {
        foreach (EntryView entry in queries.List(directory, default, int.MaxValue).Where(entry => !entry.IsConflict))
        {
            ObjectView view = queries.Get(entry.Object)!;
            string name = path + "/" + Encoding.UTF8.GetString(entry.Name.Span);
            string content = entry.Kind == TreeKind.Directory ? "/" : "=" + Replica.ContentOf(view);
            lines.Append(name).Append(content).Append(' ').Append(view.Mode).Append(' ')
                .Append(entry.Kind == TreeKind.File ? view.Modified.UnixNanoseconds : 0).Append('\n');
            if (entry.Kind == TreeKind.Directory)
            {
                Lines(queries, entry.Object, name, lines);
            }
        }
    }

    private static string Names(string lines) =>
        string.Concat(lines.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ')[0] + ";"));
}
