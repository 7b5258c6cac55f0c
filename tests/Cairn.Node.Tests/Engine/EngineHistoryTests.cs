using System.Text;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Node.Volumes;
using Cairn.Simulation.Disks;

namespace Cairn.Node.Tests.Engine;

/// <summary>The past of a volume through the waist.</summary>
public sealed class EngineHistoryTests : IAsyncLifetime
{
    private readonly EngineNode _node = new(new SimulatedDisk()) { Keep = Retention.Forever };

    private Cairn.Node.Engine.VolumeEngine Volume => _node.Engine;

    private IVolumeHistory History => Volume.History;

    public ValueTask InitializeAsync()
    {
        _node.Open();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync() => await _node.Close();

    private async Task<InodeNumber> Save(string name, string text)
    {
        OpenedFile opened = (await Volume.Create(
            InodeNumber.Root, Bytes(name), 0x1A4, OpenIntent.Write | OpenIntent.Truncate, Caller.Daemon)).Value;
        Assert.True((await Volume.Write(opened.Handle, 0, Bytes(text))).IsOk);
        Assert.True((await Volume.Release(opened.Handle)).IsOk);
        Assert.True(await _node.Engine.PublishAll(TestContext.Current.CancellationToken));
        return opened.Attributes.Inode;
    }

    private async Task<string> Read(Result<OpenedFile, VolumeError> opened)
    {
        byte[] buffer = new byte[opened.Value.Attributes.SizeBytes];
        Assert.Equal(buffer.Length, (await Volume.Read(opened.Value.Handle, 0, buffer)).Value);
        Assert.True((await Volume.Release(opened.Value.Handle)).IsOk);
        return Encoding.UTF8.GetString(buffer);
    }

    private async Task<string> Read(string name) => await Read(await Volume.Open(
        (await Volume.Lookup(InodeNumber.Root, Bytes(name))).Value.Inode, OpenIntent.Read, Caller.Daemon));

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Long(char letter) => new(letter, 5_000);

    [Fact]
    public async Task A_past_version_is_read_beside_the_present_one()
    {
        InodeNumber inode = await Save("doc", Long('a'));
        await Save("doc", Long('b'));
        IReadOnlyList<FileVersion> versions = History.Versions(inode).Value;
        Assert.Equal([true, false], versions.Select(version => version.IsShown));
        Assert.Equal(Long('a'), await Read(History.OpenVersion(inode, versions[1].Version)));
        Assert.Equal(Long('b'), await Read("doc"));
        OpenHandle past = History.OpenVersion(inode, versions[1].Version).Value.Handle;
        Assert.Equal(VolumeError.BadHandle, (await Volume.Write(past, 0, Bytes("x"))).Error);
        Assert.True((await Volume.Release(past)).IsOk);
        Assert.Equal(VolumeError.NotFound, History.OpenVersion(inode, default).Error);
        Assert.Equal(VolumeError.IsADirectory, History.Versions(InodeNumber.Root).Error);
        Assert.Equal(VolumeError.NotFound, History.Versions(new InodeNumber(12345)).Error);
    }

    [Fact]
    public async Task A_version_is_restored_and_doors_are_told()
    {
        InodeNumber inode = await Save("doc", Long('a'));
        await Save("doc", Long('b'));
        Told told = new();
        using IDisposable _ = Volume.Watch(told);
        Assert.True(History.Restore(inode, History.Versions(inode).Value[1].Version).IsOk);
        Assert.Contains((inode, true), told.Objects);
        Assert.Equal(Long('a'), await Read("doc"));
        Assert.Equal(3, History.Versions(inode).Value.Count);
        Assert.Equal(VolumeError.NotFound, History.Restore(inode, default).Error);
    }

    [Fact]
    public async Task A_removed_file_is_in_the_trash_with_its_versions_and_comes_back()
    {
        InodeNumber inode = await Save("doc", Long('a'));
        await Save("doc", Long('b'));
        Assert.True((await Volume.Unlink(InodeNumber.Root, Bytes("doc"), Caller.Daemon)).IsOk);
        TrashEntry gone = Assert.Single(History.Trash());
        Assert.Equal(("doc", 5_000, inode), (gone.Path, gone.SizeBytes, gone.Inode));
        IReadOnlyList<FileVersion> versions = History.Versions(inode).Value;
        Assert.Equal(Long('a'), await Read(History.OpenVersion(inode, versions[1].Version)));
        await Save("doc", "another");
        Assert.Equal(VolumeError.AlreadyExists, History.Undelete(inode, default).Error);
        Assert.True(History.Undelete(inode, Bytes("doc.old")).IsOk);
        Assert.Equal((Long('b'), "another"), (await Read("doc.old"), await Read("doc")));
        Assert.Empty(History.Trash());
        Assert.Equal(VolumeError.NotFound, History.Undelete(inode, default).Error);
    }

    [Fact]
    public async Task The_folder_of_a_removed_file_comes_back_with_it()
    {
        InodeNumber folder =
            (await Volume.MakeDirectory(InodeNumber.Root, Bytes("d"), 0x1ED, Caller.Daemon)).Value.Inode;
        OpenedFile opened = (await Volume.Create(folder, Bytes("f"), 0x1A4, OpenIntent.Write, Caller.Daemon)).Value;
        Assert.True((await Volume.Release(opened.Handle)).IsOk);
        Assert.True((await Volume.Unlink(folder, Bytes("f"), Caller.Daemon)).IsOk);
        Assert.True((await Volume.RemoveDirectory(InodeNumber.Root, Bytes("d"), Caller.Daemon)).IsOk);
        Assert.Equal(["d", "d/f"], History.Trash().Select(gone => gone.Path).Order());
        Told told = new();
        using IDisposable _ = Volume.Watch(told);
        Assert.True(History.Undelete(opened.Attributes.Inode, default).IsOk);
        Assert.Equal(["f", "d"], told.Entries.Select(entry => entry.Name));
        Assert.True((await Volume.Lookup(folder, Bytes("f"))).IsOk);
    }

    [Fact]
    public async Task A_removed_folder_comes_back_with_what_was_in_it()
    {
        InodeNumber folder =
            (await Volume.MakeDirectory(InodeNumber.Root, Bytes("d"), 0x1ED, Caller.Daemon)).Value.Inode;
        InodeNumber inner = (await Volume.MakeDirectory(folder, Bytes("e"), 0x1ED, Caller.Daemon)).Value.Inode;
        for (int number = 0; number < 100; number++)
        {
            OpenedFile opened =
                (await Volume.Create(inner, Bytes($"{number}"), 0x1A4, OpenIntent.Write, Caller.Daemon)).Value;
            Assert.True((await Volume.Release(opened.Handle)).IsOk);
        }

        Assert.True((await Volume.Remove(InodeNumber.Root, Bytes("d"), recursive: true, Caller.Daemon)).IsOk);
        Assert.Equal(102, History.Trash().Count);
        Assert.True(History.Undelete(folder, Bytes("back")).IsOk);
        Assert.Empty(History.Trash());
        Assert.Equal(100, (await Volume.ReadDirectory(inner, 0, 1000)).Value.Count);
        Assert.True((await Volume.Resolve("back/e/99")).IsOk);
    }

    [Fact]
    public async Task A_version_of_a_removed_file_is_restored()
    {
        InodeNumber inode = await Save("doc", Long('a'));
        await Save("doc", Long('b'));
        Assert.True((await Volume.Unlink(InodeNumber.Root, Bytes("doc"), Caller.Daemon)).IsOk);
        Assert.Equal(VolumeError.NotFound, History.Restore(inode, default).Error);
        Assert.Single(History.Trash());
        Assert.True(History.Restore(inode, History.Versions(inode).Value[1].Version).IsOk);
        Assert.Equal(Long('a'), await Read("doc"));
        Assert.Empty(History.Trash());
    }

    [Fact]
    public async Task The_past_stays_until_the_trash_is_emptied()
    {
        InodeNumber inode = await Save("doc", Long('a'));
        await Save("doc", Long('b'));
        await Save("gone", Long('c'));
        Assert.True((await Volume.Unlink(InodeNumber.Root, Bytes("gone"), Caller.Daemon)).IsOk);
        await Collect();
        Assert.Single(History.Trash());
        Assert.True(History.EmptyTrash().IsOk);
        await Collect();
        Assert.Empty(History.Trash());
        IReadOnlyList<FileVersion> versions = History.Versions(inode).Value;
        Assert.Equal(Long('a'), await Read(History.OpenVersion(inode, versions[1].Version)));
    }

    [Fact]
    public async Task What_the_trash_was_emptied_of_is_not_listed()
    {
        await Save("gone", Long('c'));
        await Save("later", Long('d'));
        Assert.True((await Volume.Unlink(InodeNumber.Root, Bytes("gone"), Caller.Daemon)).IsOk);
        Assert.True(History.EmptyTrash().IsOk);
        Assert.True((await Volume.Unlink(InodeNumber.Root, Bytes("later"), Caller.Daemon)).IsOk);
        Assert.Equal("later", Assert.Single(History.Trash()).Path);
    }

    [Fact]
    public async Task A_folder_says_how_long_its_past_stays()
    {
        InodeNumber folder =
            (await Volume.MakeDirectory(InodeNumber.Root, Bytes("scratch"), 0x1ED, Caller.Daemon)).Value.Inode;
        IVolumeRules rules = Volume.Rules;
        Assert.Null(rules.Get(folder).Value.Own.Keep);
        Assert.Equal(Retention.Forever, rules.Get(folder).Value.Effective.Keep);
        Assert.True(rules.Set(folder, new Rule { Keep = Retention.None }).IsOk);
        Assert.Equal(Retention.None, rules.Get(folder).Value.Effective.Keep);
        OpenedFile opened = (await Volume.Create(folder, Bytes("f"), 0x1A4, OpenIntent.Write, Caller.Daemon)).Value;
        Assert.True((await Volume.Release(opened.Handle)).IsOk);
        Assert.True((await Volume.Unlink(folder, Bytes("f"), Caller.Daemon)).IsOk);
        await Save("doc", Long('a'));
        Assert.True((await Volume.Unlink(InodeNumber.Root, Bytes("doc"), Caller.Daemon)).IsOk);
        await Collect();
        Assert.Equal("doc", Assert.Single(History.Trash()).Path);
        Assert.True(rules.Set(folder, Rule.Empty).IsOk);
        Assert.Equal(Rule.Empty, rules.Get(folder).Value.Own);
        Assert.Equal(VolumeError.InvalidArgument, rules.Set(folder, new Rule { Copies = 0 }).Error);
        Assert.Equal(VolumeError.NotFound, rules.Set(new InodeNumber(7), Rule.Empty).Error);
    }

    /// <summary>Between finding garbage and condemning it, somebody may bring it back.</summary>
    [Fact]
    public async Task What_comes_back_while_garbage_is_looked_for_stays()
    {
        InodeNumber inode = await Save("doc", Long('a'));
        Assert.True((await Volume.Unlink(InodeNumber.Root, Bytes("doc"), Caller.Daemon)).IsOk);
        Assert.True(History.EmptyTrash().IsOk);
        Assert.True(History.Undelete(inode, default).IsOk);
        await Collect();
        Assert.Equal(Long('a'), await Read("doc"));
    }

    private async Task Collect()
    {
        while (await Volume.Garbage.Round(TestContext.Current.CancellationToken))
        {
        }
    }

    [Fact]
    public void Without_a_conflict_there_is_nothing_to_resolve()
    {
        Assert.Empty(History.Conflicts());
        Assert.Equal(VolumeError.NotFound, History.Resolve(InodeNumber.Root, Bytes("none"), null).Error);
        Assert.Equal(VolumeError.NotFound, History.Resolve(new InodeNumber(99), Bytes("none"), null).Error);
    }
}
