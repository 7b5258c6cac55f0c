using System.Text;
using Cairn.Core.Primitives;
using Cairn.Node.Tests.Peers;
using Cairn.Node.Volumes;
using Cairn.Simulation.Disks;
using Cairn.Storage;
using Cairn.Storage.Packs;

namespace Cairn.Node.Tests.LocalFiles;

/// <summary>What a `.cairnignore` keeps on a node: two nodes, one volume, virtual time.</summary>
public sealed class LocalFilesVolumeTests
{
    private static readonly Caller User = new(1000, 1001, 7);
    private readonly PoolBench _bench = PoolBench.WithDrives(2, 31);

    private BenchNode One => _bench.Nodes[0];

    private BenchNode Two => _bench.Nodes[1];

    [Fact]
    public void Ignored_files_are_here_and_nowhere_else()
    {
        Ignore("*.tmp\nbuild/\n");
        InodeNumber folder = Do(One, drive => drive.MakeDirectory(InodeNumber.Root, Name("build"), 0x1ED, User)).Inode;
        byte[] large = _bench.Bytes(1_500_000);
        Write(One, "a.tmp", large);
        Write(One, "out.o", "object"u8.ToArray(), folder);
        Write(One, "shared.txt", "for all"u8.ToArray());
        _bench.Until(() => Read(Two, "shared.txt") is not null, "the shared file arrives");
        _bench.Scheduler.RunFor(TimeSpan.FromMinutes(1));
        Assert.Equal([".cairnignore", "shared.txt"], Names(Two));
        Assert.Equal([".cairnignore", "a.tmp", "build", "shared.txt"], Names(One));
        Assert.Equal(large, Read(One, "a.tmp"));
        Assert.Equal("object"u8.ToArray(), Read(One, "out.o", folder));
        Assert.InRange(Two.Stores!.Chunks.Space.Replicated, 0, 100_000);
        Assert.InRange(One.Stores!.Chunks.Space.Replicated, large.Length, large.Length + 200_000);
        Assert.Equal(0, One.Status().Owed.SendChunks);
    }

    [Theory]
    [InlineData(CrashKind.ProcessKilled)]
    [InlineData(CrashKind.PowerLost)]
    public void They_survive_the_end_of_the_daemon(CrashKind kind)
    {
        Ignore("*.tmp\n");
        byte[] content = _bench.Bytes(300_000);
        Write(One, "a.tmp", content);
        OpenHandle handle = Do(One, drive => drive.Create(
            InodeNumber.Root, Name("draft.tmp"), 0x1A4, OpenIntent.Write, User)).Handle;
        Do(One, drive => drive.Write(handle, 0, "unpublished"u8.ToArray()));
        Do(One, drive => drive.Sync(handle, false));
        InodeNumber before = Find(One, "a.tmp")!.Value.Inode;
        One.Kill(kind);
        One.Start();
        _bench.Until(() => One.FindDrive() is not null, "the drive is back");
        Assert.Equal(content, Read(One, "a.tmp"));
        Assert.Equal("unpublished"u8.ToArray(), Read(One, "draft.tmp"));
        Assert.Equal(before, Find(One, "a.tmp")!.Value.Inode);
    }

    [Fact]
    public void A_save_by_rename_publishes_the_file_and_keeps_its_history()
    {
        Write(One, "doc.txt", "first"u8.ToArray());
        Ignore("*.tmp\n");
        _bench.Until(() => Text(Two, "doc.txt") == "first", "the first text arrives");
        Write(One, "doc.tmp", "second"u8.ToArray());
        Do(One, drive => drive.SetExtendedAttribute(
            Find(One, "doc.tmp")!.Value.Inode, Name("user.k"), Name("v"), AttributeWriteMode.Any, User));
        InodeNumber before = Find(One, "doc.tmp")!.Value.Inode;
        Rename(One, "doc.tmp", "doc.txt");

        // The kernel moves its entry with the number it knows, and asks by that.
        Assert.Equal(Find(One, "doc.txt"), Do(One, drive => drive.GetAttributes(before)));
        OpenHandle handle = Do(One, drive => drive.Open(before, OpenIntent.Read, User)).Handle;
        byte[] read = new byte[6];
        Assert.Equal(6, Do(One, drive => drive.Read(handle, 0, read)));
        Assert.Equal("second"u8.ToArray(), read);
        Do(One, drive => drive.Release(handle));
        _bench.Until(() => Text(Two, "doc.txt") == "second", "the second text arrives");
        Assert.Equal([".cairnignore", "doc.txt"], Names(One));
        Assert.Equal([".cairnignore", "doc.txt"], Names(Two));
        ObjectAttributes saved = Find(Two, "doc.txt")!.Value;
        Assert.Equal(1000u, saved.UserId);
        Assert.Equal("v", Encoding.UTF8.GetString(
            Do(Two, drive => drive.GetExtendedAttribute(saved.Inode, Name("user.k"))).Span));
    }

