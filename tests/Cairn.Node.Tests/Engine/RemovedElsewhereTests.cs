using System.Collections.Immutable;
using System.Text;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Node.Garbage;
using Cairn.Node.Tests.Logs;
using Cairn.Node.Volumes;

namespace Cairn.Node.Tests.Engine;

/// <summary>Another member removes a file whose last writes it has not seen: they are in no version yet.</summary>
public sealed class RemovedElsewhereTests : IAsyncDisposable
{
    private readonly EngineAndPeer _pair = new();
    private readonly EngineNode _node;
    private readonly LogNode _peer;

    public RemovedElsewhereTests() => (_node, _peer) = (_pair.Node, _pair.Peer);

    public async ValueTask DisposeAsync() => await _node.Close();

    /// <summary>Found by `cairn simulate --faults bitrot,collect --keep-nothing --seed 501`: a synced write was dropped.</summary>
    [Fact]
    public async Task What_was_written_before_the_removal_arrived_brings_the_file_back()
    {
        OpenedFile open = await Create();
        await Write(open, "kept");
        RemoveAtPeer();
        Assert.Equal(VolumeError.NotFound, (await _node.Engine.Lookup(InodeNumber.Root, EngineAndPeer.Name)).Error);
        Assert.True((await _node.Engine.Release(open.Handle)).IsOk);
        Assert.True(await _node.Engine.PublishAll(default));
        Assert.Equal("kept", await EngineAndPeer.Read(_node));
    }

    /// <summary>What is gone cannot be told name by name: nothing says any more that it was there.</summary>
    [Fact]
    public async Task Where_all_is_folded_again_doors_are_told_that_any_name_may_be_gone()
    {
        foreach (string name in (string[])["a", "b", "c", "d"])
        {
            Assert.True((await _node.Engine.MakeDirectory(
                InodeNumber.Root, Encoding.UTF8.GetBytes(name), 0x1ED, Caller.Daemon)).IsOk);
        }

        Assert.True(_node.Log.Seal().IsOk);
        _node.Log.Prune(static folded => folded);
        var told = new Told();
        using IDisposable watching = _node.Engine.Watch(told);
        _peer.Create("late");
        Assert.True(_peer.Log.Seal().IsOk);
        EngineAndPeer.Send(_peer.Log, _node.Log);
        Assert.Equal(1, told.NamesChanges);
    }

    [Fact]
    public async Task A_crash_between_the_removal_and_the_version_makes_no_difference()
    {
        OpenedFile open = await Create();
        await Write(open, "kept");
        RemoveAtPeer();
        EngineNode again = _pair.OpenOn(_pair.Disk.Clone());
        Assert.False(again.Log.Word.Covers(_peer.Log.Positions));
        Assert.True(await again.Engine.PublishAll(default));
        Assert.Equal("kept", await EngineAndPeer.Read(again));
        Assert.True(again.Log.Word.Covers(_peer.Log.Positions));
        await again.Close();
    }

    /// <summary>What every member has seen removed is condemned and forgotten: then there is nothing to bring back.</summary>
    [Fact]
    public async Task While_the_draft_waits_the_file_is_not_forgotten()
    {
        OpenedFile open = await Create();
        await Write(open, "kept");
        RemoveAtPeer();
        Assert.True(_node.Log.Seen.Covers(_peer.Log.Positions));
        Assert.False(_node.Log.Word.Covers(_peer.Log.Positions));
        Assert.False(await _node.Engine.Garbage.Round(default));
        Assert.True((await _node.Engine.Release(open.Handle)).IsOk);
        Assert.True(await _node.Engine.PublishAll(default));
        Assert.True(_node.Log.Word.Covers(_peer.Log.Positions));
        Assert.Equal("kept", await EngineAndPeer.Read(_node));
    }

    [Fact]
    public async Task A_node_that_was_forgotten_vouches_for_nothing_before_it_is_up_to_date()
    {
        await Write(await Create(), "any");
        _node.Engine.Garbage.Members = new Returning();
        RemoveAtPeer();
        Assert.False(_node.Log.Word.Covers(_peer.Log.Positions));
    }

    [Fact]
    public async Task What_is_written_after_it_goes_with_the_last_handle()
    {
        OpenedFile open = await Create();
        RemoveAtPeer();
        await Write(open, "too late");
        Assert.True(_node.Log.Word.Covers(_peer.Log.Positions));
        Assert.True((await _node.Engine.Release(open.Handle)).IsOk);
        Assert.True(await _node.Engine.PublishAll(default));
        Assert.Equal(VolumeError.NotFound, (await _node.Engine.Lookup(InodeNumber.Root, EngineAndPeer.Name)).Error);
    }

    private Task<OpenedFile> Create() => _pair.Create("f");

    private async Task Write(OpenedFile open, string text) =>
        Assert.True((await _node.Engine.Write(open.Handle, 0, Encoding.UTF8.GetBytes(text))).IsOk);

    private void RemoveAtPeer()
    {
        Assert.True(_node.Log.Seal().IsOk);
        EngineAndPeer.Send(_node.Log, _peer.Log);
        lock (_peer.Log.Gate)
        {
            TreeEdits edits = new(new TreeQueries(_peer.Log.Fold.Table), _peer.Fresh);
            ImmutableArray<Primitive> removal = edits.Unlink(TreeQueries.Root, EngineAndPeer.Name).Value;
            Assert.True(_peer.Log.Append(removal, new WallTime(7)).IsOk);
        }

        Assert.True(_peer.Log.Seal().IsOk);
        EngineAndPeer.Send(_peer.Log, _node.Log);
    }

    private sealed class Returning : IGarbageMembers
    {
        public IReadOnlyList<NodeId> Writers => [];

        public bool IsReturning => true;

        public LogPositions Stable(LogPositions held) => LogPositions.Empty;
    }
}
