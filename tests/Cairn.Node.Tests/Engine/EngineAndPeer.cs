using System.Text;
using Cairn.Node.Logs;
using Cairn.Node.Tests.Logs;
using Cairn.Node.Volumes;
using Cairn.Node.WritePath;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Engine;

/// <summary>An engine that publishes nothing before it is asked to, and the log of another member that writes.</summary>
internal sealed class EngineAndPeer
{
    /// <summary>The file that both know.</summary>
    public static readonly byte[] Name = Encoding.UTF8.GetBytes("f");

    public EngineAndPeer()
    {
        Node = NodeOn(Disk).Open();
        Peer = new LogNode(new SimulatedScheduler(), 5, Node.Members);
        Node.Members.Grant(Peer.Identity);
        Peer.Open();
    }

    public SimulatedDisk Disk { get; } = new();

    public EngineNode Node { get; }

    public LogNode Peer { get; }

    /// <summary>The engine as it starts on another disk.</summary>
    public EngineNode OpenOn(SimulatedDisk disk)
    {
        EngineNode again = NodeOn(disk);
        again.Members.Grant(Peer.Identity);
        return again.Open();
    }

    public async Task<OpenedFile> Create(string name)
    {
        byte[] encoded = Encoding.UTF8.GetBytes(name);
        return (await Node.Engine.Create(
            InodeNumber.Root, encoded, 0x1A4, OpenIntent.Read | OpenIntent.Write, Caller.Daemon)).Value;
    }

    /// <summary>Gives all blocks that the other log has not.</summary>
    public static void Send(ReplicatedLog from, ReplicatedLog to)
    {
        foreach (HeldBlock block in from.BlocksAfter(to.Positions, int.MaxValue))
        {
            Assert.Equal(ReceiveOutcome.Accepted, to.Receive(block.Bytes));
        }

        Assert.True(to.Commit().IsOk);
    }

    /// <summary>What is in the file, as text of at most 100 bytes.</summary>
    public static async Task<string> Read(EngineNode node)
    {
        InodeNumber inode = (await node.Engine.Lookup(InodeNumber.Root, Name)).Value.Inode;
        OpenedFile opened = (await node.Engine.Open(inode, OpenIntent.Read, Caller.Daemon)).Value;
        byte[] buffer = new byte[100];
        int length = (await node.Engine.Read(opened.Handle, 0, buffer)).Value;
        Assert.True((await node.Engine.Release(opened.Handle)).IsOk);
        return Encoding.UTF8.GetString(buffer, 0, length);
    }

    private static EngineNode NodeOn(SimulatedDisk disk) => new(disk)
    {
        IsAlone = false,
        Publishing = new PublishOptions { Idle = TimeSpan.FromHours(1), Latest = TimeSpan.FromHours(1) },
    };
}
