using System.Text;
using Cairn.Node.Volumes;

namespace Cairn.Node.Tests.Contracts;

/// <summary>Names, directories, links and renames.</summary>
public abstract class VolumeNamespaceContract : VolumeContractBase
{
    [Fact]
    public async Task Root_IsADirectoryWithNumberOne()
    {
        ObjectAttributes root = await Ok(Volume.GetAttributes(Root));
        Assert.Equal(ObjectKind.Directory, root.Kind);
        Assert.Equal(1UL, root.Inode.Value);
        Assert.Equal(2U, root.LinkCount);
        Assert.Empty(await List(Root));
    }

    [Fact]
    public async Task Create_ShowsTheFileAtOnceWithItsOwnerAndMode()
    {
        OpenedFile file = await CreateFile("a", mode: 0b110_000_000);
        ObjectAttributes found = await Ok(Volume.Lookup(Root, Name("a")));
        Assert.Equal(file.Attributes.Inode, found.Inode);
        Assert.Equal(ObjectKind.File, found.Kind);
        Assert.Equal(0b110_000_000U, found.Mode);
        Assert.Equal((1000U, 1001U, 1U), (found.UserId, found.GroupId, found.LinkCount));
        Assert.Equal(0, found.SizeBytes);
        Assert.Equal(["a"], await List(Root));
        await Close(file.Handle);
        Assert.Equal(found.Inode, await Find("a"));
    }

    [Fact]
    public async Task Create_ExclusiveRefusesATakenName_OtherwiseOpensIt()
    {
        InodeNumber inode = await MakeFile("a", [1, 2, 3]);
        await Fails(
            VolumeError.AlreadyExists,
            Volume.Create(Root, Name("a"), 0x1A4, OpenIntent.Write | OpenIntent.Exclusive, User));
        OpenedFile opened = await Ok(Volume.Create(Root, Name("a"), 0x1A4, OpenIntent.Read, User));
        Assert.Equal(inode, opened.Attributes.Inode);
        Assert.Equal([1, 2, 3], await Read(opened.Handle, 0, 10));
        await Close(opened.Handle);
    }

