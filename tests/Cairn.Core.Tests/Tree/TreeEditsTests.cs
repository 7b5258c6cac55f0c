using System.Text;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;

namespace Cairn.Core.Tests.Tree;

/// <summary>One member alone: POSIX.</summary>
public sealed class TreeEditsTests
{
    private readonly Replica _a = new(1);

    [Fact]
    public void Files_are_made_written_and_removed()
    {
        _a.MakeDirectory("docs");
        ObjectId id = _a.Create("docs/a.txt");
        Assert.Equal(string.Empty, _a.Read("docs/a.txt"));
        Assert.Null(_a.Write("docs/a.txt", "one"));
        Assert.Null(_a.Write("docs/a.txt", "two"));
        ObjectView view = _a.Queries.Get(id)!;
        Assert.Equal(("two", 3L, 1u, TreeKind.File),
            (Replica.ContentOf(view), view.SizeBytes, view.LinkCount, view.Kind));
        Assert.Equal("one", Encoding.UTF8.GetString(Assert.Single(_a.Queries.SupersededVersions())
            .Version.Manifest.Span));
        Assert.Equal(new TreeTotals(2, 3), _a.Queries.Totals);
        Assert.Null(_a.Unlink("docs/a.txt"));
        Assert.Null(_a.Find("docs/a.txt"));
        Assert.Equal(id, Assert.Single(_a.Queries.DetachedObjects()).Object);
        Assert.Equal(new TreeTotals(1, 0), _a.Queries.Totals);
        Assert.Equal(0u, _a.Queries.Get(id)!.LinkCount);
        Assert.Equal(TreeError.NotFound, _a.Do(_a.Edits.WriteVersion(id, [], _a.Content("late"))));
    }

    /// <summary><see cref="FolderListing"/> reads in steps.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1023)]
    [InlineData(1024)]
    [InlineData(2500)]
    public void All_entries_of_a_folder_are_listed_once_in_the_order_of_their_names(int count)
    {
        ObjectId folder = _a.MakeDirectory("many");
        string[] names = [.. Enumerable.Range(0, count).Select(static i => $"n{i}")];
        Array.ForEach(names, name => _a.Create($"many/{name}"));
        Assert.Equal(
            names.Order(StringComparer.Ordinal),
            _a.Queries.ListAll(folder).Select(static entry => Encoding.UTF8.GetString(entry.Name.Span)));
    }

    [Fact]
    public void A_file_can_be_made_with_its_content()
    {
        _a.Create("x", "hello");
        Assert.Equal("hello", _a.Read("x"));
    }

    [Fact]
    public void Errors_are_those_of_posix()
    {
        ObjectId directory = _a.MakeDirectory("d");
        _a.MakeDirectory("d/e");
        ObjectId file = _a.Create("f", "1");
        NewObject made = new(new ObjectId(_a.Fresh()), 0x1ED, 0, 0, default);
        Assert.Equal(TreeError.AlreadyExists, _a.Do(_a.Edits.CreateFile(default, "f"u8.ToArray(), made)));
        Assert.Equal(TreeError.NotADirectory, _a.Do(_a.Edits.CreateFile(file, "x"u8.ToArray(), made)));
        Assert.Equal(TreeError.NotFound, _a.Do(_a.Edits.CreateFile(new ObjectId(_a.Fresh()), "x"u8.ToArray(), made)));
        Assert.Equal(TreeError.InvalidName, _a.Do(_a.Edits.CreateFile(default, "a/b"u8.ToArray(), made)));
        Assert.Equal(TreeError.InvalidName, _a.Do(_a.Edits.MakeDirectory(default, ".."u8.ToArray(), made)));
        Assert.Equal(TreeError.NameTooLong, _a.Do(_a.Edits.MakeDirectory(default, new byte[256], made)));
        Assert.Equal(TreeError.IsADirectory, _a.Unlink("d"));
        Assert.Equal(TreeError.NotADirectory, _a.RemoveDirectory("f"));
        Assert.Equal(TreeError.NotEmpty, _a.RemoveDirectory("d"));
        Assert.Equal(TreeError.NotFound, _a.Unlink("nothing"));
        Assert.Equal(TreeError.WouldLoop, _a.Rename("d", "d/e/d"));
        Assert.Equal(TreeError.WouldLoop, _a.Rename("d", "d/e", TreeRenameMode.Exchange));
        Assert.Equal(TreeError.WouldLoop, _a.Rename("d/e", "d", TreeRenameMode.Exchange));
        Assert.Equal(TreeError.NotADirectory, _a.Rename("d", "f"));
        Assert.Equal(TreeError.IsADirectory, _a.Rename("f", "d"));
        Assert.Equal(TreeError.AlreadyExists, _a.Rename("f", "d", TreeRenameMode.NoReplace));
        Assert.Equal(TreeError.NotFound, _a.Rename("f", "g", TreeRenameMode.Exchange));
        Assert.Equal(TreeError.NotPermitted, _a.Do(_a.Edits.Link(directory, default, "l"u8.ToArray())));
        Assert.Null(_a.RemoveDirectory("d/e"));
        Assert.Null(_a.RemoveDirectory("d"));
        Assert.Equal(TreeError.NotFound, _a.Do(_a.Edits.CreateFile(directory, "x"u8.ToArray(), made)));
    }

