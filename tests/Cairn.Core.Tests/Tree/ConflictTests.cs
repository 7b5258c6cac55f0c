using System.Text;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Past;

namespace Cairn.Core.Tests.Tree;

/// <summary>One test per way in which two members can disagree: nothing is lost, both see the same.</summary>
public sealed class ConflictTests
{
    private readonly Replica _a = new(1);
    private readonly Replica _b = new(2);

    private void Start(params string[] files)
    {
        foreach (string file in files)
        {
            _a.Create(file, "base");
        }

        Replica.Sync(_a, _b);
    }

    private void Sync() => Replica.Sync(_a, _b);

    private List<string> Names(string path = "")
    {
        ObjectId at = path.Length == 0 ? TreeQueries.Root : _a.Find(path)!.Value.Object;
        return [.. _a.Queries.List(at, default, 1000).Select(entry => Encoding.UTF8.GetString(entry.Name.Span))];
    }

    private string Conflict(string path = "") => Assert.Single(Names(path), name => name.Contains(" (conflict "));

    [Fact]
    public void Concurrent_writes_are_two_heads_and_each_stays_where_it_is()
    {
        Start("doc.txt");
        _a.Write("doc.txt", "A1");
        _b.Write("doc.txt", "B1");
        Sync();
        Assert.Equal("A1", _a.Read("doc.txt"));
        string conflict = Conflict();
        Assert.Matches("^doc \\(conflict 02000000 2023-11-14 [0-9]{6}\\)\\.txt$", conflict);
        Assert.Equal("B1", _a.Read(conflict));
        _a.Write("doc.txt", "A2");
        _a.Write("doc.txt", "A3");
        Sync();
        Assert.Equal(("A3", "B1"), (_b.Read("doc.txt"), _b.Read(Conflict())));
        _b.Write(conflict, "B2");
        Sync();
        Assert.Equal(("A3", "B2"), (_a.Read("doc.txt"), _a.Read(Conflict())));
        Assert.Equal(2, _a.Queries.Get(_a.Find("doc.txt")!.Value.Object)!.Heads.Length);
    }

    [Fact]
    public void The_author_is_shown_by_the_name_it_gave_itself()
    {
        Start("doc");
        Transaction named = _b.Fold.Author(_b.Log, default, [new NameAuthor("Ann's laptop"u8.ToArray())]);
        _b.Fold.ApplyLocal(named);
        _b.Written.Add(named);
        _a.Write("doc", "A");
        _b.Write("doc", "B");
        Sync();
        Assert.StartsWith("doc (conflict Ann-s-laptop 2023-11-14 ", Conflict());
    }

    [Fact]
    public void A_writer_who_merges_supersedes_both_heads()
    {
        Start("doc");
        _a.Write("doc", "A");
        _b.Write("doc", "B");
        Sync();
        ObjectView view = _a.Queries.Get(_a.Find("doc")!.Value.Object)!;
        Assert.Null(_a.Do(_a.Edits.WriteVersion(view.Id, [.. view.Heads.Select(head => head.Version)],
            _a.Content("AB"))));
        Sync();
        Assert.Equal("/doc=AB\n", _b.Listing());
    }

    [Fact]
    public void Equal_content_never_conflicts()
    {
        Start("doc");
        _a.Write("doc", "same");
        _b.Write("doc", "same");
        Sync();
        Assert.Equal("/doc=same\n", _a.Listing());
        _b.Write("doc", "next");
        Sync();
        Assert.Equal("/doc=next\n", _a.Listing());
        _a.Create("new", "x");
        _b.Create("new", "x");
        Sync();
        Assert.Equal("/doc=next\n/new=x\n", _a.Listing());
        Assert.Null(_a.Unlink("new"));
        Sync();
        Assert.Equal("/doc=next\n", _a.Listing());
    }

    [Fact]
    public void Saves_by_rename_conflict_with_a_common_ancestor()
    {
        Start("doc");
        VersionId ancestor = _a.Queries.Get(_a.Find("doc")!.Value.Object)!.Head!.Version;
        foreach (Replica replica in (Replica[])[_a, _b])
        {
            replica.Create(".doc.swp", replica.Log.Author.Short);
            Assert.Null(replica.Rename(".doc.swp", "doc"));
        }

        Sync();
        Assert.Equal(["doc", Conflict()], Names());
        Assert.Equal(("01000000", "02000000"), (_a.Read("doc"), _a.Read(Conflict())));
        foreach (string name in Names())
        {
            Assert.Equal(ancestor, _a.Queries.Get(_a.Find(name)!.Value.Object)!.PredecessorVersion);
        }
    }

