using System.Text;
using Cairn.Core.Primitives;
using Cairn.Node.Tests.Engine;
using Cairn.Node.Volumes;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Volumes;

namespace Cairn.Node.Tests.Volumes;

/// <summary>Files that are replaced in one step.</summary>
public sealed class WholeFilesTests
{
    private readonly MemoryVolume _volume = new("memory", seed: 1, TimeProvider.System);
    private readonly WholeFiles _files = new(new NodeId(new byte[NodeId.Size]));

    [Fact]
    public async Task A_new_file_gets_the_mode_that_was_asked_for()
    {
        Assert.True((await Put("tool", "one", newMode: 0x1ED)).IsOk);
        Assert.True((await Put("plain", "one", newMode: null)).IsOk);
        Assert.Equal(0x1EDu, (await Find("tool")).Mode);
        Assert.Equal(0x1A4u, (await Find("plain")).Mode);
    }

    [Fact]
    public async Task A_file_that_was_there_keeps_its_mode_and_its_owner()
    {
        Assert.True((await Put("secret", "one", newMode: null)).IsOk);
        AttributeChange mine = new() { Mode = 0x180, UserId = 1000, GroupId = 100 };
        Assert.True((await _volume.SetAttributes((await Find("secret")).Inode, mine, null, Caller.Daemon)).IsOk);
        Assert.True((await Put("secret", "three", newMode: 0x1ED)).IsOk);
        ObjectAttributes now = await Find("secret");
        Assert.Equal((0x180u, 1000u, 100u, 5L), (now.Mode, now.UserId, now.GroupId, now.SizeBytes));
    }

    [Fact]
    public async Task What_fails_leaves_the_old_file_and_nothing_beside_it()
    {
        Assert.True((await Put("file", "old", newMode: null)).IsOk);
        Result<Unit, VolumeError> failed = await _files.Put(
            _volume, "file", null, _ => ValueTask.FromResult<Result<Unit, VolumeError>>(VolumeError.Interrupted));
        Assert.Equal(VolumeError.Interrupted, failed.Error);
        Assert.Equal(["file"], await Names());
        Assert.Equal(3, (await Find("file")).SizeBytes);
    }

    [Fact]
    public async Task What_a_daemon_left_that_died_goes_at_the_next_attempt()
    {
        // A daemon that dies in the middle: its attempt never ends, and the next daemon knows nothing of it.
        TaskCompletionSource<Result<Unit, VolumeError>> never = new();
        Task<Result<Unit, VolumeError>> dead =
            new WholeFiles(new NodeId(new byte[NodeId.Size])).Put(_volume, "file", null, _ => new(never.Task)).AsTask();
        Assert.True(WholeFiles.IsUnfinished(Assert.Single(await Names())));
        Assert.True((await Put("file", "whole", newMode: null)).IsOk);
        Assert.Equal(["file"], await Names());
        Assert.False(dead.IsCompleted);
    }

    [Fact]
    public async Task What_a_daemon_left_that_died_goes_at_the_next_start()
    {
        SimulatedDisk disk = new();
        EngineNode node = new EngineNode(disk).Open();
        WholeFiles files = new(node.Log.OwnLogId.Author);
        Result<OpenedFile, VolumeError> other = await node.Engine.Create(
            InodeNumber.Root, ".cairn-put-of-mine"u8.ToArray(), 0x1A4, OpenIntent.Write, Caller.Daemon);
        Assert.True((await node.Engine.Write(other.Value.Handle, 0, "my own"u8.ToArray())).IsOk);
        ObjectAttributes folder = (await node.Engine.MakeDirectory(
            InodeNumber.Root, "in"u8.ToArray(), 0x1ED, Caller.Daemon)).Value;
        TaskCompletionSource<Result<Unit, VolumeError>> never = new();
        Task<Result<Unit, VolumeError>> dead = files.Put(node.Engine, "in/file", null, async handle =>
        {
            Assert.True((await node.Engine.Write(handle, 0, "half"u8.ToArray())).IsOk);
            return await never.Task;
        }).AsTask();
        Assert.Equal(1, await Count(node, folder.Inode));

        disk.Crash(CrashKind.ProcessKilled, 1);
        node.Open();
        InodeNumber again = (await node.Engine.Lookup(InodeNumber.Root, "in"u8.ToArray())).Value.Inode;
        CancellationToken deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;
        while (await Count(node, again) > 0)
        {
            await Task.Delay(10, deadline);
        }

        Assert.True((await node.Engine.Lookup(InodeNumber.Root, ".cairn-put-of-mine"u8.ToArray())).IsOk);
        Assert.False(dead.IsCompleted);
        await node.Close();
    }