    [Fact]
    public void Renames_move_replace_and_exchange()
    {
        _a.MakeDirectory("d");
        _a.MakeDirectory("d/sub");
        _a.Create("a", "A");
        ObjectId old = _a.Create("b", "B");
        Assert.Null(_a.Rename("a", "b"));
        Assert.Equal("/b=A\n/d/\n/d/sub/\n", _a.Listing());
        Assert.Equal(old, _a.Queries.Get(_a.Find("b")!.Value.Object)!.PredecessorObject);
        Assert.Null(_a.Rename("b", "d/sub", TreeRenameMode.Exchange));
        Assert.Equal("/b/\n/d/\n/d/sub=A\n", _a.Listing());
        Assert.Equal(2u, _a.Queries.Get(_a.Find("d")!.Value.Object)!.LinkCount);
        Assert.Equal(4u, _a.Queries.Get(TreeQueries.Root)!.LinkCount);
        Assert.Null(_a.Rename("d", "b"));
        Assert.Equal("/b/\n/b/sub=A\n", _a.Listing());
        Assert.Null(_a.Rename("b", "b"));
    }

    [Fact]
    public void Hard_links_share_their_heads()
    {
        ObjectId id = _a.Create("a", "1");
        _a.MakeDirectory("d");
        Assert.Null(_a.Do(_a.Edits.Link(id, _a.Find("d")!.Value.Object, "b"u8.ToArray())));
        Assert.Null(_a.Write("d/b", "2"));
        Assert.Equal("2", _a.Read("a"));
        Assert.Equal(2u, _a.Queries.Get(id)!.LinkCount);
        Assert.Equal(2, _a.Queries.Parents(id).Count);
        Assert.Null(_a.Rename("a", "d/b"));
        Assert.Equal("2", _a.Read("a"));
        Assert.Null(_a.Unlink("a"));
        Assert.Equal("2", _a.Read("d/b"));
        Assert.Null(_a.Unlink("d/b"));
        Assert.True(_a.Queries.Get(id)!.IsDetached);
    }

    [Fact]
    public void Listings_continue_after_any_name()
    {
        for (int i = 0; i < 300; i++)
        {
            _a.Create($"f{i:000}");
        }

        byte[] after = [];
        var names = new List<string>();
        while (_a.Queries.List(TreeQueries.Root, after, 7) is { Count: > 0 } page)
        {
            names.AddRange(page.Select(entry => Encoding.UTF8.GetString(entry.Name.Span)));
            after = page[^1].Name.ToArray();
        }

        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"f{i:000}"), names);
    }

    [Fact]
    public void Attributes_and_extended_attributes_are_registers()
    {
        ObjectId id = _a.Create("a", "1");
        Assert.Null(_a.Do(_a.Edits.SetAttributes(id, 0x1FF, null, 7, new WallTime(42))));
        ObjectView view = _a.Queries.Get(id)!;
        Assert.Equal((0x1FFu, 1u, 7u, new WallTime(42)), (view.Mode, view.UserId, view.GroupId, view.Modified));
        byte[] name = "user.x"u8.ToArray();
        Assert.Equal(TreeError.NoAttribute, _a.Do(_a.Edits.RemoveExtendedAttribute(id, name)));
        Assert.Equal(TreeError.NoAttribute,
            _a.Do(_a.Edits.SetExtendedAttribute(id, name, name, AttributeMode.Replace)));
        Assert.Null(_a.Do(_a.Edits.SetExtendedAttribute(id, name, "v"u8.ToArray(), AttributeMode.Create)));
        Assert.Equal(TreeError.AlreadyExists,
            _a.Do(_a.Edits.SetExtendedAttribute(id, name, name, AttributeMode.Create)));
        Assert.Equal("v"u8.ToArray(), _a.Queries.ExtendedAttribute(id, name)!.Value.ToArray());
        Assert.Single(_a.Queries.ExtendedAttributes(id));
        Assert.Null(_a.Do(_a.Edits.RemoveExtendedAttribute(id, name)));
        Assert.Empty(_a.Queries.ExtendedAttributes(id));
    }

    [Fact]
    public void Links_and_nodes_keep_what_they_are()
    {
        var link = new NewObject(new ObjectId(_a.Fresh()), 0, 1, 1, default);
        Assert.Null(_a.Do(_a.Edits.Symlink(default, "l"u8.ToArray(), "to/there"u8.ToArray(), link)));
        ObjectView view = _a.Queries.Get(link.Id)!;
        Assert.Equal(("to/there"u8.Length, 8L, 0x1FFu), (view.LinkTarget.Length, view.SizeBytes, view.Mode));
        var node = new NewObject(new ObjectId(_a.Fresh()), 0x1B6, 1, 1, default);
        Assert.Null(_a.Do(_a.Edits.MakeNode(default, "n"u8.ToArray(), TreeKind.CharacterDevice, 259, node)));
        Assert.Equal((TreeKind.CharacterDevice, 259u),
            (_a.Queries.Get(node.Id)!.Kind, _a.Queries.Get(node.Id)!.Device));
        Span<byte> prefix = stackalloc byte[16];
        node.Id.Value.CopyTo(prefix);
        Assert.Equal([node.Id], _a.Queries.ObjectsWithPrefix(prefix[..8]));
    }
}
