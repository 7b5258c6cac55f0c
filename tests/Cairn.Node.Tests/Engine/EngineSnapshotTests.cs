using System.Text;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Core.Tree.Records;
using Cairn.Node.Engine.Past;
using Cairn.Node.Garbage;
using Cairn.Node.Snapshots;
using Cairn.Node.Volumes;
using Cairn.Node.WritePath;
using Cairn.Simulation.Disks;
using Cairn.Storage.Packs;

namespace Cairn.Node.Tests.Engine;

/// <summary>
/// Snapshots and moments through the waist: read under <c>.snapshots</c>, gone back to, and never collected.
/// </summary>
public sealed class EngineSnapshotTests : IAsyncLifetime
{
    private readonly EngineNode _node = new(new SimulatedDisk())
    {
        Keep = Retention.None,
        Publishing = new PublishOptions { Idle = TimeSpan.FromHours(1), Latest = TimeSpan.FromHours(1) },
    };
    private IVolume _volume = null!;

    private IVolumeSnapshots Snapshots => _volume.Snapshots!;

    public ValueTask InitializeAsync()
    {
        Open();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync() => await _node.Close();

    [Fact]
    public async Task A_snapshot_is_read_under_its_name_while_the_present_goes_on()
    {
        await _volume.MakeDirectories("d", parents: true, Caller.Daemon);
        await Write("d/f", Content(1));
        await Write("d/gone", Content(2));
        Assert.True((await Take("", "before")).IsOk);
        await Write("d/f", Content(3));
        await Remove("d/gone");
        await Write("d/new", Content(4));
        Assert.Equal(Content(1), await Read(".snapshots/before/d/f"));
        Assert.Equal(Content(2), await Read(".snapshots/before/d/gone"));
        Assert.Equal(Content(3), await Read("d/f"));
        Assert.Equal(["f", "gone"], await Names(".snapshots/before/d"));
        Assert.Equal(["before"], await Names(".snapshots"));
        Assert.DoesNotContain(".snapshots", await Names(""));
        Assert.Equal(VolumeError.NotFound, (await _volume.Resolve(".snapshots/other")).Error);
    }

    [Fact]
    public async Task Nothing_can_be_changed_in_the_past()
    {
        await Write("f", Content(1));
        await Take("", "s");
        InodeNumber folder = (await _volume.Resolve(".snapshots/s")).Value.Inode;
        InodeNumber file = (await _volume.Resolve(".snapshots/s/f")).Value.Inode;
        byte[] name = Bytes("x");
        Assert.Equal(VolumeError.ReadOnly, (await _volume.Open(file, OpenIntent.Write, Caller.Daemon)).Error);
        Assert.Equal(
            VolumeError.ReadOnly,
            (await _volume.Create(folder, name, 0x1A4, OpenIntent.Write, Caller.Daemon)).Error);
        Assert.Equal(VolumeError.ReadOnly, (await _volume.MakeDirectory(folder, name, 0x1ED, Caller.Daemon)).Error);
        Assert.Equal(VolumeError.ReadOnly, (await _volume.Unlink(folder, Bytes("f"), Caller.Daemon)).Error);
        Assert.Equal(
            VolumeError.ReadOnly,
            (await _volume.SetAttributes(file, new AttributeChange { Mode = 0 }, null, Caller.Daemon)).Error);
        Assert.Equal(
            VolumeError.ReadOnly,
            (await _volume.Rename(
                folder, Bytes("f"), InodeNumber.Root, name, RenameMode.Replace, Caller.Daemon)).Error);
        Assert.Equal(
            VolumeError.AlreadyExists,
            (await _volume.MakeDirectory(InodeNumber.Root, Bytes(".snapshots"), 0x1ED, Caller.Daemon)).Error);
        Assert.Equal(0u, (await _volume.GetAttributes(file)).Value.Mode & 0x92);
    }

    /// <summary>
    /// With a retention of nothing, only the snapshot keeps the old content; with the snapshot it goes.
    /// </summary>
    [Fact]
    public async Task Collection_leaves_what_a_snapshot_shows_and_takes_it_when_the_snapshot_is_removed()
    {
        await Write("overwritten", Content(1));
        await Write("removed", Content(2));
        await Write("stays", Content(3));
        await Take("", "one");
        await Write("overwritten", Content(4));
        await Remove("removed");
        await Take("", "two");
        await Remove("overwritten");
        await Collect();
        Assert.Equal(Content(1), await Read(".snapshots/one/overwritten"));
        Assert.Equal(Content(2), await Read(".snapshots/one/removed"));
        Assert.Equal(Content(4), await Read(".snapshots/two/overwritten"));

        Assert.True(Snapshots.Remove("one").IsOk);
        await Collect();
        Assert.Equal(Content(4), await Read(".snapshots/two/overwritten"));
        Assert.InRange(Used(), 2L * Size, (2L * Size) + 10_000);

        Assert.True(Snapshots.Remove("two").IsOk);
        await Collect();
        Assert.InRange(Used(), Size, Size + 10_000);
        Assert.Equal(Content(3), await Read("stays"));
        Assert.Empty(KeptRecord.Between(_node.Log.Fold.Table, [], []));
    }

    /// <summary>Small files share a chunk; saved again, some as they were and some otherwise, they share another.</summary>
    [Fact]
    public async Task A_snapshot_stays_the_same_while_its_small_files_are_bundled_again_and_packs_are_compacted()
    {
        const int files = 12;
        byte[][] first = [.. Enumerable.Range(0, files).Select(static i => Content((ulong)i)[..3000])];
        await WriteTogether(first);
        Assert.Equal(1, _node.Store.Count);
        await Take("", "s");
        for (int round = 0; round < 3; round++)
        {
            // A third is saved again as it is, a third otherwise; the rest is removed first, once.
            for (int i = 2; i < files && round == 1; i += 3)
            {
                await Remove($"f{i}");
            }

            ulong seed = 100 * ((ulong)round + 1);
            await WriteTogether([.. first.Select((was, i) => i % 3 == 0 ? was : Content(seed + (ulong)i)[..3000])]);
            await Collect();
            _node.Store.Maintain();
            for (int i = 0; i < files; i++)
            {
                Assert.Equal(first[i], await Read($".snapshots/s/f{i}"));
            }
        }

        await _node.Close();
        Open();
        for (int i = 0; i < files; i++)
        {
            Assert.Equal(first[i], await Read($".snapshots/s/f{i}"));
        }
    }

    [Fact]
    public async Task Snapshots_and_numbers_outlive_a_restart()
    {
        await Write("f", Content(1));
        await Take("", "s");
        await Write("f", Content(2));
        InodeNumber number = (await _volume.Resolve(".snapshots/s/f")).Value.Inode;
        await _node.Close();
        Open();
        OpenedFile opened = (await _volume.Open(number, OpenIntent.Read, Caller.Daemon)).Value;
        Assert.Equal(Content(1), await Read(opened));
        Assert.Equal(Content(1), await Read(".snapshots/s/f"));
    }

    [Fact]
    public async Task Going_back_brings_all_of_a_folder_back_and_can_itself_be_undone()
    {
        await _volume.MakeDirectories("a/b", parents: true, Caller.Daemon);
        await Write("a/b/f", Content(1));
        await Write("a/g", Content(2));
        await Take("a", "good");
        await Write("a/b/f", Content(3));
        await Remove("a/g");
        await Write("a/ransom", Content(4));
        Assert.Equal(
            ["a/b/f Modified", "a/g Removed", "a/ransom Added"],
            (await Snapshots.Compare(new PastState("good"), "a", default)).Value
                .Select(one => $"{one.Path} {one.Change}"));

        RestoreOutcome outcome = (await Snapshots.Restore(new PastState("good"), "", default)).Value;
        Assert.Equal(3, outcome.Changed);
        Assert.Empty(outcome.Lost);
        Assert.Equal(Content(1), await Read("a/b/f"));
        Assert.Equal(["b", "g"], await Names("a"));
        Assert.Empty((await Snapshots.Compare(new PastState("good"), "a", default)).Value);

        await Snapshots.Restore(new PastState(outcome.Undo), "", default);
        Assert.Equal(Content(3), await Read("a/b/f"));
        Assert.Equal(["b", "ransom"], await Names("a"));
    }

    /// <summary>What is compared is what going back would change.</summary>
    [Fact]
    public async Task A_snapshot_of_a_folder_is_compared_with_that_folder()
    {
        await _volume.MakeDirectories("a", parents: true, Caller.Daemon);
        await Write("a/f", Content(1));
        await Write("beside", Content(2));
        await Take("a", "good");
        await Write("a/f", Content(3));
        await Remove("beside");
        PastDifference only = Assert.Single((await Snapshots.Compare(new PastState("good"), "", default)).Value);
        Assert.Equal("a/f", only.Path);
    }

    [Fact]
    public async Task Going_back_to_what_is_so_already_leaves_nothing_behind()
    {
        await Write("f", Content(1));
        await Take("", "good");
        RestoreOutcome outcome = (await Snapshots.Restore(new PastState("good"), "", default)).Value;
        Assert.Equal((0, string.Empty), (outcome.Changed, outcome.Undo));
        Assert.Equal(["good"], Snapshots.List().Select(snapshot => snapshot.Name));
    }

    /// <summary>Where a log begins later there is no whole history to replay: that is said, and snapshots are as before.</summary>
    [Fact]
    public async Task Where_history_was_dropped_moments_and_old_positions_say_so_and_snapshots_stay()
    {
        await Write("f", Content(1));
        await _node.Engine.PublishAll(default);
        await Take("", "s");
        DateTimeOffset then = TimeProvider.System.GetUtcNow();
        string moment = then.ToString("'@'yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", null);
        for (int i = 0; i < 3; i++)
        {
            await Write("f", Content((byte)(i + 2)));
            await _node.Engine.PublishAll(default);
            Assert.True(_node.Log.Seal().IsOk);
        }

        string now = _node.Engine.Feed.Now;
        Assert.NotEmpty(_node.Engine.Feed.After("").Value.Changes);
        _node.Log.Compaction.WorthBytes = 0;
        Assert.True(_node.Log.Compaction.Drop(_node.Log.Positions, depth: 1000).IsOk);
        Assert.NotEqual(LogBeginnings.None, _node.Log.Compaction.Beginnings);
        Assert.Equal(VolumeError.BeforeBeginning, (await _volume.Resolve(".snapshots/" + moment)).Error);
        Assert.Equal(
            VolumeError.BeforeBeginning,
            (await Snapshots.Restore(new PastState(moment), "", default)).Error);
        Assert.Equal(VolumeError.BeforeBeginning, _node.Engine.Feed.After("").Error);
        Assert.True(_node.Engine.Feed.After(now).Value.Changes.Count == 0);
        Assert.Equal(Content(1), await Read(".snapshots/s/f"));
        await Write("g", Content(9));
        Assert.True(_node.Log.Seal().IsOk);
        Assert.NotEmpty(_node.Engine.Feed.After(now).Value.Changes);
    }

    /// <summary>What the retention let go of is told, not made up; the rest of the moment comes back.</summary>
    [Fact]
    public async Task A_moment_is_read_and_gone_back_to_as_far_as_its_data_is_kept()
    {
        await Write("kept", Content(1));
        await Write("moved", Content(2));
        await _node.Engine.PublishAll(default);
        DateTimeOffset then = TimeProvider.System.GetUtcNow();
        await Rename("moved", "elsewhere");
        await Remove("kept");
        string moment = then.ToString("'@'yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", null);
        Assert.Equal(["kept", "moved"], await Names(".snapshots/" + moment));
        Assert.Equal(Content(2), await Read($".snapshots/{moment}/moved"));
        Assert.Equal(VolumeError.NotFound, (await _volume.Resolve(".snapshots/@2200-01-01")).Error);

        Assert.Empty((await Snapshots.Restore(new PastState(moment), "", default)).Value.Lost);
        Assert.Equal(["kept", "moved"], await Names(""));
        await Remove("kept");
        await Collect();
        Assert.Equal(["kept"], (await Snapshots.Restore(new PastState(moment), "", default)).Value.Lost);
        Assert.Equal(["moved"], await Names(""));
    }

    /// <summary>The first writer acts a minute into a period, and removes what is too old of what it made.</summary>
    [Fact]
    public async Task A_schedule_makes_and_removes_snapshots()
    {
        Assert.Equal("off", Snapshots.Schedule.ToString());
        Assert.True(Snapshots.SetSchedule(SnapshotSchedule.Parse("hourly 2")!).IsOk);
        await Write("f", Content(1));
        await Take("", "mine");
        await Take("", "hourly-20261120T0900Z");
        ScheduledSnapshots scheduled = _node.Engine.Scheduled;
        DateTimeOffset now = new(2026, 11, 20, 10, 5, 0, TimeSpan.Zero);
        for (ulong hour = 0; hour < 3; hour++, now = now.AddHours(1))
        {
            await Write("f", Content(hour));
            Assert.False(await scheduled.Look(now, default));
            Assert.True(await scheduled.Look(now.AddMinutes(1), default));
            Assert.Equal(hour > 0, await scheduled.Look(now.AddMinutes(2), default));
            Assert.False(await scheduled.Look(now.AddMinutes(3), default));
        }

        Assert.Equal(
            ["mine", "hourly-20261120T1100Z", "hourly-20261120T1200Z"], Snapshots.List().Select(one => one.Name));
        Assert.Equal(Content(1), await Read(".snapshots/hourly-20261120T1100Z/f"));
    }

    /// <summary>Who comes later in the list waits longer, signs the name, and leaves to others what they made.</summary>
    [Fact]
    public async Task A_node_that_is_away_is_stood_in_for()
    {
        NodeId self = _node.Log.OwnLogId.Author;
        Snapshots.SetSchedule(SnapshotSchedule.Parse("hourly 1")!);
        DateTimeOffset now = new(2026, 11, 20, 10, 5, 0, TimeSpan.Zero);
        _node.Engine.Garbage.Members = new Writers(default, self);
        ScheduledSnapshots second = _node.Engine.Scheduled;
        Assert.False(await second.Look(now, default));
        Assert.False(await second.Look(now.AddSeconds(119), default));
        Assert.True(await second.Look(now.AddSeconds(120), default));
        Assert.Equal([$"hourly-20261120T1000Z-{self.Short}"], Snapshots.List().Select(one => one.Name));

        _node.Engine.Garbage.Members = new Writers(default(NodeId));
        Assert.False(await second.Look(now.AddHours(1), default));
        Assert.False(await second.Look(now.AddHours(2), default));
    }

    private sealed class Writers(params NodeId[] writers) : IGarbageMembers
    {
        IReadOnlyList<NodeId> IGarbageMembers.Writers => writers;

        public LogPositions Stable(LogPositions held) => held;
    }

    /// <summary>A kernel remembers that a name was not there: it is told when it is.</summary>
    [Fact]
    public async Task Doors_hear_of_snapshots_that_come_and_go()
    {
        var heard = new Told();
        using IDisposable watching = _volume.Watch(heard);
        InodeNumber folder = (await _volume.Resolve(".snapshots")).Value.Inode;
        await Take("", "s");
        Snapshots.Remove("s");
        Assert.Equal([(folder, "s"), (folder, "s")], heard.Entries);
    }

    [Fact]
    public async Task Names_are_checked()
    {
        Assert.True((await Take("", "s")).IsOk);
        Assert.Equal(VolumeError.AlreadyExists, (await Take("", "s")).Error);
        Assert.Equal(VolumeError.InvalidName, (await Take("", "@now")).Error);
        Assert.Equal(VolumeError.InvalidName, (await Take("", "a/b")).Error);
        Assert.Equal(VolumeError.InvalidName, (await Take("", " ")).Error);
        Assert.Equal(VolumeError.InvalidName, (await Take("", "-x")).Error);
        Assert.Equal(VolumeError.NotFound, Snapshots.Remove("other").Error);
        Assert.Equal(["s"], Snapshots.List().Select(snapshot => snapshot.Name));
    }

    private const int Size = 1_000_000;

    private void Open()
    {
        _node.Open();
        _volume = new SnapshotsVolume(_node.Engine, _node.Engine);
    }

    private async Task<Result<VolumeSnapshot, VolumeError>> Take(string folder, string name) =>
        await Snapshots.Create((await _volume.Resolve(folder)).Value.Inode, Bytes(name), default);

    private async Task Write(string path, byte[] content)
    {
        (InodeNumber parent, ReadOnlyMemory<byte> name) = (await _volume.ResolveParent(path)).Value;
        OpenedFile opened = (await _volume.Create(
            parent, name, 0x1A4, OpenIntent.Write | OpenIntent.Truncate, Caller.Daemon)).Value;
        Assert.True((await _volume.Write(opened.Handle, 0, content)).IsOk);
        Assert.True((await _volume.Release(opened.Handle)).IsOk);
        Assert.True(await _node.Engine.PublishAll(default));
    }

    /// <summary>Files that are published in one round, and so are put into one bundle.</summary>
    /// <summary>They are closed when all are published: one that is closed alone may be published alone.</summary>
    private async Task WriteTogether(byte[][] contents)
    {
        List<OpenHandle> open = [];
        foreach ((int i, byte[] content) in contents.Index())
        {
            OpenedFile opened = (await _volume.Create(
                InodeNumber.Root, Bytes($"f{i}"), 0x1A4, OpenIntent.Write | OpenIntent.Truncate, Caller.Daemon)).Value;
            Assert.True((await _volume.Write(opened.Handle, 0, content)).IsOk);
            open.Add(opened.Handle);
        }

        Assert.True(await _node.Engine.PublishAll(default));
        foreach (OpenHandle handle in open)
        {
            Assert.True((await _volume.Release(handle)).IsOk);
        }
    }

    private async Task Remove(string path)
    {
        (InodeNumber parent, ReadOnlyMemory<byte> name) = (await _volume.ResolveParent(path)).Value;
        Assert.True((await _volume.Unlink(parent, name, Caller.Daemon)).IsOk);
    }

    private async Task Rename(string from, string to)
    {
        (InodeNumber fromParent, ReadOnlyMemory<byte> fromName) = (await _volume.ResolveParent(from)).Value;
        (InodeNumber toParent, ReadOnlyMemory<byte> toName) = (await _volume.ResolveParent(to)).Value;
        Assert.True((await _volume.Rename(
            fromParent, fromName, toParent, toName, RenameMode.Replace, Caller.Daemon)).IsOk);
    }

    private async Task<byte[]> Read(string path) => await Read((await _volume.Open(
        (await _volume.Resolve(path)).Value.Inode, OpenIntent.Read, Caller.Daemon)).Value);

    private async Task<byte[]> Read(OpenedFile opened)
    {
        byte[] buffer = new byte[opened.Attributes.SizeBytes];
        Assert.Equal(buffer.Length, (await _volume.Read(opened.Handle, 0, buffer)).Value);
        Assert.True((await _volume.Release(opened.Handle)).IsOk);
        return buffer;
    }

    private async Task<string[]> Names(string path) =>
        [.. (await _volume.ReadDirectory((await _volume.Resolve(path)).Value.Inode, 0, 100)).Value
            .Select(entry => Encoding.UTF8.GetString(entry.Name.Span)).Order(StringComparer.Ordinal)];

    private async Task Collect()
    {
        while (await _node.Engine.Garbage.Round(TestContext.Current.CancellationToken))
        {
        }
    }

    private long Used()
    {
        StoreSpace space = _node.Store.Space;
        return space.Staged + space.Replicated;
    }

    private static byte[] Content(ulong seed)
    {
        byte[] content = new byte[Size];
        new Prng(seed).Fill(content);
        return content;
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
