using Cairn.Core.Log;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Logs;

/// <summary>Log blocks on a part of the disk that cannot be read any more, however often the device is asked.</summary>
public sealed class BadSectorTests
{
    private const int Files = 40;

    private readonly SimulatedScheduler _scheduler = new();
    private readonly LogMembers _members = new();

    [Fact]
    public void ABlockOfAnother_IsTakenFromAPeerAgain_AndServed()
    {
        LogNode node = Node(1).Open();
        LogNode peer = Node(2).Open();
        LogNode third = Node(3).Open();
        Write(node);
        peer.PullFrom(node);
        LogPositions whole = peer.Log.Positions;
        Break(peer.Disk);

        third.PullFrom(peer);
        Assert.InRange(third.Names().Length, 1, Files - 1);
        Assert.False(peer.Log.Positions.Covers(whole));

        // What is folded stays folded meanwhile.
        Assert.Equal(Files, peer.Names().Length);
        peer.PullFrom(node);
        Assert.True(peer.Log.Positions.Covers(whole));
        third.PullFrom(peer);
        Assert.Equal(node.TableText(), third.TableText());
        Assert.Equal(node.TableText(), peer.TableText());
        peer.Close();
        Assert.Equal(node.TableText(), peer.Open().TableText());
        Assert.Empty(peer.Blocks.Findings);
    }

    /// <summary>A node goes on with its own log; it gets the block back at its next start, from whoever has it.</summary>
    [Fact]
    public void AnOwnBlock_ComesBackAtTheNextStart()
    {
        LogNode node = Node(1).Open();
        LogNode peer = Node(2).Open();
        LogNode third = Node(3).Open();
        Write(node);
        peer.PullFrom(node);
        LogPositions whole = node.Log.Positions;

        // It is not made again: all members are known to have it, so what it did is not kept to be undone.
        node.Log.Prune(static folded => folded);
        Break(node.Disk);

        third.PullFrom(node);
        Assert.InRange(third.Names().Length, 1, Files - 1);
        Assert.True(node.Log.Positions.Covers(whole));
        node.Create("meanwhile");
        Assert.True(node.Log.Seal().IsOk);

        node.Close();
        node.Open();
        node.PullFrom(peer);
        node.Log.Settle(peer.Log.Positions);
        Assert.True(node.Log.Seal().IsOk);
        Assert.Contains("meanwhile", node.Names());
        Assert.Equal(Files + 1, node.Names().Length);
        third.PullFrom(node);
        peer.PullFrom(node);
        Assert.Equal(node.TableText(), third.TableText());
        Assert.Equal(node.TableText(), peer.TableText());
    }

    private static void Write(LogNode node)
    {
        for (int i = 0; i < Files; i++)
        {
            node.Create($"f{i:D2}");
            Assert.True(node.Log.Seal().IsOk);
        }
    }

    /// <summary>The middle of the only log that has blocks.</summary>
    private static void Break(SimulatedDisk disk)
    {
        string path = disk.Files.Where(path => path.EndsWith(".log", StringComparison.Ordinal)).MaxBy(disk.LengthOf)!;
        Assert.True(disk.LengthOf(path) > 12_000);
        disk.BreakSector(path, disk.LengthOf(path) / 2);
    }

    private LogNode Node(int number)
    {
        var node = new LogNode(_scheduler, number, _members);
        _members.Grant(node.Identity);
        return node;
    }
}