    [Fact]
    public void A_save_by_rename_and_a_write_in_place_conflict()
    {
        Start("doc");
        _a.Create("tmp", "A");
        Assert.Null(_a.Rename("tmp", "doc"));
        _b.Write("doc", "B");
        _b.Write("doc", "B2");
        Sync();
        Assert.Equal(2, Names().Count);
        Assert.Equal(["A", "B2"], new[] { _a.Read("doc")!, _a.Read(Conflict())! }.Order());
    }

    [Fact]
    public void A_write_saves_a_file_from_a_concurrent_delete_in_either_order()
    {
        foreach ((Replica writer, Replica remover) in ((Replica, Replica)[])[(_a, _b), (_b, _a)])
        {
            string name = "doc" + writer.Log.Author.Short;
            Start(name);
            writer.Write(name, "kept");
            Assert.Null(remover.Unlink(name));
            Sync();
            Assert.Equal("kept", _a.Read(name));
            Assert.Null(_a.Unlink(name));
            Sync();
        }
    }

    [Fact]
    public void A_delete_by_one_who_saw_everything_is_a_delete()
    {
        Start("doc");
        _a.Write("doc", "A");
        Sync();
        Assert.Null(_b.Unlink("doc"));
        _a.Create("other");
        Sync();
        Assert.Equal(["other"], Names());
        Assert.Single(_a.Queries.DetachedObjects());
    }

    [Fact]
    public void A_file_both_remove_is_gone()
    {
        Start("doc");
        _a.Unlink("doc");
        _b.Unlink("doc");
        Sync();
        Assert.Equal(string.Empty, _a.Listing());
        Assert.Single(new TrashQueries(_b.Queries).All());
    }

    [Fact]
    public void A_hard_link_shows_what_another_wrote_through_the_first_name()
    {
        Start("doc");
        Assert.Null(_a.Do(_a.Edits.Link(_a.Find("doc")!.Value.Object, TreeQueries.Root, "link"u8.ToArray())));
        _b.Write("doc", "B");
        Sync();
        Assert.Equal("/doc=B\n/link=B\n", _a.Listing());
        _b.Unlink("doc");
        _a.Write("link", "A");
        Sync();
        Assert.Equal("/link=A\n", _b.Listing());
    }

    [Fact]
    public void A_rename_wins_over_a_concurrent_delete_of_the_old_name()
    {
        foreach ((Replica mover, Replica remover) in ((Replica, Replica)[])[(_a, _b), (_b, _a)])
        {
            Start("doc");
            Assert.Null(mover.Rename("doc", "moved"));
            Assert.Null(remover.Unlink("doc"));
            Sync();
            Assert.Equal("/moved=base\n", _a.Listing());
            Assert.Null(_a.Unlink("moved"));
            Sync();
        }
    }

    [Fact]
    public void Of_two_renames_of_one_file_one_wins_everywhere()
    {
        Start("doc");
        Assert.Null(_a.Rename("doc", "x"));
        Assert.Null(_b.Rename("doc", "y"));
        Sync();
        Assert.Equal("/y=base\n", _a.Listing());
    }

    [Fact]
    public void Two_files_of_one_name_are_both_shown()
    {
        _a.Create("doc.tar.gz", "A");
        _b.Create("doc.tar.gz", "B");
        Sync();
        Assert.Equal("A", _a.Read("doc.tar.gz"));
        Assert.Equal("B", _a.Read(Conflict()));
        Assert.EndsWith(".gz", Conflict());
        Assert.Null(_b.Rename(Conflict(), "mine"));
        Sync();
        Assert.Equal("/doc.tar.gz=A\n/mine=B\n", _a.Listing());
    }

    [Fact]
    public void Directories_of_one_name_are_merged_with_all_below()
    {
        foreach (Replica replica in (Replica[])[_a, _b])
        {
            replica.MakeDirectory("Photos");
            replica.MakeDirectory("Photos/2024");
            replica.Create("Photos/2024/" + replica.Log.Author.Short, "x");
            replica.Create("Photos/same", replica.Log.Author.Short);
        }

        ObjectId ofB = _b.Find("Photos")!.Value.Object;
        Sync();
        Assert.Equal(["2024", "same", Conflict("Photos")], Names("Photos"));
        Assert.Equal(["01000000", "02000000"], Names("Photos/2024"));
        Assert.Equal(_a.Find("Photos")!.Value.Object, _b.Queries.Get(ofB)!.Id);
        Assert.Equal(3u, _a.Queries.Get(ofB)!.LinkCount);
    }

