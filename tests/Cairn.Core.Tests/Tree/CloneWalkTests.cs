using System.Collections.Immutable;
using System.Text;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Past;

namespace Cairn.Core.Tests.Tree;

/// <summary>What a clone begins with: everything that the snapshot shows, as it shows it.</summary>
public sealed class CloneWalkTests
{
    private readonly Replica _origin = new(1);
    private readonly Replica _clone = new(2);

    [Fact]
    public void Names_contents_links_times_and_all_that_is_said_of_files_and_folders_come_along()
    {
        ObjectId folder = _origin.MakeDirectory("folder");
        ObjectId file = _origin.Create("folder/file", "content");
        _origin.Do(_origin.Edits.Link(file, default, "again"u8.ToArray()));
        _origin.Do(_origin.Edits.SetAttributes(file, 0x180, 7, 8, new WallTime(5)));
        _origin.Do(_origin.Edits.SetAttributes(folder, 0x1C0, 9, 9, new WallTime(6)));
        _origin.Do(new Primitive[]
        {
            new SetExtendedAttribute(file, "user.a"u8.ToArray(), "value"u8.ToArray()),
            new SetRule(folder, "rule"u8.ToArray()),
            new SetRule(default, "root's"u8.ToArray()),
        }.ToImmutable());
        _origin.MakeDirectory("folder/empty");
        Fill(_origin.Queries, default);

        Assert.Equal(_origin.Listing(), _clone.Listing());
        ObjectView shown = _clone.Queries.Get(_clone.Find("again")!.Value.Object)!;
        Assert.Equal(_clone.Find("folder/file")!.Value.Object, shown.Id);
        Assert.Equal((0x180u, 7u, 8u, 5L, 2u), Attributes(shown));
        Assert.Equal("value"u8, _clone.Queries.ExtendedAttribute(shown.Id, "user.a"u8)!.Value.Span);
        Assert.Equal("rule"u8, _clone.Queries.Rule(folder)!.Value.Span);
        Assert.Equal("root's"u8, _clone.Queries.Rule(default)!.Value.Span);
        Assert.All(new[] { default, folder }, id => Assert.Equal(
            Attributes(_origin.Queries.Get(id)!), Attributes(_clone.Queries.Get(id)!)));
    }

    [Fact]
    public void A_folder_becomes_the_root_and_conflicts_become_files_of_their_own()
    {
        var other = new Replica(3);
        _origin.MakeDirectory("folder");
        _origin.Create("folder/both", "base");
        _origin.Create("outside", "not in it");
        other.Receive(_origin);
        _origin.Write("folder/both", "mine");
        _origin.Create("folder/new.txt", "mine");
        other.Write("folder/both", "theirs");
        other.Create("folder/new.txt", "theirs");
        Replica.Sync(_origin, other);
        ObjectId folder = _origin.Find("folder")!.Value.Object;
        string[] shown = Lines(_origin.Queries, folder);
        Assert.Equal(4, shown.Length);

        Fill(_origin.Queries, folder);
        Assert.Equal(shown, Lines(_clone.Queries, default));
        Assert.Empty(_clone.Queries.ConflictedNames());
    }

    /// <summary>Found by `cairn simulate --nodes 5 --seed 913`: the conflict was one link in the snapshot, and two in its clone.</summary>
    [Fact]
    public void A_conflict_of_a_file_with_two_names_has_two_as_well()
    {
        var other = new Replica(3);
        ObjectId file = _origin.Create("both", "base");
        _origin.Do(_origin.Edits.Link(file, default, "again"u8.ToArray()));
        other.Receive(_origin);
        _origin.Write("both", "mine");
        other.Write("both", "theirs");
        Replica.Sync(_origin, other);
        EntryView[] conflicts = [.. _origin.Queries.Conflicts(default)];
        Assert.Equal(2, conflicts.Length);

        Fill(_origin.Queries, default);
        Assert.All(conflicts, conflict =>
        {
            ObjectView shown = _origin.Queries.Get(conflict.Object)!;
            ObjectView cloned = _clone.Queries.Get(_clone.Queries.Lookup(default, conflict.Name)!.Value.Object)!;
            Assert.Equal((2u, shown.Id), (shown.LinkCount, cloned.Id));
            Assert.Equal(Attributes(shown), Attributes(cloned));
        });
    }

    /// <summary>As after a crash: what is there takes no step, and the rest comes.</summary>
    [Fact]
    public void It_can_be_begun_again()
    {
        _origin.MakeDirectory("a");
        for (int i = 0; i < 20; i++)
        {
            _origin.Create($"a/f{i}", $"content {i}");
        }

        int steps = Fill(_origin.Queries, default, most: 7);
        Assert.Equal(7, steps);
        Assert.Equal(15, Fill(_origin.Queries, default));
        Assert.Equal(_origin.Listing(), _clone.Listing());
        Assert.Equal(0, Fill(_origin.Queries, default));
    }

    private int Fill(TreeQueries from, ObjectId top, int most = int.MaxValue)
    {
        int done = 0;
        foreach (ImmutableArray<Primitive> step in new CloneWalk(from, top, _clone.Queries, _clone.Fresh).Steps())
        {
            if (done == most)
            {
                break;
            }

            Assert.Null(_clone.Do(step));
            done++;
        }

        return done;
    }

    private static (uint Mode, uint User, uint Group, long Modified, uint Links) Attributes(ObjectView view) =>
        (view.Mode, view.UserId, view.GroupId, view.Modified.UnixNanoseconds, view.LinkCount);

    private static string[] Lines(TreeQueries queries, ObjectId folder) =>
    [
        .. queries.List(folder, default, int.MaxValue).Select(entry =>
            $"{Encoding.UTF8.GetString(entry.Name.Span)}={Replica.ContentOf(queries.Get(entry.Object)!)}"),
    ];
}