    [Fact]
    public void A_shared_file_renamed_to_an_ignored_name_is_gone_for_the_others()
    {
        Write(One, "doc.txt", "text"u8.ToArray());
        Ignore("*~\n");
        _bench.Until(() => Text(Two, "doc.txt") == "text", "it arrives");
        InodeNumber before = Find(One, "doc.txt")!.Value.Inode;
        Rename(One, "doc.txt", "doc.txt~");
        Assert.Equal(Find(One, "doc.txt~"), Do(One, drive => drive.GetAttributes(before)));
        _bench.Until(() => Names(Two).SequenceEqual([".cairnignore"]), "it is gone there");
        Assert.Equal("text", Text(One, "doc.txt~"));
        Rename(One, "doc.txt~", "again~");
        Assert.Equal([".cairnignore", "again~"], Names(One));
        Assert.Equal([".cairnignore"], Names(Two));
    }

    [Fact]
    public void What_is_shared_stays_shared_when_a_pattern_comes_later()
    {
        Write(One, "old.tmp", "1"u8.ToArray());
        Ignore("*.tmp\n");
        Write(One, "old.tmp", "22"u8.ToArray());
        Write(One, "new.tmp", "3"u8.ToArray());
        _bench.Until(() => Text(Two, "old.tmp") == "22", "the shared one is still shared");
        Assert.Equal([".cairnignore", "old.tmp"], Names(Two));

        // Without the pattern the local one stays local until it is renamed.
        Ignore("# nothing\n");
        Write(One, "new.tmp", "33"u8.ToArray());
        Rename(One, "new.tmp", "newer.tmp");
        _bench.Until(() => Text(Two, "newer.tmp") == "33", "renamed, it is shared");
    }

    [Fact]
    public void Patterns_of_a_folder_and_those_above_it_decide_together()
    {
        Ignore("*.log\n");
        InodeNumber folder = Do(One, drive => drive.MakeDirectory(InodeNumber.Root, Name("f"), 0x1ED, User)).Inode;
        Write(One, ".cairnignore", "!keep.log\n/here\n"u8.ToArray(), folder);
        Write(One, "keep.log", "k"u8.ToArray(), folder);
        Write(One, "x.log", "x"u8.ToArray(), folder);
        Write(One, "here", "h"u8.ToArray(), folder);
        _bench.Until(
            () => Find(Two, "f") is not null && Names(Two, "f").Contains("keep.log"), "what is shared arrives");
        _bench.Scheduler.RunFor(TimeSpan.FromSeconds(5));
        Assert.Equal([".cairnignore", "keep.log"], Names(Two, "f"));
        Assert.Equal([".cairnignore", "here", "keep.log", "x.log"], Names(One, "f"));
    }

