using System.Text;
using Cairn.Node.Logs;
using Cairn.Node.Tests.Logs;
using Cairn.Node.Volumes;
using Cairn.Node.WritePath;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Engine;

/// <summary>A synced write to a file whose creation was lost here, in a block that rotted, waits until a peer sends that again.</summary>
public sealed class DraftRecoveryTests : IAsyncLifetime
{
    private static readonly byte[] Name = Encoding.UTF8.GetBytes("f");

    private readonly SimulatedDisk _disk = new();
    private EngineNode _node = null!;
    private LogNode _peer = null!;

    public ValueTask InitializeAsync()
    {
        _node = NodeOn(_disk).Open();
        _peer = new LogNode(new SimulatedScheduler(), 5, _node.Members);
        _node.Members.Grant(_peer.Identity);
        _peer.Open();
        return default;
    }

    public async ValueTask DisposeAsync() => await _node.Close();

    /// <summary>Found by `cairn simulate --seed 30607`: such drafts were given up, as those of files that were collected are.</summary>
    [Fact]
    public async Task ADraftOfAFileThatIsNotKnownYet_WaitsForIt()
    {
        _peer.Create("f");
        Assert.True(_peer.Log.Seal().IsOk);
        Send(_peer.Log, _node.Log);
        await Create("g");
        Assert.True(_node.Log.Seal().IsOk);
        InodeNumber inode = (await _node.Engine.Lookup(InodeNumber.Root, Name)).Value.Inode;
        OpenedFile open = (await _node.Engine.Open(inode, OpenIntent.Write, Caller.Daemon)).Value;
        Assert.True((await _node.Engine.Write(open.Handle, 0, "kept"u8.ToArray())).IsOk);
        Assert.True((await _node.Engine.Sync(open.Handle, dataOnly: false)).IsOk);

        SimulatedDisk disk = _disk.Clone();
        string file = disk.Files.Single(path => path.Contains($"{_peer.Identity.Node}", StringComparison.Ordinal));
        disk.FlipBit(file, disk.LengthOf(file) - 80, 3);

        // Twice: a start before the peer is there gives nothing up either.
        EngineNode again = await Reopen(disk);
        await again.Close();
        again = await Reopen(disk);
        Send(_peer.Log, again.Log);
        Assert.True(await again.Engine.PublishAll(default));
        Assert.Equal("kept", await Read(again));
        Assert.False(again.Engine.HasUnpublishedWrites);
        Assert.True(again.Log.Word.Covers(_peer.Log.Positions));
        await again.Close();
    }

    private async Task<EngineNode> Reopen(SimulatedDisk disk)
    {
        EngineNode again = NodeOn(disk);
        again.Members.Grant(_peer.Identity);
        again.Open();
        Assert.Equal(VolumeError.NotFound, (await again.Engine.Lookup(InodeNumber.Root, Name)).Error);
        Assert.True(again.Engine.HasUnpublishedWrites);
        return again;
    }

    /// <summary>Nothing is published before it is asked for.</summary>
    private static EngineNode NodeOn(SimulatedDisk disk) => new(disk)
    {
        IsAlone = false,
        Publishing = new PublishOptions { Idle = TimeSpan.FromHours(1), Latest = TimeSpan.FromHours(1) },
    };

    private async Task Create(string name)
    {
        OpenedFile made = (await _node.Engine.Create(
            InodeNumber.Root, Encoding.UTF8.GetBytes(name), 0x1A4, OpenIntent.Write, Caller.Daemon)).Value;
        Assert.True((await _node.Engine.Release(made.Handle)).IsOk);
    }

    private static void Send(ReplicatedLog from, ReplicatedLog to)
    {
        foreach (HeldBlock block in from.BlocksAfter(to.Positions, int.MaxValue))
        {
            Assert.Equal(ReceiveOutcome.Accepted, to.Receive(block.Bytes));
        }

        Assert.True(to.Commit().IsOk);
    }

    private static async Task<string> Read(EngineNode node)
    {
        InodeNumber inode = (await node.Engine.Lookup(InodeNumber.Root, Name)).Value.Inode;
        OpenedFile opened = (await node.Engine.Open(inode, OpenIntent.Read, Caller.Daemon)).Value;
        byte[] buffer = new byte[100];
        int length = (await node.Engine.Read(opened.Handle, 0, buffer)).Value;
        Assert.True((await node.Engine.Release(opened.Handle)).IsOk);
        return Encoding.UTF8.GetString(buffer, 0, length);
    }
}
