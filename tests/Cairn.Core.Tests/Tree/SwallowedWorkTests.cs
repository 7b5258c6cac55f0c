using System.Collections.Immutable;
using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Returning;

namespace Cairn.Core.Tests.Tree;

/// <summary>A member that was away while what it edited was removed, condemned and forgotten.</summary>
public sealed class SwallowedWorkTests
{
    private readonly Replica _here = new(1);
    private readonly Replica _away = new(2);
    private readonly Replica _pal = new(3);

    [Fact]
    public void What_was_edited_and_made_in_a_forgotten_folder_is_made_again_in_its_place()
    {
        StartFolder();
        Assert.Null(_away.Write("d/e/edited", "mine"));
        _away.Create("d/e/new", "new");
        Assert.Null(_away.Do(_away.Edits.SetExtendedAttribute(
            _away.Find("d/e/edited")!.Value.Object, "user.x"u8.ToArray(), "v"u8.ToArray(), AttributeMode.Any)));
        CondemnFolder();
        Meet();
        Assert.Null(_here.Find("d"));
        Remake();
        Assert.Equal("mine", _here.Read("d/e/edited"));
        Assert.Equal("new", _here.Read("d/e/new"));
        Assert.Equal(
            "v"u8.ToArray(),
            _here.Queries.ExtendedAttribute(_here.Find("d/e/edited")!.Value.Object, "user.x"u8)!.Value.ToArray());
        Assert.Null(_here.Find("d/e/untouched"));
        Assert.Empty(Swallowed().Objects);
        Assert.Equal(_here.State(), _away.State());
    }

    /// <summary>The author meets it where it was folded, and the others know what copies it counts on until it is made again.</summary>
    [Fact]
    public void Its_author_meets_that_it_is_missing_and_others_know_it_until_it_is_made_again()
    {
        StartFolder();
        (_away.Applier.Missed.Author, _here.Applier.Missed.Author) = (_away.Log.Author, _here.Log.Author);
        Assert.Null(_away.Write("d/e/edited", "mine"));
        _away.MakeDirectory("d/e/new");
        _away.Create("d/e/new/file", "new");
        CondemnFolder();
        Assert.False(_away.Applier.Missed.IsAny);
        Meet();
        MissedObjects missed = _away.Applier.Missed;
        Assert.True(missed.IsAny);
        IReadOnlyCollection<MissedEdit> edits = missed.Take();
        Assert.All(edits, edit => Assert.Equal(_away.Log, edit.By.Log));
        Assert.All(edits, edit => Assert.Contains(edit.Object, Swallowed().Objects));
        Assert.False(missed.IsAny);
        Assert.False(_here.Applier.Missed.IsAny);
        Assert.Equal(Swallowed().Objects, Swallowed(_here).OfOthers);
        Assert.Empty(Swallowed(_here).Objects);
        Remake();
        Assert.Equal("new", _here.Read("d/e/new/file"));
        Assert.Empty(Swallowed(_here).OfOthers);
        Assert.False(missed.IsAny);
    }

    [Fact]
    public void Who_took_the_name_meanwhile_keeps_it()
    {
        StartFolder();
        Assert.Null(_away.Write("d/e/edited", "mine"));
        CondemnFolder();
        _here.MakeDirectory("d");
        _here.MakeDirectory("d/e");
        _here.Create("d/e/edited", "theirs");
        Meet();
        Remake();
        Assert.Equal("theirs", _here.Read("d/e/edited"));
        Assert.Contains("mine", Contents(_here));
    }

    [Fact]
    public void An_edit_that_comes_before_the_condemnation_brings_the_file_back_by_itself()
    {
        StartFolder();
        Assert.Null(_away.Write("d/e/edited", "mine"));
        for (int i = 0; i < 20; i++)
        {
            _here.Create($"later{i}");
        }

        CondemnFolder();
        Meet();
        Assert.Equal("mine", _here.Read("d/e/edited"));
        Assert.Empty(Swallowed().Objects);
    }

    /// <summary>Two that were away apart: who comes back first makes the file again as it knew it.</summary>
    [Fact]
    public void What_another_makes_again_that_had_not_seen_an_edit_does_not_take_it_away()
    {
        _here.Create("f", "base");
        Replica.Sync(_here, _away, _pal);
        for (int i = 0; i < 10; i++)
        {
            _away.Create($"else{i}");
            _pal.Create($"other{i}");
        }

        Assert.Null(_pal.Write("f", "theirs"));
        Assert.Null(_away.Write("f", "first"));
        Assert.Null(_away.Write("f", "mine"));
        Assert.Null(_here.Unlink("f"));
        CondemnAll();
        Replica.Sync(_here, _pal);
        Assert.Equal(1, Remake(_pal));
        Replica.Sync(_here, _pal, _away);
        Assert.Equal("theirs", _away.Read("f"));
        Assert.Equal(1, Remake(_away));
        Assert.Superset(new HashSet<string>(["mine", "theirs"]), Contents(_here));
        Assert.DoesNotContain("first", Contents(_here));
        Assert.Empty(Swallowed().Objects);
        Assert.Equal(0, Remake(_away));
    }

