using System.Text;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Node.Logs;
using Cairn.Node.Snapshots;
using Cairn.Node.Volumes;

namespace Cairn.Node.Tests.Peers;

/// <summary>Several nodes with real volumes, on virtual time: what the engine and the pool do for each other.</summary>
public sealed class DrivePoolTests
{
    private static readonly Caller User = new(1, 2, 3);

    [Fact]
    public void Undo_data_is_forgotten_once_every_member_has_the_history()
    {
        PoolBench bench = PoolBench.WithDrives(3, 5);
        for (int i = 0; i < 20; i++)
        {
            Write(bench, bench.Nodes[i % 3], $"f{i}", "text");
        }

        bench.Until(() => bench.Nodes.TrueForAll(node => Names(bench, node).Count == 20), "all files everywhere");
        bench.Until(
            () => bench.Nodes.TrueForAll(node => Log(node).Fold.TailCount == 0),
            "no undo data left",
            TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void A_member_that_is_away_keeps_the_undo_data()
    {
        PoolBench bench = PoolBench.WithDrives(3, 6);
        bench.Until(() => Log(bench.Nodes[0]).Fold.TailCount == 0, "nothing to undo");
        bench.Nodes[2].Kill();
        Write(bench, bench.Nodes[0], "late", "text");
        bench.Scheduler.RunUntil(() => false, TimeSpan.FromMinutes(2));
        Assert.NotEqual(0, Log(bench.Nodes[0]).Fold.TailCount);
        bench.Nodes[2].Start();
        bench.Until(() => bench.Nodes.TrueForAll(node => Log(node).Fold.TailCount == 0), "the history is everywhere");
    }

    [Fact]
    public void A_pool_of_one_keeps_no_undo_data_until_the_next_is_invited()
    {
        PoolBench bench = PoolBench.WithDrives(1, 7);
        BenchNode first = bench.Nodes[0];
        Write(bench, first, "alone", "text");
        Assert.True(Log(first).Alone);
        Assert.Equal(0, Log(first).Fold.TailCount);
        BenchNode second = bench.NewNode();
        bench.Join(second, first);
        Assert.False(Log(first).Alone);
        bench.Until(
            () => second.FindDrive() is not null && Names(bench, second).Contains("alone"), "the file arrives");
        Write(bench, second, "from second", "text");
        bench.Until(() => Names(bench, first).Contains("from second"), "the founder has the newcomer's file");
    }

    [Fact]
    public void A_conflict_is_named_after_its_author()
    {
        PoolBench bench = PoolBench.WithDrives(2, 8);
        (BenchNode one, BenchNode two) = (bench.Nodes[0], bench.Nodes[1]);
        Write(bench, one, "note.txt", "base");
        bench.Until(() => Read(bench, two, "note.txt") == "base", "the base arrives");
        OpenHandle mine = Open(bench, one, "note.txt");
        OpenHandle theirs = Open(bench, two, "note.txt");
        Put(bench, one, mine, "of one");
        Put(bench, two, theirs, "of two");
        bench.Until(
            () => bench.Nodes.TrueForAll(node => Names(bench, node).Count == 2), "both nodes show both versions");
        string shown = Names(bench, one).Single(name => name != "note.txt");
        Assert.Matches("^note [(]conflict node[01] ", shown);
        Assert.Equal(Names(bench, one), Names(bench, two));
    }

    [Fact]
    public void A_new_file_is_seen_with_its_content_or_not_at_all()
    {
        PoolBench bench = PoolBench.WithDrives(2, 9);
        (BenchNode one, BenchNode two) = (bench.Nodes[0], bench.Nodes[1]);
        for (int i = 0; i < 20; i++)
        {
            string name = $"f{i}";
            Write(bench, one, name, "content");
            bench.Until(() => SizeOf(two, name) is { } size && AssertWhole(size), $"{name} arrives");
        }
    }

    [Fact]
    public void A_new_file_whose_name_came_first_is_opened_with_its_content()
    {
        PoolBench bench = PoolBench.WithDrives(2, 13);
        (BenchNode one, BenchNode two) = (bench.Nodes[0], bench.Nodes[1]);
        OpenHandle theirs = Make(bench, one, "new");
        Assert.True(bench.Do(one, async () => (await one.Drive.Write(theirs, 0, "content"u8.ToArray())).IsOk));
        bench.Until(() => SizeOf(two, "new") == 0, "its name comes while it is being written");
        string? read = null;
        _ = two.Process.Run(async () => read = await ReadNow(two, "new"));
        bench.Scheduler.RunFor(TimeSpan.FromMilliseconds(500));
        Assert.Null(read);
        Assert.True(bench.Do(one, async () => (await one.Drive.Release(theirs)).IsOk));
        bench.Until(() => read is not null, "the content comes");
        Assert.Equal("content", read);
    }

    [Fact]
    public void A_new_file_without_content_is_opened_when_none_comes()
    {
        PoolBench bench = PoolBench.WithDrives(2, 14);
        (BenchNode one, BenchNode two) = (bench.Nodes[0], bench.Nodes[1]);
        OpenHandle theirs = Make(bench, one, "new");
        Assert.True(bench.Do(one, async () => (await one.Drive.Release(theirs)).IsOk));
        bench.Until(() => SizeOf(two, "new") == 0, "its name comes");
        Assert.Empty(Read(bench, two, "new"));
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(3));
        ValueTask<Result<OpenedFile, VolumeError>> opened =
            two.Drive.Open(Find(two, "new")!.Value.Inode, OpenIntent.Read, User);
        Assert.True(opened.IsCompleted, "nobody waits any more");
    }

    [Fact]
    public void A_version_that_becomes_a_conflict_is_told_to_the_doors_of_its_writer()
    {
        PoolBench bench = PoolBench.WithDrives(2, 10);
        (BenchNode one, BenchNode two) = (bench.Nodes[0], bench.Nodes[1]);
        Write(bench, one, "note", "base");
        bench.Until(() => Read(bench, two, "note") == "base", "the base arrives");
        foreach ((BenchNode first, BenchNode second) in new[] { (one, two), (two, one) })
        {
            bench.Until(() => Names(bench, one).SequenceEqual(Names(bench, two)), "both show the same");
            OpenHandle theirs = Open(bench, first, "note");
            OpenHandle mine = Open(bench, second, "note");
            VersionId? before = Head(first);
            Put(bench, first, theirs, $"by {first.Options.Name}, at first");
            int shown = Names(bench, second).Count;
            bench.Until(
                () => Head(second) == Head(first) && Head(first) != before, "the other's version arrives");
            var told = new Told();
            using IDisposable watch = bench.Do(second, () => Task.FromResult(second.Drive.Watch(told)));
            Put(bench, second, mine, $"by {second.Options.Name}, after it");
            bench.Until(() => Names(bench, second).Count > shown, "the conflict is shown");
            ObjectAttributes note = Find(second, "note")!.Value;
            Assert.Contains((note.Inode, true), told.Objects);
            Assert.Contains(told.Entries, entry => entry.Name == "note");
        }
    }

    [Fact]
    public void A_version_that_came_while_a_writer_only_looked_is_told_when_it_closes()
    {
        PoolBench bench = PoolBench.WithDrives(2, 12);
        (BenchNode one, BenchNode two) = (bench.Nodes[0], bench.Nodes[1]);
        Write(bench, one, "note", "base");
        bench.Until(() => Read(bench, two, "note") == "base", "the base arrives");
        OpenHandle looks = Open(bench, two, "note");
        OpenHandle theirs = Open(bench, one, "note");
        VersionId? before = Head(two);
        Put(bench, one, theirs, "a longer text");
        bench.Until(() => Head(two) != before, "the other's version arrives");
        Assert.Equal("base".Length, SizeOf(two, "note"));
        var told = new Told();
        using IDisposable watch = bench.Do(two, () => Task.FromResult(two.Drive.Watch(told)));
        bench.Do(two, () => two.Drive.Release(looks).AsTask());
        Assert.Equal([(Find(two, "note")!.Value.Inode, true)], told.Objects);
        Assert.Equal("a longer text", Read(bench, two, "note"));
    }

    [Fact]
    public void Doors_are_told_how_long_a_file_was_that_grew()
    {
        PoolBench bench = PoolBench.WithDrives(2, 15);
        (BenchNode one, BenchNode two) = (bench.Nodes[0], bench.Nodes[1]);
        var told = new Told();
        using IDisposable watch = bench.Do(two, () => Task.FromResult(two.Drive.Watch(told)));
        Write(bench, one, "note", "base");
        bench.Until(() => Read(bench, two, "note") == "base", "the base arrives");
        Assert.Empty(told.Grown);
        InodeNumber note = Find(two, "note")!.Value.Inode;
        Put(bench, one, Open(bench, one, "note"), "a longer text");
        bench.Until(() => SizeOf(two, "note") == "a longer text".Length, "it grows");
        Assert.Equal([(note, "base".Length)], told.Grown);

        VersionId? before = Head(two);
        AttributeChange cut = new() { SizeBytes = 2 };
        Assert.True(bench.Do(one, async () =>
            (await one.Drive.SetAttributes(Find(one, "note")!.Value.Inode, cut, null, User)).IsOk));
        bench.Until(() => Head(two) != before, "it is cut");
        Put(bench, one, Open(bench, one, "note"), "text");
        bench.Until(() => SizeOf(two, "note") == "text".Length, "it grows again");
        Assert.Equal([(note, "base".Length), (note, 2)], told.Grown);
    }

    private static VersionId? Head(BenchNode node)
    {
        ReplicatedLog log = Log(node);
        lock (log.Gate)
        {
            TreeQueries tree = new(log.Fold.Table);
            return tree.Get(tree.Lookup(TreeQueries.Root, "note"u8.ToArray())!.Value.Object)!.Head?.Version;
        }
    }

    private static ObjectAttributes? Find(BenchNode node, string name) =>
        node.Drive.Lookup(InodeNumber.Root, Encoding.UTF8.GetBytes(name)).AsTask().GetAwaiter().GetResult()
            .TryGet(out ObjectAttributes found, out _)
            ? found
            : null;

    private static long? SizeOf(BenchNode node, string name) => Find(node, name)?.SizeBytes;

    private static bool AssertWhole(long size)
    {
        Assert.Equal("content".Length, size);
        return true;
    }

    private static ReplicatedLog Log(BenchNode node) => ((SnapshotsVolume)node.Drive).Engine.Log;

    private static List<string> Names(PoolBench bench, BenchNode node) => bench.Do(node, async () =>
    {
        IReadOnlyList<DirectoryEntry> entries = (await node.Drive.ReadDirectory(InodeNumber.Root, 0, 1000)).Value;
        return entries.Select(entry => Encoding.UTF8.GetString(entry.Name.Span)).Order(StringComparer.Ordinal).ToList();
    });

    private static void Write(PoolBench bench, BenchNode node, string name, string text)
    {
        const OpenIntent intent = OpenIntent.Write | OpenIntent.Truncate;
        ReadOnlyMemory<byte> bytes = Encoding.UTF8.GetBytes(name);
        OpenHandle handle = bench.Do(
            node, async () => (await node.Drive.Create(InodeNumber.Root, bytes, 0x1A4, intent, User)).Value.Handle);
        Put(bench, node, handle, text);
    }

    private static OpenHandle Make(PoolBench bench, BenchNode node, string name) => bench.Do(node, async () =>
        (await node.Drive.Create(
            InodeNumber.Root, Encoding.UTF8.GetBytes(name), 0x1A4, OpenIntent.Write, User)).Value.Handle);

    private static OpenHandle Open(PoolBench bench, BenchNode node, string name) => bench.Do(node, async () =>
    {
        ObjectAttributes file = (await node.Drive.Lookup(InodeNumber.Root, Encoding.UTF8.GetBytes(name))).Value;
        return (await node.Drive.Open(file.Inode, OpenIntent.Write, User)).Value.Handle;
    });

    private static void Put(PoolBench bench, BenchNode node, OpenHandle handle, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Assert.True(bench.Do(node, async () => (await node.Drive.Write(handle, 0, bytes)).IsOk));
        Assert.True(bench.Do(node, async () => (await node.Drive.Flush(handle, 0)).IsOk));
        Assert.True(bench.Do(node, async () => (await node.Drive.Release(handle)).IsOk));
    }

    private static string Read(PoolBench bench, BenchNode node, string name) =>
        bench.Do(node, () => ReadNow(node, name));

    private static async Task<string> ReadNow(BenchNode node, string name)
    {
        Result<ObjectAttributes, VolumeError> found =
            await node.Drive.Lookup(InodeNumber.Root, Encoding.UTF8.GetBytes(name));
        if (!found.IsOk)
        {
            return string.Empty;
        }

        OpenedFile file = (await node.Drive.Open(found.Value.Inode, OpenIntent.Read, User)).Value;
        byte[] bytes = new byte[file.Attributes.SizeBytes];
        Assert.True((await node.Drive.Read(file.Handle, 0, bytes)).IsOk);
        await node.Drive.Release(file.Handle);
        return Encoding.UTF8.GetString(bytes);
    }
}
