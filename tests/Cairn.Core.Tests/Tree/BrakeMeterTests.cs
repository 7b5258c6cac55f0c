using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Past;

namespace Cairn.Core.Tests.Tree;

/// <summary>What is a large part of a volume taken away at once, and what only looks like it.</summary>
public sealed class BrakeMeterTests
{
    private static readonly BrakeLimits Limits = new() { ObjectsMin = 10, VolumeObjectsMin = 40, Transactions = 100 };

    private readonly Replica _a = new(1);
    private readonly Replica _b = new(2);

    [Fact]
    public void Who_removes_a_quarter_of_the_bytes_is_braked_and_who_removes_less_is_not()
    {
        Fill("f", 48, "0123456789");
        _a.Wait(TimeSpan.FromDays(1));
        Remove(_a, "f", 0, 11);
        Assert.Empty(Braked());
        Remove(_a, "f", 11, 12);
        Takings taken = Assert.Single(Braked());
        Assert.Equal((_a.Log, 49UL, 12L, 120L, 48L, 480L), (
            taken.Log, taken.FirstSeq, taken.Objects, taken.Bytes, taken.ObjectsBefore, taken.BytesBefore));
        Assert.True(taken.From < taken.To);
        Remove(_a, "f", 12, 48);
        Assert.Equal((48, 480), (Braked()[0].Objects, Braked()[0].Bytes));
    }

    [Fact]
    public void A_first_copy_and_temporary_files_count_nothing()
    {
        Fill("f", 50, "text");
        Remove(_a, "f", 0, 50);
        Assert.Empty(Braked());
    }

    [Fact]
    public void What_another_just_made_is_nobody_elses_own_work()
    {
        Fill("f", 50, "text");
        _b.Receive(_a);
        Remove(_b, "f", 0, 50);
        _a.Receive(_b);
        Assert.Equal([_b.Log], Braked().Select(taken => taken.Log));
    }

    [Fact]
    public void A_tree_of_many_small_files_below_one_folder_is_one_place()
    {
        for (int folder = 0; folder < 10; folder++)
        {
            _a.MakeDirectory($"photos{folder}");
            Fill($"photos{folder}/p", 2, new string('x', 500));
        }

        _a.MakeDirectory("node_modules");
        for (int package = 0; package < 20; package++)
        {
            _a.MakeDirectory($"node_modules/m{package}");
            Fill($"node_modules/m{package}/f", 3, "js");
        }

        _a.Wait(TimeSpan.FromDays(1));
        for (int package = 0; package < 20; package++)
        {
            Remove(_a, $"node_modules/m{package}/f", 0, 3);
            Assert.Null(_a.RemoveDirectory($"node_modules/m{package}"));
        }

        Assert.Null(_a.RemoveDirectory("node_modules"));
        Assert.Empty(Braked());
    }

    [Fact]
    public void Who_rewrites_small_files_everywhere_is_braked()
    {
        _a.Create("large", new string('x', 50_000));
        for (int folder = 0; folder < 10; folder++)
        {
            _a.MakeDirectory($"d{folder}");
            Fill($"d{folder}/f", 4, "text");
        }

        _a.Wait(TimeSpan.FromDays(1));
        for (int folder = 0; folder < 4; folder++)
        {
            for (int file = 0; file < 4; file++)
            {
                _a.Write($"d{folder}/f{file}", "!!!!");
            }
        }

        Assert.Equal(16, Assert.Single(Braked()).Objects);
    }

    [Fact]
    public void Who_saves_by_rename_everywhere_is_braked_too()
    {
        Fill("f", 40, "text");
        _a.Wait(TimeSpan.FromDays(1));
        for (int file = 0; file < 20; file++)
        {
            _a.Create("new", "!!!!");
            Assert.Null(_a.Rename("new", $"f{file}"));
        }

        Assert.Equal(20, Assert.Single(Braked()).Objects);
    }

    [Fact]
    public void A_large_file_that_is_saved_every_day_counts_once()
    {
        Fill("f", 50, "text");
        _a.Create("database", new string('x', 300));
        for (int day = 0; day < 20; day++)
        {
            _a.Wait(TimeSpan.FromDays(1));
            _a.Write("database", new string((char)('a' + day), 300));
        }

        for (int file = 0; file < 11; file++)
        {
            _a.Write($"f{file}", "more");
        }

        // All its versions together are many times the volume.
        Assert.Empty(Braked(Limits with { Share = 1 }));
        Takings taken = Assert.Single(Braked());
        Assert.Equal((12, 300 + (11 * 4)), (taken.Objects, taken.Bytes));
    }