    [Fact]
    public void Work_below_a_merged_directory_reaches_the_one_that_is_left()
    {
        _a.MakeDirectory("Photos");
        _b.MakeDirectory("Photos");
        _b.Create("Photos/b1", "1");
        _a.Receive(_b);
        _a.Create("Photos/a", "2");
        _b.Create("Photos/b2", "3");
        _b.Rename("Photos/b2", "Photos/b3");
        Sync();
        Assert.Equal("/Photos/\n/Photos/a=2\n/Photos/b1=1\n/Photos/b3=3\n", _a.Listing());
    }

    [Fact]
    public void A_moved_folder_and_a_new_one_of_its_name_are_not_merged()
    {
        _a.MakeDirectory("Photos");
        _a.Create("Photos/old", "1");
        Sync();
        Assert.Null(_a.Rename("Photos", "Old"));
        _a.MakeDirectory("Photos");
        _b.Create("Photos/late", "2");
        Sync();
        Assert.Equal("/Old/\n/Old/late=2\n/Old/old=1\n/Photos/\n", _a.Listing());
    }

    [Fact]
    public void An_addition_keeps_a_folder_from_a_concurrent_removal_in_either_order()
    {
        foreach ((Replica adder, Replica remover) in ((Replica, Replica)[])[(_a, _b), (_b, _a)])
        {
            string top = "d" + adder.Log.Author.Short;
            _a.MakeDirectory(top);
            _a.MakeDirectory(top + "/sub");
            Sync();
            adder.Create(top + "/sub/new", "x");
            Assert.Null(remover.RemoveDirectory(top + "/sub"));
            Assert.Null(remover.RemoveDirectory(top));
            Sync();
            Assert.Equal("x", _a.Read(top + "/sub/new"));
        }
    }

    [Fact]
    public void A_removed_folder_made_again_takes_in_what_was_added_to_the_first()
    {
        _a.MakeDirectory("d");
        Sync();
        _b.Create("d/late", "x");
        Assert.Null(_a.RemoveDirectory("d"));
        _a.MakeDirectory("d");
        _a.Create("d/new", "y");
        Sync();
        Assert.Equal("/d/\n/d/late=x\n/d/new=y\n", _a.Listing());
    }

    [Fact]
    public void Moves_that_would_make_a_loop_are_decided_by_the_order()
    {
        _a.MakeDirectory("x");
        _a.MakeDirectory("y");
        _a.Create("x/1", "1");
        _a.Create("y/2", "2");
        Sync();
        Assert.Null(_a.Rename("x", "y/x"));
        Assert.Null(_b.Rename("y", "x/y"));
        Sync();
        Assert.Equal("/y/\n/y/2=2\n/y/x/\n/y/x/1=1\n", _a.Listing());
    }

    [Fact]
    public void A_file_and_a_folder_of_one_name_are_both_shown()
    {
        _a.Create("thing", "file");
        _b.MakeDirectory("thing");
        _b.Create("thing/in", "x");
        Sync();
        Assert.Equal("file", _a.Read("thing"));
        Assert.Equal("x", _a.Read(Conflict() + "/in"));
        Assert.Null(_a.Rename(Conflict(), "folder"));
        Sync();
        Assert.Equal("/folder/\n/folder/in=x\n/thing=file\n", _a.Listing());
    }

    [Fact]
    public void A_conflict_can_be_removed_and_the_holder_too_without_touching_the_other()
    {
        foreach (bool inHeads in (bool[])[true, false])
        {
            string name = inHeads ? "heads" : "objects";
            foreach (bool holder in (bool[])[true, false])
            {
                string file = name + holder;
                if (inHeads)
                {
                    Start(file);
                    _a.Write(file, "A");
                    _b.Write(file, "B");
                }
                else
                {
                    _a.Create(file, "A");
                    _b.Create(file, "B");
                }

                Sync();
                string conflict = Conflict();
                Assert.Null(_b.Unlink(holder ? file : conflict));
                Sync();
                Assert.Equal(holder ? $"/{conflict}=B\n" : $"/{file}=A\n", _a.Listing());
                Assert.Null(_a.Unlink(holder ? conflict : file));
                Sync();
                Assert.Equal(string.Empty, _a.Listing());
            }
        }
    }

