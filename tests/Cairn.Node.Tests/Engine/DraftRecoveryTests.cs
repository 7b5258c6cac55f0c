using Cairn.Node.Tests.Logs;
using Cairn.Node.Volumes;
using Cairn.Simulation.Disks;

namespace Cairn.Node.Tests.Engine;

/// <summary>A synced write to a file whose creation was lost here, in a block that rotted, waits until a peer sends that again.</summary>
public sealed class DraftRecoveryTests : IAsyncDisposable
{
    private readonly EngineAndPeer _pair = new();
    private readonly EngineNode _node;
    private readonly LogNode _peer;

    public DraftRecoveryTests() => (_node, _peer) = (_pair.Node, _pair.Peer);

    public async ValueTask DisposeAsync() => await _node.Close();

    /// <summary>Found by `cairn simulate --seed 30607`: such drafts were given up, as those of files that were collected are.</summary>
    [Fact]
    public async Task ADraftOfAFileThatIsNotKnownYet_WaitsForIt()
    {
        _peer.Create("f");
        Assert.True(_peer.Log.Seal().IsOk);
        EngineAndPeer.Send(_peer.Log, _node.Log);
        OpenedFile made = await _pair.Create("g");
        Assert.True((await _node.Engine.Release(made.Handle)).IsOk);
        Assert.True(_node.Log.Seal().IsOk);
        InodeNumber inode = (await _node.Engine.Lookup(InodeNumber.Root, EngineAndPeer.Name)).Value.Inode;
        OpenedFile open = (await _node.Engine.Open(inode, OpenIntent.Write, Caller.Daemon)).Value;
        Assert.True((await _node.Engine.Write(open.Handle, 0, "kept"u8.ToArray())).IsOk);
        Assert.True((await _node.Engine.Sync(open.Handle, dataOnly: false)).IsOk);

        SimulatedDisk disk = _pair.Disk.Clone();
        string file = disk.Files.Single(path => path.Contains($"{_peer.Identity.Node}", StringComparison.Ordinal));
        disk.FlipBit(file, disk.LengthOf(file) - 80, 3);

        // Twice: a start before the peer is there gives nothing up either.
        EngineNode again = await Reopen(disk);
        await again.Close();
        again = await Reopen(disk);
        EngineAndPeer.Send(_peer.Log, again.Log);
        Assert.True(await again.Engine.PublishAll(default));
        Assert.Equal("kept", await EngineAndPeer.Read(again));
        Assert.False(again.Engine.HasUnpublishedWrites);
        Assert.True(again.Log.Word.Covers(_peer.Log.Positions));
        await again.Close();
    }

    private async Task<EngineNode> Reopen(SimulatedDisk disk)
    {
        EngineNode again = _pair.OpenOn(disk);
        Assert.Equal(VolumeError.NotFound, (await again.Engine.Lookup(InodeNumber.Root, EngineAndPeer.Name)).Error);
        Assert.True(again.Engine.HasUnpublishedWrites);
        return again;
    }
}
