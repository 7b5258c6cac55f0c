using System.Text;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Text;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Past;

namespace Cairn.Core.Tests.Tree;

/// <summary>What a file was, what was removed, and bringing either back.</summary>
public sealed class HistoryTests
{
    private readonly Replica _a = new(1);
    private readonly Replica _b = new(2);

    private static string Text(HeadView version) => Encoding.UTF8.GetString(version.Manifest.Span);

    private static string History(Replica replica, string path) => string.Join(
        ' ', new FileHistory(replica.Queries).Of(replica.Find(path)!.Value.Object).Select(past => Text(past.Version)));

    private static VersionId Version(Replica replica, string path, string content) =>
        new FileHistory(replica.Queries).Of(replica.Find(path)!.Value.Object)
            .First(past => Text(past.Version) == content).Version.Version;

    private static List<string> Trash(Replica replica)
    {
        FolderPaths paths = new(replica.Queries);
        return [.. new TrashQueries(replica.Queries).All().Select(gone => paths.Of(gone.Parent, gone.Name)).Order()];
    }

    private static TrashedObject Trashed(Replica replica, string name) => new TrashQueries(replica.Queries).All()
        .Single(gone => Encoding.UTF8.GetString(gone.Name.Span) == name);

    private static HistoryEdits Edits(Replica replica) => new(replica.Queries, replica.Fresh);

    private static TreeError? Undelete(Replica replica, string name, string? newName = null)
    {
        TrashedObject gone = Trashed(replica, name);
        return replica.Do(Edits(replica).Undelete(
            gone.Object.Id, gone.Parent, newName is null ? gone.Name : Encoding.UTF8.GetBytes(newName)));
    }

    private TreeError? Resolve(ConflictChoice choice, string? kept = null) => _a.Do(Edits(_a).Resolve(
        TreeQueries.Root, "doc"u8.ToArray(), choice, kept is null ? default : _a.Find(kept)!.Value.Object, _a.Now));

    private string Conflict() =>
        Encoding.UTF8.GetString(Assert.Single(_a.Queries.Conflicts(TreeQueries.Root)).Name.Span);

    [Fact]
    public void Every_version_is_listed_the_newest_first()
    {
        _a.Create("doc", "1");
        _a.Write("doc", "2");
        _a.Write("doc", "3");
        Assert.Equal("3 2 1", History(_a, "doc"));
        HistoricVersion[] all = [.. new FileHistory(_a.Queries).Of(_a.Find("doc")!.Value.Object)];
        Assert.Equal([true, false, false], all.Select(past => past.IsShown));
        Assert.Null(all[0].ReplacedAt);
        Assert.Equal(all[0].Version.Written, all[1].ReplacedAt);
        Assert.Equal(all[1].Version.Written, all[2].ReplacedAt);
    }

    [Fact]
    public void Every_version_says_who_wrote_it_and_how_across_saves_by_rename_and_restores()
    {
        _a.Create("doc", "1");
        Replica.Sync(_a, _b);
        _b.Write("doc", "2");
        Replica.Sync(_a, _b);
        _a.Create("doc.tmp", "3");
        _a.Rename("doc.tmp", "doc");
        Replica.Sync(_a, _b);
        Assert.Null(_b.Do(Edits(_b).Restore(_b.Find("doc")!.Value.Object, Version(_b, "doc", "1"), _b.Now)));
        Replica.Sync(_a, _b);
        HistoricVersion[] all = [.. new FileHistory(_a.Queries).Of(_a.Find("doc")!.Value.Object)];
        Assert.Equal(["1", "3", "2", "1"], all.Select(past => Text(past.Version)));
        NodeId[] writers = [_b.Log.Author, _a.Log.Author, _b.Log.Author, _a.Log.Author];
        Assert.Equal(writers, all.Select(past => past.Version.Author));
        VersionOrigin[] how =
            [VersionOrigin.Restored, VersionOrigin.SavedByRename, VersionOrigin.Edited, VersionOrigin.Created];
        Assert.Equal(how, all.Select(past => past.Origin));
    }

    [Fact]
    public void The_history_follows_the_name_when_an_editor_saves_by_rename()
    {
        _a.Create("doc", "1");
        _a.Write("doc", "2");
        _a.Create("doc.tmp", "3");
        _a.Rename("doc.tmp", "doc");
        _a.Create("doc.tmp", "4");
        _a.Rename("doc.tmp", "doc");
        Assert.Equal("4 3 2 1", History(_a, "doc"));
        Assert.Empty(Trash(_a));
        Assert.Null(_a.Do(Edits(_a).Restore(_a.Find("doc")!.Value.Object, Version(_a, "doc", "1"), _a.Now)));
        Assert.Equal("1 4 3 2 1", History(_a, "doc"));
    }