    /// <summary>What is written beside the name first would be published before it gets there.</summary>
    [Fact]
    public void A_file_that_is_put_whole_under_an_ignored_name_never_leaves()
    {
        Ignore("*.tmp\n");
        _bench.Until(() => Text(Two, ".cairnignore") == "*.tmp\n", "the patterns arrive");
        _bench.Scheduler.RunFor(TimeSpan.FromSeconds(5));
        string before = One.Drive.Feed!.Now;
        WholeFiles files = new(One.Id);
        byte[] content = _bench.Bytes(300_000);
        foreach (byte[] one in (byte[][])["first"u8.ToArray(), content])
        {
            Do(One, drive => files.Put(drive, "secret.tmp", null, async handle =>
                (await drive.Write(handle, 0, one)).TryGet(out _, out VolumeError error) ? Unit.Value : error));
            _bench.Scheduler.RunFor(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(before, One.Drive.Feed!.Now);
        Assert.Equal(content, Read(One, "secret.tmp"));
        Assert.Equal([".cairnignore", "secret.tmp"], Names(One));
    }

    [Fact]
    public void Patterns_that_could_not_be_read_are_read_when_they_can_be()
    {
        // Longer than what lies in the logs: it is a chunk, and that may be elsewhere.
        string patterns = "*.tmp\n" + new string('#', 2_000);
        Ignore(patterns);
        _bench.Until(() => Text(Two, ".cairnignore") == patterns, "the patterns arrive");
        _bench.Until(() => One.Status().IsSafe, "both have them");
        Two.Kill(CrashKind.ProcessKilled);
        foreach (StoredRecord record in One.Stores!.Chunks.Enumerate(ChunkUse.Replicated))
        {
            One.Stores.Chunks.Quarantine(record.Key, new StoreError(StoreErrorKind.Corrupt, "a pack", "lost"));
        }

        One.Kill(CrashKind.ProcessKilled);
        One.Start();
        _bench.Until(() => One.FindDrive() is not null, "the drive is back");
        Write(One, "unknown.txt", "1"u8.ToArray());
        Two.Start();
        _bench.Until(() => One.Connected == 1 && Two.FindDrive() is not null, "they meet");
        _bench.Until(() => CanRead(One, ".cairnignore"), "the patterns can be read");
        Write(One, "here.tmp", "2"u8.ToArray());
        _bench.Until(() => Text(Two, "unknown.txt") == "1", "what is shared arrives");
        Assert.Equal([".cairnignore", "unknown.txt"], Names(Two));
        Assert.Equal([".cairnignore", "here.tmp", "unknown.txt"], Names(One));
    }

    [Fact]
    public void A_local_file_that_a_shared_one_replaces_does_not_come_back()
    {
        Ignore("*.tmp\n");
        Write(One, "doc.tmp", "old"u8.ToArray());
        Ignore("# nothing\n");
        Write(One, "new", "new"u8.ToArray());
        Result<Unit, VolumeError> kept = Try(One, drive => drive.Rename(
            InodeNumber.Root, Name("new"), InodeNumber.Root, Name("doc.tmp"), RenameMode.NoReplace, User));
        Assert.Equal(VolumeError.AlreadyExists, kept.Error);
        Rename(One, "new", "doc.tmp");
        Assert.Equal("new", Text(One, "doc.tmp"));
        Do(One, drive => drive.Unlink(InodeNumber.Root, Name("doc.tmp"), User));
        Assert.Equal([".cairnignore"], Names(One));
    }

    [Fact]
    public void A_folder_with_local_files_is_not_empty_and_keeps_them_when_it_moves()
    {
        Ignore("*.tmp\n");
        InodeNumber folder = Do(One, drive => drive.MakeDirectory(InodeNumber.Root, Name("f"), 0x1ED, User)).Inode;
        Write(One, "a.tmp", "a"u8.ToArray(), folder);
        Rename(One, "f", "g");
        Assert.Equal(["a.tmp"], Names(One, "g"));
        Assert.Equal(
            VolumeError.NotEmpty, Try(One, drive => drive.RemoveDirectory(InodeNumber.Root, Name("g"), User)).Error);
        Do(One, drive => drive.Unlink(folder, Name("a.tmp"), User));
        Do(One, drive => drive.RemoveDirectory(InodeNumber.Root, Name("g"), User));
        Assert.Equal([".cairnignore"], Names(One));
    }

    [Fact]
    public void Folders_do_not_cross_and_say_so()
    {
        Ignore("*.tmp\n");
        Do(One, drive => drive.MakeDirectory(InodeNumber.Root, Name("f"), 0x1ED, User));
        Result<Unit, VolumeError> moved = Try(One, drive => drive.Rename(
            InodeNumber.Root, Name("f"), InodeNumber.Root, Name("f.tmp"), RenameMode.Replace, User));
        Assert.Equal(VolumeError.CrossesVolumes, moved.Error);
        Write(One, "a", "a"u8.ToArray());
        Assert.Equal(
            VolumeError.CrossesVolumes,
            Try(One, drive => drive.Link(Find(One, "a")!.Value.Inode, InodeNumber.Root, Name("b.tmp"), User)).Error);
    }

    [Fact]
    public void A_file_with_two_names_does_not_cross_so_that_its_other_name_stays_what_it_is()
    {
        Ignore("*.tmp\n");
        Write(One, "a", "a"u8.ToArray());
        InodeNumber file = Find(One, "a")!.Value.Inode;
        Do(One, drive => drive.Link(file, InodeNumber.Root, Name("b"), User));
        Result<Unit, VolumeError> moved = Try(One, drive => drive.Rename(
            InodeNumber.Root, Name("a"), InodeNumber.Root, Name("a.tmp"), RenameMode.Replace, User));
        Assert.Equal(VolumeError.CrossesVolumes, moved.Error);
        Do(One, drive => drive.Unlink(InodeNumber.Root, Name("a"), User));
        Rename(One, "b", "b.tmp");
        Assert.Equal([".cairnignore", "b.tmp"], Names(One));
        Assert.Equal("a", Text(One, "b.tmp"));
    }

    [Fact]
    public void Local_names_behind_many_hidden_ones_are_listed()
    {
        Ignore("*.tmp\n");
        string[] hidden = [.. Enumerable.Range(0, 9).Select(number => $"{number}.tmp")];
        foreach (string name in (string[])[.. hidden, "last.tmp"])
        {
            Write(One, name, "mine"u8.ToArray());
        }

        Ignore("# nothing\n");
        _bench.Until(() => Text(Two, ".cairnignore") == "# nothing\n", "the patterns are gone there, too");
        foreach (string name in hidden)
        {
            Write(Two, name, "theirs"u8.ToArray());
        }

        _bench.Until(() => hidden.All(name => Text(One, name) == "theirs"), "they arrive and hide");
        Assert.Equal([".cairnignore", .. hidden, "last.tmp"], Names(One));
        Assert.Equal("mine", Text(One, "last.tmp"));
    }

    [Fact]
    public void Doors_hear_of_local_names_by_the_numbers_they_know()
    {
        Ignore("*.tmp\n");
        InodeNumber folder = Do(One, drive => drive.MakeDirectory(InodeNumber.Root, Name("f"), 0x1ED, User)).Inode;
        var told = new Told();
        using IDisposable watch = _bench.Do(One, () => Task.FromResult(One.Drive.Watch(told)));
        Write(One, "a.tmp", "a"u8.ToArray(), folder);
        Write(One, "b.tmp", "b"u8.ToArray(), folder);
        Assert.Contains((folder, "b.tmp"), told.Entries);
        Assert.Equal(4, Names(One).Count + Names(One, "f").Count);
    }

    private static ReadOnlyMemory<byte> Name(string text) => Encoding.UTF8.GetBytes(text);

    private void Ignore(string patterns) => Write(One, ".cairnignore", Encoding.UTF8.GetBytes(patterns));

    private Result<T, VolumeError> Try<T>(BenchNode node, Func<IVolume, ValueTask<Result<T, VolumeError>>> work) =>
        _bench.Do(node, async () => await work(node.Drive));

    private T Do<T>(BenchNode node, Func<IVolume, ValueTask<Result<T, VolumeError>>> work)
    {
        Result<T, VolumeError> result = Try(node, work);
        Assert.True(result.IsOk, result.ToString());
        return result.Value;
    }

    private void Rename(BenchNode node, string from, string to) => Do(node, drive => drive.Rename(
        InodeNumber.Root, Name(from), InodeNumber.Root, Name(to), RenameMode.Replace, User));

    private void Write(BenchNode node, string name, byte[] content, InodeNumber? folder = null)
    {
        const OpenIntent intent = OpenIntent.Write | OpenIntent.Truncate;
        OpenedFile file = Do(node, drive => drive.Create(
            folder ?? InodeNumber.Root, Name(name), 0x1A4, intent & ~OpenIntent.Truncate, User));
        Do(node, drive => drive.SetAttributes(
            file.Attributes.Inode, new AttributeChange { SizeBytes = 0 }, file.Handle, User));
        Assert.Equal(content.Length, Do(node, drive => drive.Write(file.Handle, 0, content)));
        Do(node, drive => drive.Flush(file.Handle, 0));
        Do(node, drive => drive.Release(file.Handle));
    }

    private ObjectAttributes? Find(BenchNode node, string name, InodeNumber? folder = null) =>
        Try(node, drive => drive.Lookup(folder ?? InodeNumber.Root, Name(name))) is { IsOk: true } found
            ? found.Value
            : null;

    private byte[]? Read(BenchNode node, string name, InodeNumber? folder = null)
    {
        if (Find(node, name, folder) is not { } file)
        {
            return null;
        }

        // Another version may take the name between looking it up and opening it.
        Result<OpenedFile, VolumeError> opened = Try(node, drive => drive.Open(file.Inode, OpenIntent.Read, User));
        if (!opened.IsOk)
        {
            return null;
        }

        OpenHandle handle = opened.Value.Handle;
        byte[] content = new byte[file.SizeBytes];
        Assert.Equal(content.Length, Do(node, drive => drive.Read(handle, 0, content)));
        Do(node, drive => drive.Release(handle));
        return content;
    }

    private bool CanRead(BenchNode node, string name)
    {
        OpenHandle handle = Do(node, drive => drive.Open(Find(node, name)!.Value.Inode, OpenIntent.Read, User)).Handle;
        bool isRead = Try(node, drive => drive.Read(handle, 0, new byte[10])).IsOk;
        Do(node, drive => drive.Release(handle));
        return isRead;
    }

    private string? Text(BenchNode node, string name) =>
        Read(node, name) is { } content ? Encoding.UTF8.GetString(content) : null;

    private List<string> Names(BenchNode node, string? folder = null)
    {
        InodeNumber directory = folder is null ? InodeNumber.Root : Find(node, folder)!.Value.Inode;
        List<string> names = [];
        ulong cookie = 0;
        while (true)
        {
            IReadOnlyList<DirectoryEntry> step = Do(node, drive => drive.ReadDirectory(directory, cookie, 2));
            if (step.Count == 0)
            {
                names.Sort(StringComparer.Ordinal);
                return names;
            }

            names.AddRange(step.Select(entry => Encoding.UTF8.GetString(entry.Name.Span)));
            cookie = step[^1].Cookie;
        }
    }
}