    [Fact]
    public async Task Names_AreBytes()
    {
        byte[][] names =
        [
            "line\nbreak"u8.ToArray(),
            "\ud83e\udea8 cairn"u8.ToArray(),
            [0xFF, 0xFE, 0x80],
            [1],
            Encoding.UTF8.GetBytes(new string('x', 255)),
            " "u8.ToArray(),
            "..."u8.ToArray(),
        ];
        foreach (byte[] name in names)
        {
            OpenedFile made = await Ok(Volume.Create(Root, name, 0x1A4, OpenIntent.Write | OpenIntent.Exclusive, User));
            await Close(made.Handle);
        }

        IReadOnlyList<DirectoryEntry> entries = await Ok(Volume.ReadDirectory(Root, 0, 100));
        Assert.Equal(
            names.Select(Convert.ToHexString).Order(StringComparer.Ordinal),
            entries.Select(e => Convert.ToHexString(e.Name.Span)).Order(StringComparer.Ordinal));
        foreach (byte[] name in names)
        {
            await Ok(Volume.Lookup(Root, name));
            await Ok(Volume.Unlink(Root, name, User));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("a\0b")]
    public async Task Names_ThatCannotBe_AreRefused(string name)
    {
        await Fails(VolumeError.InvalidName, Volume.MakeDirectory(Root, Name(name), 0x1ED, User));
        await Fails(VolumeError.InvalidName, Volume.Create(Root, Name(name), 0x1A4, OpenIntent.Write, User));
    }

    [Fact]
    public async Task Names_Over255Bytes_AreRefused()
    {
        string name = new('x', 256);
        await Fails(VolumeError.NameTooLong, Volume.MakeDirectory(Root, Name(name), 0x1ED, User));
        await Fails(VolumeError.NameTooLong, Volume.Lookup(Root, Name(name)));
    }

    [Fact]
    public async Task Lookup_OfNothing_FailsTyped()
    {
        InodeNumber file = await MakeFile("f", []);
        await Fails(VolumeError.NotFound, Volume.Lookup(Root, Name("none")));
        await Fails(VolumeError.NotADirectory, Volume.Lookup(file, Name("x")));
        await Fails(VolumeError.NotFound, Volume.GetAttributes(new InodeNumber(0x7777)));
        await Fails(VolumeError.NotFound, Volume.Lookup(new InodeNumber(0x7777), Name("x")));
    }

    [Fact]
    public async Task Directories_CountTheirSubdirectories()
    {
        InodeNumber d = await MakeDirectory("d");
        await MakeDirectory("e", d);
        await MakeFile("f", [], d);
        Assert.Equal(3U, (await Ok(Volume.GetAttributes(d))).LinkCount);
        Assert.Equal(3U, (await Ok(Volume.GetAttributes(Root))).LinkCount);
        await Fails(VolumeError.NotEmpty, Volume.RemoveDirectory(Root, Name("d"), User));
        await Ok(Volume.RemoveDirectory(d, Name("e"), User));
        await Ok(Volume.Unlink(d, Name("f"), User));
        Assert.Equal(2U, (await Ok(Volume.GetAttributes(d))).LinkCount);
        await Ok(Volume.RemoveDirectory(Root, Name("d"), User));
        await Fails(VolumeError.NotFound, Volume.Lookup(Root, Name("d")));
        Assert.Equal(2U, (await Ok(Volume.GetAttributes(Root))).LinkCount);
    }

    [Fact]
    public async Task Remove_OfTheWrongKind_FailsTyped()
    {
        await MakeDirectory("d");
        await MakeFile("f", []);
        await Fails(VolumeError.IsADirectory, Volume.Unlink(Root, Name("d"), User));
        await Fails(VolumeError.NotADirectory, Volume.RemoveDirectory(Root, Name("f"), User));
        await Fails(VolumeError.NotFound, Volume.Unlink(Root, Name("none"), User));
        await Fails(VolumeError.NotFound, Volume.RemoveDirectory(Root, Name("none"), User));
    }

    [Fact]
    public async Task ReadDirectory_InPages_ShowsEachEntryOnce()
    {
        InodeNumber d = await MakeDirectory("d");
        string[] expected = [.. Enumerable.Range(0, 57).Select(i => $"f{i:D3}")];
        foreach (string name in expected)
        {
            await MakeFile(name, [], d);
        }

        Assert.Equal(expected, await List(d));
        Assert.Equal(expected, await List(d, page: 7));
        Assert.Equal(expected, await List(d, page: 1));
    }

    [Fact]
    public async Task ReadDirectory_WhileEntriesGo_NeverSkipsThoseThatStay()
    {
        InodeNumber d = await MakeDirectory("d");
        for (int i = 0; i < 100; i++)
        {
            await MakeFile($"f{i:D3}", [], d);
        }

        int seen = 0;
        for (ulong cookie = 0; ;)
        {
            IReadOnlyList<DirectoryEntry> page = await Ok(Volume.ReadDirectory(d, cookie, 9));
            foreach (DirectoryEntry entry in page)
            {
                await Ok(Volume.Unlink(d, entry.Name, User));
                seen++;
                cookie = entry.Cookie;
            }

            if (page.Count < 9)
            {
                break;
            }
        }

        Assert.Equal(100, seen);
        Assert.Empty(await List(d));
    }

    [Fact]
    public async Task Link_SharesTheObject()
    {
        InodeNumber f = await MakeFile("f", [1, 2]);
        InodeNumber d = await MakeDirectory("d");
        ObjectAttributes linked = await Ok(Volume.Link(f, d, Name("g"), User));
        Assert.Equal((f, 2U), (linked.Inode, linked.LinkCount));
        OpenHandle handle = await Open(f);
        await WriteAll(handle, 2, [3]);
        await Close(handle);
        Assert.Equal([1, 2, 3], await ReadAll(await Find("g", d)));
        await Ok(Volume.Unlink(Root, Name("f"), User));
        Assert.Equal(1U, (await Ok(Volume.GetAttributes(f))).LinkCount);
        Assert.Equal([1, 2, 3], await ReadAll(f));
        await Fails(VolumeError.NotPermitted, Volume.Link(d, Root, Name("h"), User));
        await Fails(VolumeError.AlreadyExists, Volume.Link(f, d, Name("g"), User));
    }

    [Fact]
    public async Task SymbolicLink_KeepsItsTarget()
    {
        byte[] target = [(byte)'.', (byte)'/', 0xFF, (byte)'\n'];
        ObjectAttributes link = await Ok(Volume.MakeSymbolicLink(Root, Name("l"), target, User));
        Assert.Equal((ObjectKind.SymbolicLink, 4L, 1U), (link.Kind, link.SizeBytes, link.LinkCount));
        Assert.Equal(target, (await Ok(Volume.ReadSymbolicLink(link.Inode))).ToArray());
        await Fails(VolumeError.InvalidArgument, Volume.ReadSymbolicLink(Root));
        await Fails(VolumeError.AlreadyExists, Volume.MakeSymbolicLink(Root, Name("l"), target, User));
        await Ok(Volume.Unlink(Root, Name("l"), User));
    }

    [Theory]
    [InlineData(ObjectKind.Fifo, 0U)]
    [InlineData(ObjectKind.Socket, 0U)]
    [InlineData(ObjectKind.CharacterDevice, 0x103U)]
    [InlineData(ObjectKind.BlockDevice, 0x801U)]
    [InlineData(ObjectKind.File, 0U)]
    public async Task MakeNode_KeepsKindAndDevice(ObjectKind kind, uint device)
    {
        await Ok(Volume.MakeNode(Root, Name("n"), kind, 0b110_000_000, device, User));
        ObjectAttributes found = await Ok(Volume.Lookup(Root, Name("n")));
        Assert.Equal((kind, device, 0b110_000_000U), (found.Kind, found.Device, found.Mode));
        await Ok(Volume.Unlink(Root, Name("n"), User));
    }

    [Fact]
    public async Task Rename_MovesAndReplacesInOneStep()
    {
        InodeNumber a = await MakeFile("a", [1]);
        await MakeFile("b", [2]);
        InodeNumber d = await MakeDirectory("d");
        await Ok(Volume.Rename(Root, Name("a"), Root, Name("b"), RenameMode.Replace, User));
        Assert.Equal(a, await Find("b"));
        await Fails(VolumeError.NotFound, Volume.Lookup(Root, Name("a")));
        await Ok(Volume.Rename(Root, Name("b"), d, Name("c"), RenameMode.Replace, User));
        Assert.Equal([1], await ReadAll(await Find("c", d)));
        Assert.Equal(["d"], await List(Root));
        await Fails(VolumeError.NotFound, Volume.Rename(Root, Name("b"), d, Name("c"), RenameMode.Replace, User));
    }

    [Fact]
    public async Task Rename_NoReplaceAndExchange()
    {
        InodeNumber a = await MakeFile("a", [1]);
        InodeNumber d = await MakeDirectory("d");
        InodeNumber b = await MakeFile("b", [2], d);
        await Fails(
            VolumeError.AlreadyExists, Volume.Rename(Root, Name("a"), d, Name("b"), RenameMode.NoReplace, User));
        await Ok(Volume.Rename(Root, Name("a"), Root, Name("a2"), RenameMode.NoReplace, User));
        await Ok(Volume.Rename(Root, Name("a2"), d, Name("b"), RenameMode.Exchange, User));
        Assert.Equal(b, await Find("a2"));
        Assert.Equal(a, await Find("b", d));
        await Fails(VolumeError.NotFound, Volume.Rename(Root, Name("a2"), d, Name("x"), RenameMode.Exchange, User));
        InodeNumber e = await MakeDirectory("e");
        await Ok(Volume.Rename(Root, Name("e"), d, Name("b"), RenameMode.Exchange, User));
        Assert.Equal(e, await Find("b", d));
        Assert.Equal((3U, 3U), (await LinkCount(d), await LinkCount(Root)));
    }

    [Fact]
    public async Task Rename_OfDirectories_KeepsTheTreeATree()
    {
        InodeNumber a = await MakeDirectory("a");
        InodeNumber b = await MakeDirectory("b", a);
        InodeNumber c = await MakeDirectory("c");
        await MakeFile("f", [], c);
        await Fails(VolumeError.WouldLoop, Volume.Rename(Root, Name("a"), b, Name("x"), RenameMode.Replace, User));
        await Fails(VolumeError.WouldLoop, Volume.Rename(Root, Name("a"), a, Name("x"), RenameMode.Replace, User));
        await Fails(VolumeError.NotEmpty, Volume.Rename(a, Name("b"), Root, Name("c"), RenameMode.Replace, User));
        await Fails(VolumeError.NotADirectory, Volume.Rename(a, Name("b"), c, Name("f"), RenameMode.Replace, User));
        await Fails(VolumeError.IsADirectory, Volume.Rename(c, Name("f"), Root, Name("a"), RenameMode.Replace, User));
        await Ok(Volume.Unlink(c, Name("f"), User));
        await Ok(Volume.Rename(a, Name("b"), Root, Name("c"), RenameMode.Replace, User));
        Assert.Equal(b, await Find("c"));
        Assert.Equal((2U, 4U), (await LinkCount(a), await LinkCount(Root)));
    }

    [Fact]
    public async Task Rename_BetweenTwoNamesOfOneObject_DoesNothing()
    {
        InodeNumber f = await MakeFile("f", [1]);
        await Ok(Volume.Link(f, Root, Name("g"), User));
        await Ok(Volume.Rename(Root, Name("f"), Root, Name("g"), RenameMode.Replace, User));
        Assert.Equal(["f", "g"], await List(Root));
    }

    [Fact]
    public async Task SetGroupIdDirectory_HandsDownItsGroup()
    {
        InodeNumber d = await MakeDirectory("d");
        await Ok(Volume.SetAttributes(d, new AttributeChange { Mode = 0x5ED, GroupId = 77 }, null, User));
        InodeNumber f = await MakeFile("f", [], d);
        InodeNumber e = await MakeDirectory("e", d);
        Assert.Equal(77U, (await Ok(Volume.GetAttributes(f))).GroupId);
        ObjectAttributes below = await Ok(Volume.GetAttributes(e));
        Assert.Equal((77U, 0x5EDU), (below.GroupId, below.Mode));
    }

    private async Task<uint> LinkCount(InodeNumber inode) => (await Ok(Volume.GetAttributes(inode))).LinkCount;
}