    [Fact]
    public void Both_sides_of_a_conflict_are_in_the_history()
    {
        _a.Create("doc", "base");
        Replica.Sync(_a, _b);
        _a.Write("doc", "A");
        _b.Write("doc", "B");
        Replica.Sync(_a, _b);
        Assert.Equal("A B base", History(_a, "doc"));
        Assert.Equal(History(_a, "doc"), History(_b, "doc"));
    }

    [Fact]
    public void A_restored_version_is_an_edit_like_any_other()
    {
        _a.Create("doc", "1");
        _a.Write("doc", "2");
        VersionId first = Version(_a, "doc", "1");
        ObjectId id = _a.Find("doc")!.Value.Object;
        Assert.Null(_a.Do(Edits(_a).Restore(id, first, _a.Now)));
        Assert.Equal("1", _a.Read("doc"));
        Assert.Equal("1 2 1", History(_a, "doc"));
        Assert.Empty(Edits(_a).Restore(id, _a.Queries.Get(id)!.Head!.Version, _a.Now).Value);
        Assert.Equal(TreeError.NotFound, Edits(_a).Restore(id, new VersionId(_a.Fresh()), _a.Now).Error);
        Assert.Equal(TreeError.NotFound, Edits(_a).Restore(TreeQueries.Root, first, _a.Now).Error);
    }

    [Fact]
    public void What_was_removed_is_in_the_trash_and_comes_back()
    {
        _a.MakeDirectory("d");
        _a.MakeDirectory("d/e");
        _a.Create("d/e/doc", "1");
        _a.Unlink("d/e/doc");
        _a.RemoveDirectory("d/e");
        _a.RemoveDirectory("d");
        Assert.Equal(["d", "d/e", "d/e/doc"], Trash(_a));
        Assert.Null(Undelete(_a, "doc"));
        Assert.Equal("/d/\n/d/e/\n/d/e/doc=1\n", _a.Listing());
        Assert.Empty(Trash(_a));
        Replica.Sync(_a, _b);
    }

    [Fact]
    public void Paths_are_those_that_folders_have_now_or_had_last()
    {
        string folder = "d";
        _a.MakeDirectory(folder);
        for (int depth = 0; depth < 40; depth++)
        {
            _a.MakeDirectory(folder += "/e");
        }

        _a.Create(folder + "/doc", "1");
        _a.Create("d/beside", "2");
        _a.Rename("d", "moved");
        folder = "moved" + folder[1..];
        _a.Unlink(folder + "/doc");
        _a.RemoveDirectory(folder);
        FolderPaths paths = new(_a.Queries);
        Assert.Equal("moved/beside", paths.Of(_a.Find("moved")!.Value.Object, "beside"u8.ToArray()));
        TrashedObject[] removed = [.. new TrashQueries(_a.Queries).All()];
        Assert.Equal(2, removed.Length);
        Assert.All(removed, gone => Assert.Equal(
            NameText.Join(_a.Queries.PathOf(gone.Object.Id)), paths.Of(gone.Parent, gone.Name)));
        Assert.Contains(folder + "/doc", Trash(_a));
    }

    [Fact]
    public void With_a_folder_goes_what_the_same_hand_took_out_of_it_just_before()
    {
        _a.MakeDirectory("d");
        _a.MakeDirectory("d/e");
        foreach (string path in (string[])["d/before", "d/again", "d/last", "d/e/inner", "beside", "d/theirs"])
        {
            _a.Create(path, path);
        }

        Replica.Sync(_a, _b);
        _b.Unlink("d/theirs");
        Replica.Sync(_a, _b);
        _a.Unlink("d/before");
        _a.Unlink("d/again");
        _a.Create("d/again", "anew");
        _a.Wait(TimeSpan.FromSeconds(5));
        foreach (string path in (string[])["d/e/inner", "beside", "d/again", "d/last"])
        {
            _a.Unlink(path);
        }

        _a.RemoveDirectory("d/e");
        _a.RemoveDirectory("d");
        TrashQueries trash = new(_a.Queries);
        IReadOnlyList<TrashedObject> together = trash.RemovedWith(Trashed(_a, "d").Object.Id);
        Assert.Equal(
            ["again", "d", "e", "inner", "last"],
            together.Select(gone => Encoding.UTF8.GetString(gone.Name.Span)).Order(StringComparer.Ordinal));
        Assert.Equal("d", Encoding.UTF8.GetString(together[0].Name.Span));
        Assert.Equal("anew", Text(together.Single(gone => gone.Name.Span.SequenceEqual("again"u8)).Object.Head!));
        Assert.Empty(trash.RemovedWith(TreeQueries.Root));
    }

