using System.Collections.Immutable;
using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Returning;

namespace Cairn.Core.Tests.Tree;

/// <summary>
/// Two members that were away together, while others removed and condemned what they edited, and settled a checkpoint without them:
/// the history before that is gone.
/// </summary>
public sealed class LeftOutWorkTests
{
    private readonly Replica _here;
    private readonly Replica _away;
    private readonly Replica _pal;
    private readonly Dictionary<string, byte> _contents = [];
    private readonly Prng _random;

    public LeftOutWorkTests()
        : this(1)
    {
    }

    private LeftOutWorkTests(ulong seed)
    {
        _random = new Prng(seed);
        (_here, _away, _pal) = (new Replica(1, seed), new Replica(2, seed), new Replica(3, seed));
    }

    /// <summary>One that comes back brings the work of both; if both do, they make the same.</summary>
    [Fact]
    public void Whatever_was_forgotten_meanwhile_the_work_of_both_is_made_again()
    {
        int made = 0;
        for (ulong seed = 1; seed <= 120; seed++)
        {
            made += new LeftOutWorkTests(seed).Run(seed);
        }

        Assert.True(made > 60, $"only {made} objects were made again");
    }

    /// <summary>The one that comes back first makes the file again as it knew it; what the other wrote since is not lost by that.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Who_comes_back_second_brings_what_the_first_had_not_seen(bool haveMet)
    {
        _here.Create("f", "base");
        Replica.Sync(_here, _away, _pal);
        if (haveMet)
        {
            Assert.Null(_pal.Write("f", "pal 1"));
            Replica.Sync(_away, _pal);
        }
        else
        {
            Assert.Null(_away.Write("f", "away 1"));
        }

        Assert.Null(_pal.Write("f", "pal 2"));
        for (int i = 0; i < 10; i++)
        {
            _here.Create($"x{i}", $"x{i}");
        }

        Assert.Null(_here.Unlink("f"));
        FoldGround ground = Stand();
        OrderedFold first = new(Copy(_here.Fold.Table), new TreeApplier());
        OrderedFold second = new(Copy(_here.Fold.Table), new TreeApplier());
        first.StandOn(ground);
        second.StandOn(ground);
        _here.Fold.Alone = false;
        _here.Fold.StandOn(ground);
        for (int i = 0; i < 10; i++)
        {
            _here.Create($"y{i}", $"y{i}");
        }

        Transaction[] theirs = [.. _here.Written.Where(written => !ground.Positions.Contains(written.Id))];
        Transaction[] seen = [.. Beyond(ground).Where(written => _away.Fold.Has(written.Id))];
        first.Receive([.. theirs, .. seen]);
        Assert.Equal(1, Remake(_away, first, ground, seen));

        second.Receive([.. theirs, .. Beyond(ground)]);
        Assert.Equal(0, second.WaitingCount);
        Remake(_pal, second, ground);
        Assert.Contains("pal 2", Contents(new TreeQueries(second.Table)));
        Assert.Equal(!haveMet, Files(new TreeQueries(second.Table)).Exists(IsInConflict));
    }

    private int Run(ulong seed)
    {
        Edit(_here, 0, 40);
        Replica.Sync(_here, _away, _pal);
        HashSet<string> before = Contents(_away.Queries);
        for (int step = 100; step < 160; step += 10)
        {
            Edit(_random.Chance(2) ? _pal : _away, step, _random.Next(10));
            _away.Receive(_pal);
        }

        Replica.Sync(_away, _pal);
        HashSet<string> written = Contents(_away.Queries);
        written.ExceptWith(before);
        written.RemoveWhere(content => _contents[content] != 0);
        FoldGround ground = Settle();
        OrderedFold back = Stand(ground);
        OrderedFold alone = Stand(ground);
        int made = Remake(_away, back, ground);
        TreeQueries shown = new(back.Table);
        HashSet<string> after = Contents(shown);
        Assert.True(written.IsSubsetOf(after), $"seed {seed}: {string.Join(' ', written.Except(after))} is gone");

        // The other makes the same again, apart.
        int conflicts = Files(shown).Count(IsInConflict);
        Remake(_pal, alone, ground);
        back.Receive([.. _pal.Written]);
        alone.Receive([.. _away.Written]);
        Assert.Equal(Text(back.Table), Text(alone.Table));
        Assert.Equal(after.Order(), Contents(shown).Order());
        Assert.Equal(conflicts, Files(shown).Count(IsInConflict));
        return made;
    }