    [Fact]
    public async Task Two_that_replace_one_file_at_once_do_not_disturb_each_other()
    {
        TaskCompletionSource<Result<Unit, VolumeError>> first = new();
        Task<Result<Unit, VolumeError>> slow = _files.Put(_volume, "file", null, _ => new(first.Task)).AsTask();
        Assert.True((await Put("file", "quick", newMode: null)).IsOk);
        first.SetResult(Unit.Value);
        Assert.True((await slow).IsOk);
        Assert.Equal(["file"], await Names());
        Assert.Equal(0, (await Find("file")).SizeBytes);
    }

    [Fact]
    public async Task Feed_and_trash_tell_of_the_file_and_not_of_what_was_beside_it()
    {
        EngineNode node = new EngineNode(new SimulatedDisk()).Open();
        string from = node.Engine.Feed.Now;
        List<string> during = [];
        foreach (string text in (string[])["one", "three"])
        {
            Result<Unit, VolumeError> put = await _files.Put(node.Engine, "file", null, async handle =>
            {
                Result<int, VolumeError> written = await node.Engine.Write(handle, 0, Encoding.UTF8.GetBytes(text));
                await node.Engine.PublishAll(TestContext.Current.CancellationToken);
                during.AddRange(Changes(node, from).Select(change => change.Path));
                return written.IsOk ? Unit.Value : written.Error;
            });
            Assert.True(put.IsOk, put.ToString());
        }

        Result<Unit, VolumeError> failed = await _files.Put(
            node.Engine, "file", null, _ => ValueTask.FromResult<Result<Unit, VolumeError>>(VolumeError.Interrupted));
        Assert.Equal(VolumeError.Interrupted, failed.Error);
        Assert.Empty(node.Engine.History.Trash());
        IReadOnlyList<VolumeChange> all = Changes(node, from);
        await node.Close();
        Assert.All(during.Concat(all.Select(change => change.Path)), path => Assert.Equal("file", path));
        Assert.All(all, change => Assert.Null(change.FromPath));
        Assert.Equal(ChangeKind.Written, all[^1].Kind);
        Assert.Contains(all, change => change.Kind == ChangeKind.Created);
    }

    private static async Task<int> Count(EngineNode node, InodeNumber folder) =>
        (await node.Engine.ReadDirectory(folder, 0, 10)).Value.Count;

    private static IReadOnlyList<VolumeChange> Changes(EngineNode node, string from)
    {
        Assert.True(node.Log.Seal().IsOk);
        return node.Engine.Feed.After(from).Value.Changes;
    }

    private ValueTask<Result<Unit, VolumeError>> Put(string name, string text, uint? newMode) =>
        _files.Put(_volume, name, newMode, async handle =>
        {
            Result<int, VolumeError> written = await _volume.Write(handle, 0, Encoding.UTF8.GetBytes(text));
            return written.IsOk ? Unit.Value : written.Error;
        });

    private async Task<ObjectAttributes> Find(string name) => (await _volume.Resolve(name)).Value;

    private async Task<IEnumerable<string>> Names() =>
        (await _volume.ReadDirectory(InodeNumber.Root, 0, 100)).Value
            .Select(entry => Encoding.UTF8.GetString(entry.Name.Span));
}