    /// <summary>What an editor replaced at each save is the past of the document, not so many files of its name.</summary>
    [Fact]
    public void A_removed_file_that_was_saved_by_rename_is_in_the_trash_once()
    {
        _a.Create("doc", "1");
        for (int save = 2; save <= 4; save++)
        {
            _a.Create("doc.tmp", $"{save}");
            _a.Rename("doc.tmp", "doc");
        }

        _a.Unlink("doc");
        Assert.Equal(["doc"], Trash(_a));
        Assert.Null(Undelete(_a, "doc"));
        Assert.Equal("4 3 2 1", History(_a, "doc"));
    }

    [Fact]
    public void A_name_that_is_taken_is_not_taken_over()
    {
        _a.Create("doc", "old");
        _a.Unlink("doc");
        _a.Create("doc", "new");
        Assert.Equal(TreeError.AlreadyExists, Undelete(_a, "doc"));
        Assert.Null(Undelete(_a, "doc", "doc.old"));
        Assert.Equal("/doc=new\n/doc.old=old\n", _a.Listing());
        ObjectId there = _a.Find("doc")!.Value.Object;
        Assert.Equal(TreeError.NotFound, Edits(_a).Undelete(there, default, "x"u8.ToArray()).Error);
    }

    [Fact]
    public void A_name_that_cannot_be_is_refused()
    {
        _a.Create("doc", "old");
        _a.Unlink("doc");
        ObjectId gone = Trashed(_a, "doc").Object.Id;
        Assert.Equal(TreeError.InvalidName, Edits(_a).Undelete(gone, default, "a/b"u8.ToArray()).Error);
        Assert.Equal(TreeError.NameTooLong, Edits(_a).Undelete(gone, default, new byte[256]).Error);
        ObjectId file = _a.Create("file");
        Assert.Equal(TreeError.NotADirectory, Edits(_a).Undelete(gone, file, "doc"u8.ToArray()).Error);
        Assert.Equal(TreeError.NotFound, Edits(_a).Undelete(gone, new ObjectId(_a.Fresh()), "doc"u8.ToArray()).Error);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void One_side_of_a_conflict_is_kept_and_the_other_is_history(bool keepsShown)
    {
        _a.Create("doc", "base");
        Replica.Sync(_a, _b);
        _a.Write("doc", "A");
        _b.Write("doc", "B");
        Replica.Sync(_a, _b);
        string kept = keepsShown ? "doc" : Conflict();
        string content = _a.Read(kept)!;
        Assert.Null(Resolve(ConflictChoice.One, kept));
        Replica.Sync(_a, _b);
        Assert.Equal($"/doc={content}\n", _b.Listing());
        Assert.Equal(4, new FileHistory(_b.Queries).Of(_b.Find("doc")!.Value.Object).Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Of_two_files_made_apart_one_is_kept_and_the_other_is_trash(bool keepsShown)
    {
        _a.Create("doc", "A");
        _b.Create("doc", "B");
        Replica.Sync(_a, _b);
        string kept = keepsShown ? "doc" : Conflict();
        string content = _a.Read(kept)!;
        Assert.Null(Resolve(ConflictChoice.One, kept));
        Replica.Sync(_a, _b);
        Assert.Equal($"/doc={content}\n", _b.Listing());
        Assert.Equal(["doc"], Trash(_b));
        Assert.Null(Undelete(_b, "doc", "doc2"));
        Assert.NotEqual(content, _b.Read("doc2"));
    }

    [Fact]
    public void Both_sides_become_files_of_their_own()
    {
        _a.Create("doc", "base");
        Replica.Sync(_a, _b);
        _a.Write("doc", "A");
        _b.Write("doc", "B");
        Replica.Sync(_a, _b);
        string shown = Conflict();
        Assert.Null(Resolve(ConflictChoice.Both));
        Replica.Sync(_a, _b);
        Assert.Equal($"/doc=A\n/{shown}=B\n", _b.Listing());
        Assert.Empty(_b.Queries.Conflicts(TreeQueries.Root));
    }

    [Fact]
    public void A_folder_with_something_in_it_is_not_given_up()
    {
        _a.Create("doc", "A");
        _b.MakeDirectory("doc");
        _b.Create("doc/inside", "B");
        Replica.Sync(_a, _b);
        bool fileHoldsName = _a.Find("doc")!.Value.Kind == TreeKind.File;
        Assert.Equal(TreeError.NotEmpty, Resolve(ConflictChoice.One, fileHoldsName ? "doc" : Conflict()));
        Assert.Equal(TreeError.InvalidArgument, Edits(_a).Resolve(
            TreeQueries.Root, "doc"u8.ToArray(), ConflictChoice.One, new ObjectId(_a.Fresh()), _a.Now).Error);
        Assert.Equal(TreeError.NotFound, Edits(_a).Resolve(
            TreeQueries.Root, "none"u8.ToArray(), ConflictChoice.Both, default, _a.Now).Error);
    }
}