    [Fact]
    public void A_small_volume_is_never_braked()
    {
        Fill("f", 39, "text");
        _a.Wait(TimeSpan.FromDays(1));
        Remove(_a, "f", 0, 39);
        Assert.Empty(Braked());
        Assert.Single(Braked(Limits with { VolumeBytesMin = 39 * 4 }));
    }

    [Fact]
    public void Nor_are_a_few_files_whatever_their_size()
    {
        Fill("f", 60, "text");
        Fill("image", 9, new string('x', 5000));
        _a.Wait(TimeSpan.FromDays(1));
        Remove(_a, "image", 0, 9);
        Assert.Empty(Braked());
        Remove(_a, "f", 0, 1);
        Assert.Single(Braked());
    }

    [Fact]
    public void What_was_taken_away_long_before_in_the_log_counts_no_more()
    {
        Fill("f", 200, "text");
        _a.Wait(TimeSpan.FromDays(1));
        Remove(_a, "f", 0, 30);
        Keep("diary", 500);
        Remove(_a, "f", 30, 60);
        Assert.Empty(Braked());
        Assert.Equal(60, Assert.Single(Braked(Limits with { Transactions = 1000 })).Objects);
    }

    [Fact]
    public void In_a_large_volume_a_stretch_is_longer()
    {
        Fill("f", 400, "text");
        _a.Wait(TimeSpan.FromDays(1));
        Remove(_a, "f", 0, 150);
        Assert.Equal(150, Assert.Single(Braked(Limits with { Transactions = 20 })).Objects);
    }

    [Fact]
    public void It_began_where_there_was_the_last_pause_not_where_the_stretch_begins()
    {
        Fill("f", 50, "text");
        _a.Wait(TimeSpan.FromDays(1));
        Remove(_a, "f", 0, 1);
        _a.Wait(TimeSpan.FromMinutes(6));
        ulong beginning = _a.Fold.LastOf(_a.Log) + 1;
        WallTime before = _a.Now;
        Remove(_a, "f", 1, 2);
        Keep("diary", 60);
        _a.Wait(TimeSpan.FromMinutes(2));
        Remove(_a, "f", 2, 50);
        Takings taken = Assert.Single(Braked(Limits with { Transactions = 30 }));
        Assert.Equal((beginning, 48L), (taken.FirstSeq, taken.Objects));
        Assert.Equal(1_000_000_000, taken.From.UnixNanoseconds - before.UnixNanoseconds);
    }

    [Fact]
    public void What_was_released_counts_no_more()
    {
        Fill("f", 100, "text");
        _a.Wait(TimeSpan.FromDays(1));
        Remove(_a, "f", 0, 30);
        ulong decided = _a.Fold.LastOf(_a.Log);
        Assert.Single(Braked());
        Assert.Empty(Braked(released: decided));
        Remove(_a, "f", 30, 50);
        Assert.Equal(20, Assert.Single(Braked(released: decided)).Objects);
    }

    private void Fill(string prefix, int count, string content)
    {
        for (int file = 0; file < count; file++)
        {
            _a.Create($"{prefix}{file}", content);
        }
    }

    /// <summary>Somebody's own work of the hour.</summary>
    private void Keep(string name, int saves)
    {
        _a.Create(name, "0");
        for (int save = 1; save < saves; save++)
        {
            _a.Write(name, $"{save}");
        }
    }

    private static void Remove(Replica by, string prefix, int from, int to)
    {
        for (int file = from; file < to; file++)
        {
            Assert.Null(by.Unlink($"{prefix}{file}"));
        }
    }

    private IReadOnlyList<Takings> Braked(BrakeLimits? limits = null, ulong released = 0)
    {
        BrakeMeter meter = new(_a.Queries, limits ?? Limits, _a.Fold.Positions, by => by.Seq <= released);
        foreach (DetachedObject removed in _a.Queries.DetachedObjects())
        {
            meter.Add(removed);
        }

        foreach (SupersededVersion past in _a.Queries.SupersededVersions())
        {
            meter.Add(past);
        }

        long folders = _a.Queries.Objects()
            .Count(id => _a.Queries.Get(id) is { Kind: TreeKind.Directory, IsDetached: false });
        return meter.Braked(folders);
    }
}