    private void Edit(Replica replica, int from, int steps)
    {
        for (int step = from; step < from + steps; step++)
        {
            new RandomEdits(replica, _random, _contents).Next(step);
        }
    }

    /// <summary>All that is removed is condemned, and what is left is what every fold stands on.</summary>
    private FoldGround Settle()
    {
        Edit(_here, 200, _random.Next(10));
        foreach (FoundFile file in Files(_here.Queries).Where(_ => !_random.Chance(4)))
        {
            if (_here.Queries.Lookup(file.Folder, file.Entry.Name) is not null)
            {
                Assert.Null(_here.Do(_here.Edits.Unlink(file.Folder, file.Entry.Name)));
            }
        }

        return Stand();
    }

    private FoldGround Stand()
    {
        for (int round = 0; round < 2; round++)
        {
            ImmutableArray<ObjectId> gone = [.. _here.Queries.DetachedObjects().Select(gone => gone.Object).Order()];
            _here.Do(new Primitive[] { new Condemn(_here.Fold.Positions, gone, [], [], []) }.ToImmutableArray());
        }

        _here.Fold.Alone = true;
        _here.Fold.Save();
        return new FoldGround(_here.Fold.StableOrder.Depth + 1, default, _here.Fold.Positions);
    }

    /// <summary>What a member folds that takes the checkpoint: its own work, and its pal's, come behind it.</summary>
    private OrderedFold Stand(FoldGround ground)
    {
        var fold = new OrderedFold(Copy(_here.Fold.Table), new TreeApplier());
        fold.StandOn(ground);
        fold.Receive([.. Beyond(ground)]);
        Assert.Equal(0, fold.WaitingCount);
        return fold;
    }

    private int Remake(Replica member, OrderedFold fold, FoldGround ground) =>
        Remake(member, fold, ground, [.. Beyond(ground)]);

    private static int Remake(Replica member, OrderedFold fold, FoldGround ground, Transaction[] beyond)
    {
        member.Fold.Save();
        var leftOut = new LeftOutWork(
            Copy(member.Fold.Table), ground.Positions, member.Log.Author, WriteRights.None);
        foreach (Transaction transaction in beyond)
        {
            leftOut.See(transaction);
        }

        int made = 0;
        var walk = new RemakeWalk(leftOut.Tree, new TreeQueries(fold.Table), leftOut.HasWritten);
        foreach (ImmutableArray<Primitive> step in walk.Steps(leftOut.Objects))
        {
            Transaction again = fold.Author(member.Log, member.Now, step);
            fold.ApplyLocal(again);
            member.Written.Add(again);
            made++;
        }

        return made;
    }

    private IEnumerable<Transaction> Beyond(FoldGround ground) =>
        _away.Written.Concat(_pal.Written).Where(transaction => !ground.Positions.Contains(transaction.Id));

    private static MemoryTable Copy(ITreeTable table)
    {
        var copy = new MemoryTable();
        TableCursor cursor = table.Scan([], []);
        while (cursor.MoveNext())
        {
            ((ITreeTable)copy).Put(cursor.Key, cursor.Value);
        }

        return copy;
    }

    private static string Text(ITreeTable table)
    {
        var text = new List<string>();
        TableCursor cursor = table.Scan([], [FoldKeys.StateEnd]);
        while (cursor.MoveNext())
        {
            text.Add($"{Convert.ToHexString(cursor.Key)}={Convert.ToHexString(cursor.Value)}");
        }

        return string.Join('\n', text);
    }

    private static bool IsInConflict(FoundFile file) => file.View.Heads.Length > 1;

    private static HashSet<string> Contents(TreeQueries tree) =>
        [.. Files(tree).Select(static file => Replica.ContentOf(file.View))];

    private static List<FoundFile> Files(TreeQueries tree)
    {
        var files = new List<FoundFile>();
        var folders = new Stack<ObjectId>([TreeQueries.Root]);
        while (folders.TryPop(out ObjectId folder))
        {
            foreach (EntryView entry in tree.List(folder, default, 10_000))
            {
                if (entry.Kind == TreeKind.Directory)
                {
                    folders.Push(entry.Object);
                }
                else if (tree.Get(entry.Object) is { } file)
                {
                    files.Add(new FoundFile(folder, entry, file));
                }
            }
        }

        return files;
    }

    private readonly record struct FoundFile(ObjectId Folder, EntryView Entry, ObjectView View);
}
