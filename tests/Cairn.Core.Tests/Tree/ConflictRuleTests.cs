using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Past;

namespace Cairn.Core.Tests.Tree;

/// <summary>Conflicts that end by a rule: the same side stays whoever carries the rule out, and when.</summary>
public sealed class ConflictRuleTests
{
    private static readonly ConflictRule Newest = new(ConflictMode.Newest);

    private readonly Replica _a = new(1);
    private readonly Replica _b = new(2);
    private readonly Replica _c = new(3);

    private void Sync() => Replica.Sync(_a, _b, _c);

    [Fact]
    public void The_newest_stays_also_when_two_nodes_carry_the_rule_out_seeing_different_sides()
    {
        _a.Create("doc", "base");
        Sync();
        _a.Write("doc", "A");
        _b.Write("doc", "B");
        _c.Write("doc", "C");

        // Replica a has made the most edits, and so claims the latest time. Nobody has seen all three when the first two
        // settle.
        _a.Receive(_b);
        Settle(_a, "doc", Newest);
        _b.Receive(_c);
        Settle(_b, "doc", Newest);
        Sync();
        Settle(_a, "doc", Newest);
        Settle(_c, "doc", Newest);
        Sync();
        Assert.Equal("/doc=A\n", _a.Listing());
        Assert.Equal(3, new FileHistory(_a.Queries).Of(_a.Find("doc")!.Value.Object).Count(past => !past.IsShown));
    }

    [Fact]
    public void Saves_by_rename_end_in_one_file_and_the_other_is_in_the_trash()
    {
        _a.Create("doc", "base");
        Sync();
        foreach (Replica replica in (Replica[])[_a, _b])
        {
            replica.Create("doc~", replica.Log.Author.Short);
            Assert.Null(replica.Rename("doc~", "doc"));
        }

        Sync();
        Settle(_a, "doc", Newest);
        Settle(_b, "doc", Newest);
        Sync();
        Assert.Equal("/doc=01000000\n", _c.Listing());
        Assert.Contains(new TrashQueries(_c.Queries).All(), gone => Replica.ContentOf(gone.Object) == "02000000");
    }

    [Fact]
    public void A_preferred_node_wins_and_where_none_is_named_both_stay()
    {
        ConflictCandidate desk = Candidate(1, "desk", 10);
        ConflictCandidate lap = Candidate(2, "lap", 20);
        ConflictCandidate nas = Candidate(3, "nas", 30);
        Assert.Equal(desk.Id, Choose("prefer-node desk", desk, lap, nas));
        Assert.Equal(lap.Id, Choose("prefer-node phone, LAP, desk", desk, lap, nas));
        Assert.Equal(nas.Id, Choose("prefer-node 03030303", desk, lap, nas));
        Assert.Null(Choose("prefer-node phone", desk, lap, nas));
        Assert.Equal(nas.Id, Choose("newest", desk, lap, nas));
        Assert.Null(Choose("keep-both", desk, lap));
        Assert.Null(Choose("merge-text", desk, lap));
        Assert.Null(Choose("newest", desk));
        Assert.Null(Choose("newest", desk, lap with { Kind = TreeKind.Directory }));
    }

    [Fact]
    public void Of_a_preferred_persons_machines_the_latest_wins()
    {
        ConflictCandidate desk = Candidate(1, "desk", 10);
        ConflictCandidate lap = Candidate(2, "lap", 20);
        ConflictCandidate nas = Candidate(3, "nas", 30);
        ConflictRule anna = ConflictRule.Parse("prefer-user anna")!.Value;
        Assert.False(anna.IsValid);
        ConflictRule hers = anna.With([desk.Author, lap.Author]);
        Assert.True(hers.IsValid);
        Assert.Equal("prefer-user anna", hers.ToString());
        Assert.Equal(lap.Id, ConflictChooser.Choose(hers, [desk, lap, nas]));
        Assert.Equal(desk.Id, ConflictChooser.Choose(hers, [desk, nas]));

        // What a machine calls itself is its own claim.
        ConflictCandidate liar = nas with { AuthorName = hers.Names[0] };
        Assert.Equal(lap.Id, ConflictChooser.Choose(hers, [desk, lap, liar]));
        Assert.Null(ConflictChooser.Choose(anna.With([Candidate(4, "phone", 1).Author]), [desk, lap, nas]));
    }

    [Fact]
    public void Equal_times_are_told_apart_the_same_way_in_any_order()
    {
        ConflictCandidate[] sides = [Candidate(1, "a", 5), Candidate(2, "b", 5), Candidate(3, "c", 5)];
        Assert.Equal(Choose("newest", sides), Choose("newest", [.. sides.Reverse()]));
    }

    [Fact]
    public void The_common_ancestor_is_the_nearest_also_across_saves_by_rename()
    {
        _a.Create("doc", "first");
        _a.Write("doc", "second");
        Sync();
        _a.Write("doc", "A");
        _b.Create("doc~", "B1");
        Assert.Null(_b.Rename("doc~", "doc"));
        _b.Write("doc", "B2");
        Sync();
        ObjectView[] sides =
        [
            .. _a.Queries.List(TreeQueries.Root, default, 10).Select(entry => _a.Queries.Get(entry.Object)!),
        ];
        Assert.Equal(2, sides.Length);
        foreach ((ObjectView one, ObjectView other) in new[] { (sides[0], sides[1]), (sides[1], sides[0]) })
        {
            HistoricVersion ancestor = new CommonAncestor(_a.Queries).Of(one, other)!;
            Assert.Equal("second", System.Text.Encoding.UTF8.GetString(ancestor.Version.Manifest.Span));
        }

        _a.Create("new", "x");
        _b.Create("new", "y");
        Sync();
        ObjectView[] strangers =
        [
            .. _a.Queries.List(TreeQueries.Root, default, 10).Select(entry => _a.Queries.Get(entry.Object)!)
                .Where(view => Replica.ContentOf(view) is "x" or "y"),
        ];
        Assert.Null(new CommonAncestor(_a.Queries).Of(strangers[0], strangers[1]));
    }

    private static void Settle(Replica replica, string path, ConflictRule rule)
    {
        (ObjectId parent, byte[] name) = replica.Split(path);
        EntryView holder = replica.Queries.Lookup(parent, name)!.Value;
        ObjectView[] sides =
        [
            .. replica.Queries.Conflicts(parent).Prepend(holder).Select(entry => replica.Queries.Get(entry.Object)!),
        ];
        ObjectId? kept = ConflictChooser.Choose(rule, [.. sides.Select(side => new ConflictCandidate(
            side.Id, side.Kind, side.Head!.Author, string.Empty, side.Modified, side.Head.Version))]);
        if (kept is { } winner)
        {
            HistoryEdits edits = new(replica.Queries, replica.Fresh);
            Assert.Null(replica.Do(edits.GiveUp(parent, name, [.. sides.Where(side => side.Id != winner)])));
        }
    }

    private static ObjectId? Choose(string rule, params ConflictCandidate[] sides) =>
        ConflictChooser.Choose(ConflictRule.Parse(rule)!.Value, sides);

    private static ConflictCandidate Candidate(byte number, string name, long time) => new(
        new ObjectId(new Bytes16([.. Enumerable.Repeat(number, 16)])),
        TreeKind.File,
        new NodeId(new Bytes32([.. Enumerable.Repeat(number, 32)])),
        name,
        new WallTime(time),
        new VersionId(new Bytes16([.. Enumerable.Repeat(number, 16)])));
}