    [Fact]
    public void A_conflict_can_take_the_name()
    {
        foreach (bool inHeads in (bool[])[true, false])
        {
            string file = "f" + inHeads;
            _a.Create(file, "A0");
            if (inHeads)
            {
                Sync();
                _a.Write(file, "A");
                _b.Write(file, "B");
            }
            else
            {
                _b.Create(file, "B");
            }

            Sync();
            Assert.Null(_a.Rename(Conflict(), file));
            Sync();
            Assert.Equal($"/{file}=B\n", _b.Listing());
            Assert.Null(_b.Unlink(file));
            Sync();
        }
    }

    [Fact]
    public void A_save_by_rename_over_a_name_with_conflicts_leaves_the_conflicts()
    {
        Start("doc");
        _a.Write("doc", "A");
        _b.Write("doc", "B");
        Sync();
        string conflict = Conflict();
        _a.Create("tmp", "saved");
        Assert.Null(_a.Rename("tmp", "doc"));
        Sync();
        Assert.Equal($"/doc=saved\n/{conflict}=B\n", _b.Listing());
    }

    [Fact]
    public void A_shown_name_gives_way_to_a_real_one()
    {
        Start("doc");
        _a.Write("doc", "A");
        _b.Write("doc", "B");
        Sync();
        string conflict = Conflict();
        Assert.Equal(TreeError.AlreadyExists, _a.Do(_a.Edits.CreateFile(
            default, Encoding.UTF8.GetBytes(conflict), new NewObject(new ObjectId(_a.Fresh()), 0, 0, 0, default))));
        var place = new Place(default, Encoding.UTF8.GetBytes(conflict), new ObjectId(_b.Fresh()), null);
        _b.Do(new[] { new CreateObject(place.Object, TreeKind.File, 0, 0, 0, 0, default, default), (Primitive)place }
            .ToImmutable());
        Sync();
        Assert.Equal(string.Empty, _a.Read(conflict));
        Assert.Equal("B", _a.Read(conflict.Replace(")", " 2)", StringComparison.Ordinal)));
    }

    [Fact]
    public void Long_and_odd_names_can_conflict()
    {
        byte[][] names =
        [
            [.. Enumerable.Repeat((byte)'x', 255)],
            [.. Enumerable.Repeat((byte)0xFF, 255)],
            Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("\U0001F600", 63))),
            "new\nline"u8.ToArray(),
            ".hidden"u8.ToArray(),
            [0xC3],
        ];
        foreach (byte[] name in names)
        {
            foreach (Replica replica in (Replica[])[_a, _b])
            {
                var made = new NewObject(new ObjectId(replica.Fresh()), 0, 0, 0, default);
                Assert.Null(replica.Do(replica.Edits.CreateFile(default, name, made,
                    replica.Content(replica.Log.Author.Short))));
            }
        }

        Sync();
        IReadOnlyList<EntryView> shown = _a.Queries.List(TreeQueries.Root, default, 100);
        Assert.Equal(names.Length * 2, shown.Count);
        Assert.All(shown, entry => Assert.True(EntryName.IsValid(entry.Name.Span)));
        Assert.All(shown, entry => Assert.Equal(entry.Object, _a.Queries.Lookup(default, entry.Name)!.Value.Object));
    }

    [Fact]
    public void Condemned_is_forgotten_unless_it_came_back()
    {
        Start("gone", "back");
        ObjectId gone = _a.Find("gone")!.Value.Object;
        ObjectId back = _a.Find("back")!.Value.Object;
        _a.Write("back", "v2");
        Assert.Null(_a.Unlink("gone"));
        SupersededVersion old = Assert.Single(_a.Queries.SupersededVersions());
        ChunkAddress address = new(new byte[ChunkAddress.Size]);
        var condemn = new Condemn(
            _a.Fold.Positions, [gone, back], [new VersionRef(old.Object, old.Version.Version)], [address], []);
        _a.Do(new Primitive[] { condemn }.ToImmutable());
        Sync();
        Assert.Null(_a.Queries.Get(gone));
        Assert.Equal("v2", _a.Read("back"));
        Assert.Empty(_a.Queries.DetachedObjects());
        Assert.Empty(_a.Queries.SupersededVersions());
        Assert.Equal(address, Assert.Single(Assert.Single(_b.Queries.Condemned()).Addresses));
        _b.Do(new Primitive[] { new Rescue([address]), new Exclude(_a.Log.Author, true) }.ToImmutable());
        Sync();
        Assert.Empty(_a.Queries.Condemned());
        Assert.Equal([_a.Log.Author], _a.Queries.Excluded());
    }
}
