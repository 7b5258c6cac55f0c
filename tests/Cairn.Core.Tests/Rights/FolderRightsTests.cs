using System.Collections.Immutable;
using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Core.Tests.Tree;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Applying;
using Cairn.Core.Tree.Past;

namespace Cairn.Core.Tests.Rights;

/// <summary>Folders that only some may edit: what that means, and that nothing a changed program does gets around it.</summary>
public sealed class FolderRightsTests
{
    private readonly Replica _admin = new(1);
    private readonly Replica _anna = new(2);
    private readonly Replica _bob = new(3);
    private readonly FolderScene _scene;
    private readonly ObjectId _papers;

    /// <summary>Anna and the admin edit below "papers"; Bob does not.</summary>
    public FolderRightsTests()
    {
        _scene = new FolderScene(_admin, _anna, _bob);
        _papers = _admin.MakeDirectory("papers");
        _admin.Create("papers/pay", "1000");
        _admin.MakeDirectory("free");
        Replica.Sync(_admin, _anna, _bob);
        _scene.Say(_papers, FolderAccess.Only, _admin, _anna);
        _scene.Tell();
        Replica.Sync(_admin, _anna, _bob);
    }

    [Fact]
    public void Only_who_may_edits_below_the_folder_and_everybody_beside_it()
    {
        _bob.Write("papers/pay", "9000");
        _bob.Create("free/mine", "bob");
        _anna.Create("papers/leave", "anna");
        Replica.Sync(_admin, _anna, _bob);
        Assert.Equal("1000", _admin.Read("papers/pay"));
        Assert.Equal("bob", _admin.Read("free/mine"));
        Assert.Equal("anna", _bob.Read("papers/leave"));
    }

    [Fact]
    public void No_way_leads_around_it()
    {
        _bob.Do(_bob.Edits.Link(_bob.Find("papers/pay")!.Value.Object, TreeQueries.Root, "way in"u8.ToArray()));
        _bob.Rename("papers", "mine");
        _bob.Unlink("papers/pay");
        _bob.MakeDirectory("papers/below");
        _bob.Create("free/pay", "9000");
        _bob.Rename("free/pay", "papers/pay");
        _bob.Do(_bob.Edits.SetAttributes(_papers, 0, null, null, null));
        Replica.Sync(_admin, _anna, _bob);
        Assert.Equal("1000", _admin.Read("papers/pay"));
        Assert.Null(_admin.Find("way in"));
        Assert.Null(_admin.Find("papers/below"));
        Assert.NotEqual(0u, _admin.Queries.Get(_papers)!.Mode);
    }