    /// <summary>What is nowhere since its first moment may be condemned before it is made again, and what is in it next.</summary>
    [Fact]
    public void What_is_condemned_once_more_before_it_is_made_again_is_not_lost()
    {
        StartFolder();
        _away.MakeDirectory("d/e/new");
        _away.Create("d/e/new/file", "mine");
        CondemnFolder();
        Meet();
        for (int round = 0; round < 2; round++)
        {
            CondemnAll();
            Meet();
        }

        Assert.Empty(_here.Queries.DetachedObjects());
        Remake();
        Assert.Equal("mine", _here.Read("d/e/new/file"));
    }

    [Fact]
    public void Nothing_that_was_written_while_away_is_lost_whatever_was_condemned_meanwhile()
    {
        int swallowed = 0;
        for (ulong seed = 1; seed <= 150; seed++)
        {
            swallowed += Run(seed);
        }

        Assert.True(swallowed > 20, $"{swallowed} objects were made again");
    }

    private static int Run(ulong seed)
    {
        var random = new Prng(seed);
        var test = new SwallowedWorkTests(seed);
        var contents = new Dictionary<string, byte>();
        for (int step = 0; step < 40; step++)
        {
            new RandomEdits(test._here, random, contents).Next(step);
        }

        test.Meet();
        HashSet<string> before = Contents(test._away);
        for (int step = 100; step < 100 + random.Next(60); step++)
        {
            new RandomEdits(test._away, random, contents).Next(step);
        }

        for (int step = 200; step < 200 + random.Next(10); step++)
        {
            new RandomEdits(test._here, random, contents).Next(step);
        }

        test.RemoveAllFiles();

        test.CondemnAll();
        HashSet<string> written = Contents(test._away);
        written.ExceptWith(before);
        written.RemoveWhere(content => contents[content] != 0);
        test.Meet();
        for (int round = random.Next(4); round > 0; round--)
        {
            test.CondemnAll();
            test.Meet();
        }

        int swallowed = test.Remake();
        HashSet<string> after = Contents(test._here);
        Assert.True(written.IsSubsetOf(after), $"seed {seed}: {string.Join(' ', written.Except(after))} is gone");
        Assert.Equal(test._here.State(), test._away.State());
        return swallowed;
    }

    public SwallowedWorkTests()
        : this(1)
    {
    }

    private SwallowedWorkTests(ulong seed) => (_here, _away, _pal) =
        (new Replica(1, seed), new Replica(2, seed), new Replica(3, seed));

    private void StartFolder()
    {
        _here.MakeDirectory("d");
        _here.MakeDirectory("d/e");
        _here.Create("d/e/edited", "base");
        _here.Create("d/e/untouched", "base");
        Meet();
        for (int i = 0; i < 10; i++)
        {
            _away.Create($"else{i}");
        }
    }

    private void CondemnFolder()
    {
        Assert.Null(_here.Unlink("d/e/edited"));
        Assert.Null(_here.Unlink("d/e/untouched"));
        Assert.Null(_here.RemoveDirectory("d/e"));
        Assert.Null(_here.RemoveDirectory("d"));
        CondemnAll();
    }

    private void RemoveAllFiles()
    {
        foreach ((ObjectId folder, EntryView entry) in Files(_here))
        {
            if (_here.Queries.Lookup(folder, entry.Name) is not null)
            {
                Assert.Null(_here.Do(_here.Edits.Unlink(folder, entry.Name)));
            }
        }
    }

    private void CondemnAll() => _here.Do(new Primitive[]
    {
        new Condemn(
            _here.Fold.Positions, [.. _here.Queries.DetachedObjects().Select(gone => gone.Object).Order()], [], [], []),
    }.ToImmutable());

    private void Meet() => Replica.Sync(_here, _away);

    private SwallowedWork Swallowed() => Swallowed(_away);

    private SwallowedWork Swallowed(Replica self)
    {
        var swallowed = new SwallowedWork(self.Log.Author);
        Replay(self, transaction =>
        {
            swallowed.See(transaction);
            return false;
        });
        return swallowed;
    }

    private int Remake() => Remake(_away);

    private int Remake(Replica self)
    {
        TreeQueries then = new(Replay(self, SwallowedWork.ForgetsNothing));
        SwallowedWork swallowed = Swallowed(self);
        var walk = new RemakeWalk(then, self.Queries, swallowed.HasWritten);
        foreach (ImmutableArray<Primitive> step in walk.Steps(swallowed.Objects))
        {
            Assert.Null(self.Do(step));
        }

        Replica.Sync(_here, self);
        return swallowed.Objects.Count;
    }

    private MemoryTable Replay(Replica self, Func<Transaction, bool> isWanted)
    {
        var table = new MemoryTable();
        IEnumerable<Transaction> Of(Replica author) => author.Written.Where(written => self.Fold.Has(written.Id));
        OrderedReplay.Run([Of(_here), Of(_away), Of(_pal)], isWanted, new TreeApplier(), table);
        return table;
    }

    private static HashSet<string> Contents(Replica replica) =>
        [.. Files(replica).Select(file => Replica.ContentOf(replica.Queries.Get(file.Entry.Object)!))];

    private static List<(ObjectId Folder, EntryView Entry)> Files(Replica replica)
    {
        var files = new List<(ObjectId Folder, EntryView Entry)>();
        var folders = new Stack<ObjectId>([TreeQueries.Root]);
        while (folders.TryPop(out ObjectId folder))
        {
            foreach (EntryView entry in replica.Queries.List(folder, default, 10_000))
            {
                if (entry.Kind == TreeKind.Directory)
                {
                    folders.Push(entry.Object);
                }
                else
                {
                    files.Add((folder, entry));
                }
            }
        }

        return files;
    }
}