    [Fact]
    public void Who_claims_to_be_old_adds_nothing_by_a_folder_of_the_same_name_or_by_an_id()
    {
        // As if written before there was anything: before all of it in the order.
        Replica forged = new(3);
        forged.MakeDirectory("papers");
        forged.Create("papers/added", "forged");
        Replica copied = new(4);
        var sameId = new NewObject(_papers, 0x1ED, 1, 1, copied.Now);
        copied.Do(copied.Edits.MakeDirectory(default, "elsewhere"u8.ToArray(), sameId));
        copied.Create("elsewhere/added", "forged");
        foreach (Replica liar in (Replica[])[forged, copied])
        {
            Replica late = Late(liar);
            Assert.Null(late.Find("papers/added"));
            Assert.Equal("1000", late.Read("papers/pay"));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Who_claims_to_be_old_sets_no_rule_below_the_folder(bool isMadeBefore)
    {
        ObjectId folder = _admin.MakeDirectory("more");
        int made = _admin.Written.Count;
        _admin.Create("between");
        _admin.Rename("more", "papers/more");
        _scene.Say(_papers, FolderAccess.Only, _admin, _anna);
        _scene.Tell();
        Replica forged = new(3);
        forged.Fold.Receive(_admin.Written.GetRange(0, isMadeBefore ? made : 0));
        Assert.Null(forged.Do(ImmutableArray.Create<Primitive>(new SetRule(folder, "forged"u8.ToArray()))));
        Replica late = Late(forged);
        Assert.NotNull(late.Find("papers/more"));
        Assert.Null(late.Queries.Rule(folder));
    }

    [Fact]
    public void Moving_the_folder_above_it_to_one_of_the_same_names_adds_nothing()
    {
        ObjectId up = _admin.MakeDirectory("up");
        _admin.Rename("papers", "up/papers");
        Replica.Sync(_admin, _anna, _bob);
        ObjectId box = _bob.MakeDirectory("box");
        _bob.MakeDirectory("box/into");
        _bob.MakeDirectory("box/into/papers");
        _bob.Create("box/into/papers/added", "bob");
        Assert.Null(_bob.Do(ImmutableArray.Create<Primitive>(
            new Move(up, TreeQueries.Root, "up"u8.ToArray(), box, "into"u8.ToArray(), null))));
        Replica.Sync(_admin, _anna, _bob);
        OnlyPayIsIn();
    }

    [Fact]
    public void A_folder_that_was_at_its_new_name_before_it_adds_nothing()
    {
        _bob.MakeDirectory("plans");
        _bob.Create("plans/added", "bob");
        Array.ForEach(["a", "b", "c"], name => _admin.Create(name));
        _admin.Rename("papers", "plans");
        Replica.Sync(_admin, _anna, _bob);
        OnlyPayIsIn();
    }

    [Fact]
    public void What_was_made_apart_is_refused_until_it_is_written_again_behind_the_limit()
    {
        ObjectId more = _admin.MakeDirectory("more");
        _bob.Create("free/apart", "bob");
        _scene.Say(more, FolderAccess.Only, _admin);
        _scene.Tell();
        Replica.Sync(_admin, _anna, _bob);
        Assert.Null(_admin.Find("free/apart"));

        _bob.Do(_bob.Written[^1].Primitives);
        Replica.Sync(_admin, _anna, _bob);
        Assert.Equal("bob", _admin.Read("free/apart"));
    }

    [Fact]
    public void Who_built_on_a_repetition_that_counts_no_more_has_seen_what_that_had()
    {
        _bob.Create("free/own", "bob");
        Transaction own = _bob.Written[^1];
        LogId next = _bob.Log with { Incarnation = 2 };
        Transaction again = own with { Id = new TransactionId(next, 1), Primitives = Repeats.Again(own) };
        _admin.Receive(_bob);
        _admin.Fold.Receive(
        [
            again,
            own with
            {
                Id = new TransactionId(next, 2),
                Dependencies = [again.Id],
                Primitives = NewFile("free/on-it"),
            },
        ]);
        Assert.NotNull(_admin.Find("free/on-it"));
    }

    [Fact]
    public void Who_built_on_what_a_replay_leaves_out_has_seen_what_that_had()
    {
        _anna.Create("left out");
        Replica.Sync(_admin, _anna, _bob);
        _bob.Create("built");
        var table = new MemoryTable();
        OrderedReplay.Run(
            [_admin.Written, _anna.Written, _bob.Written], written => written.Id.Log != _anna.Log,
            new TreeApplier { Rights = _admin.Applier.Rights }, table);
        TreeQueries replayed = new(table);
        Assert.Null(replayed.Lookup(default, "left out"u8.ToArray()));
        Assert.NotNull(replayed.Lookup(default, "built"u8.ToArray()));
    }

    [Fact]
    public void What_the_admin_had_seen_stands()
    {
        _bob.Create("free/before", "bob");
        ObjectId free = _bob.Find("free")!.Value.Object;
        Replica.Sync(_admin, _anna, _bob);
        _scene.Say(free, FolderAccess.Only, _admin);
        _scene.Tell();
        _bob.Write("free/before", "after");
        Replica.Sync(_admin, _anna, _bob);
        Assert.Equal("bob", _admin.Read("free/before"));
    }

    [Fact]
    public void The_nearest_folder_that_says_anything_decides()
    {
        ObjectId open = _admin.MakeDirectory("papers/open");
        Replica.Sync(_admin, _anna, _bob);
        _scene.Say(open, FolderAccess.Everyone);
        _scene.Tell();
        Replica.Sync(_admin, _anna, _bob);
        _bob.Create("papers/open/note", "bob");
        Replica.Sync(_admin, _anna, _bob);
        Assert.Equal("bob", _admin.Read("papers/open/note"));

        _scene.Say(open, FolderAccess.Inherit);
        _scene.Tell();
        Replica.Sync(_admin, _anna, _bob);
        _bob.Write("papers/open/note", "again");
        Replica.Sync(_admin, _anna, _bob);
        Assert.Equal("bob", _admin.Read("papers/open/note"));

        _scene.Say(_papers, FolderAccess.Inherit);
        _scene.Tell();
        Replica.Sync(_admin, _anna, _bob);
        _bob.Write("papers/open/note", "free again");
        Replica.Sync(_admin, _anna, _bob);
        Assert.Equal("free again", _admin.Read("papers/open/note"));
    }

    [Fact]
    public void A_limit_moves_with_its_folder_and_with_the_folders_above_it()
    {
        _admin.Rename("papers", "free/papers");
        Replica.Sync(_admin, _anna, _bob);
        _bob.Rename("free", "renamed");
        _bob.Create("renamed/papers/x", "bob");
        Replica.Sync(_admin, _anna, _bob);
        Assert.Equal("1000", _admin.Read("renamed/papers/pay"));
        Assert.Null(_admin.Find("renamed/papers/x"));
    }

    [Fact]
    public void A_folder_that_meets_a_limited_one_of_its_name_stays_beside_it_and_nothing_is_lost()
    {
        _admin.Rename("papers", "plans");
        _bob.MakeDirectory("plans");
        _bob.Create("plans/idea", "bob");
        _bob.MakeDirectory("tree");
        _bob.MakeDirectory("tree/plans");
        _bob.Create("tree/plans/other", "bob");
        _admin.MakeDirectory("tree");
        _admin.Rename("plans", "tree/plans");
        Replica.Sync(_admin, _anna, _bob);
        TreeAudit.Check(_admin.Fold.Table);
        string shown = _admin.Listing();
        Assert.Contains("idea", shown, StringComparison.Ordinal);
        Assert.Contains("other", shown, StringComparison.Ordinal);
    }

    [Fact]
    public void What_comes_next_can_be_judged_before_it_is_written()
    {
        FolderVerdicts bobs = _bob.Applier.Rights.Folders.Now(_bob.Log.Author);
        Assert.True(bobs.IsLimited);
        Assert.False(bobs.MayEdit[_papers]);
        Assert.False(_anna.Applier.Rights.Folders.Now(_anna.Log.Author).IsLimited);
        var judge = new FolderJudge(_bob.Fold.Table, bobs);
        Assert.True(judge.Denies(_bob.Find("papers/pay")!.Value.Object));
        Assert.False(judge.Denies(_bob.Find("free")!.Value.Object));
        Assert.True(judge.Denies(_bob.Edits.Unlink(_papers, "pay"u8.ToArray()).Value));
        Assert.False(judge.Denies(new ObjectId(_bob.Fresh())));
    }

    [Fact]
    public void A_limit_that_had_seen_all_that_is_folded_needs_no_fold()
    {
        WriteRights before = _admin.Applier.Rights;
        _scene.Say(_admin.Find("free")!.Value.Object, FolderAccess.Only, _admin);
        LogPositions folded = _admin.Fold.Positions;
        _scene.Tell(new HashSet<int> { 0, 1 }, _admin);
        Assert.False(_admin.Applier.Rights.JudgesOtherwise(before, folded, _admin.Fold.Table));
        _anna.Create("free/unseen", "anna");
        _admin.Receive(_anna);
        Assert.True(_admin.Applier.Rights.JudgesOtherwise(before, _admin.Fold.Positions, _admin.Fold.Table));
        Assert.False(_admin.Applier.Rights.JudgesOtherwise(
            WriteRights.Decode(_admin.Applier.Rights.Encode()), _admin.Fold.Positions, _admin.Fold.Table));
    }

    [Fact]
    public void What_came_into_the_folder_is_guarded_by_the_next_mark()
    {
        // As if Bob had written just behind the mark: the object before its author made it, under its id.
        Replica forged = new(3);
        forged.Receive(_admin);
        Array.ForEach(["a", "b", "c"], name => _admin.Create(name));
        ObjectId plan = _admin.Create("free/plan", "good");
        _admin.Rename("free/plan", "papers/plan");
        Assert.Null(forged.Do(forged.Edits.CreateFile(
            default, "mine"u8.ToArray(), new NewObject(plan, 0x1A4, 1, 1, forged.Now), forged.Content("forged"))));
        Assert.NotEqual("good", Late(forged).Read("papers/plan"));

        _scene.Renew();
        _scene.Tell();
        Assert.Equal("good", Late(forged).Read("papers/plan"));
        Replica.Sync(_admin, _anna, _bob);
        _bob.Create("free/mine", "bob");
        _anna.Write("papers/plan", "better");
        Replica.Sync(_admin, _anna, _bob);
        Assert.Equal("bob", _admin.Read("free/mine"));
        Assert.Equal("better", _bob.Read("papers/plan"));
    }

    [Fact]
    public void Renewals_that_judge_nothing_any_more_are_forgotten()
    {
        for (int i = 0; i < 3; i++)
        {
            _bob.Create($"free/{i}");
            Replica.Sync(_admin, _anna, _bob);
            _scene.Renew();
            _scene.Tell();
            Replica.Sync(_admin, _anna, _bob);
            Assert.Single(_admin.Applier.Rights.Folders.Renewals);
        }

        // What is late by one is late for ever, also when the admin has seen it.
        _scene.Renew();
        _bob.Create("free/late", "bob");
        _scene.Tell();
        Replica.Sync(_admin, _anna, _bob);
        _scene.Renew();
        _scene.Tell();
        Replica.Sync(_admin, _anna, _bob);
        Assert.Equal(2, _admin.Applier.Rights.Folders.Renewals.Length);
        Assert.Null(_admin.Find("free/late"));
    }

    [Fact]
    public void Another_mark_stands_for_one_that_never_came()
    {
        _scene.SayLost(_admin.MakeDirectory("more"), _admin);
        _scene.Tell();
        _bob.Create("free/hidden", "bob");
        Replica.Sync(_admin, _anna, _bob);
        Assert.Null(_admin.Find("free/hidden"));

        _scene.ReplaceLost();
        _scene.Tell();
        Replica.Sync(_admin, _anna, _bob);
        _bob.Do(_bob.Written[^1].Primitives);
        Replica.Sync(_admin, _anna, _bob);
        Assert.Equal("bob", _admin.Read("free/hidden"));
    }

    [Fact]
    public void Going_back_leaves_a_limited_folder_beside_another_of_its_name_where_it_is()
    {
        _admin.MakeDirectory("plans");
        _admin.Create("plans/idea", "old");
        Replica.Sync(_admin, _anna, _bob);
        Bytes16 id = _admin.Fresh();
        Assert.Null(_admin.Do(ImmutableArray.Create<Primitive>(new Snapshot(id, default, "s"u8.ToArray()))));
        _admin.Write("plans/idea", "new");
        _admin.Create("plans/extra");
        Assert.Null(_admin.Do(ImmutableArray.Create<Primitive>(
            new Move(_papers, default, "papers"u8.ToArray(), default, "plans"u8.ToArray(), null))));
        var snapshots = new SnapshotQueries(_admin.Fold.Table);
        var walk = new RestoreWalk(
            snapshots.View(snapshots.Find(id)!), _admin.Queries, _admin.Fresh, static (_, _) => true);
        Array.ForEach([.. walk.Steps(["plans"u8.ToArray()])], step => Assert.Null(_admin.Do(step.Primitives)));
        OnlyPayIsIn();
        Assert.False(_admin.Queries.Get(_papers)!.IsDetached);
        Assert.Equal("old", _admin.Read("plans/idea"));
        Assert.Null(_admin.Find("plans/extra"));
    }

    /// <summary>Who hears of everything at once, some of it forged.</summary>
    private Replica Late(Replica forged)
    {
        var late = new Replica(8) { Applier = { Rights = _admin.Applier.Rights } };
        late.Receive(forged, _admin, _anna);
        late.Receive(forged, _admin, _anna);
        return late;
    }

    private ImmutableArray<Primitive> NewFile(string path)
    {
        (ObjectId parent, byte[] name) = _bob.Split(path);
        return _bob.Edits.CreateFile(
            parent, name, new NewObject(new ObjectId(_bob.Fresh()), 0x1A4, 1, 1, _bob.Now)).Value;
    }

    private void OnlyPayIsIn()
    {
        TreeAudit.Check(_admin.Fold.Table);
        Assert.Equal(_papers, _admin.Queries.Get(_papers)!.Owner);
        EntryView pay = Assert.Single(_admin.Queries.List(_papers, default, 10));
        Assert.Equal("1000", Replica.ContentOf(_admin.Queries.Get(pay.Object)!));
    }
}
