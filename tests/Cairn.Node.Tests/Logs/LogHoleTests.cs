using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Logs;

/// <summary>A block in the middle of a log rots while the node runs: what lies behind it may be nowhere else.</summary>
public sealed class LogHoleTests
{
    private readonly SimulatedScheduler _scheduler = new();
    private readonly LogMembers _members = new();

    /// <summary>
    /// Something late asks for all to be folded again, once or twice, while a block of the own log cannot be read that a peer has.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WhatOnlyThisNodeHasBehindTheHole_IsThereAgainWithTheBlock(bool isWrittenMeanwhile)
    {
        LogNode node = Node(1).Open();
        LogNode peer = Node(2).Open();
        Write(node, "a");
        long rots = Place(node, node.Log.OwnLogId);
        Write(node, "b");
        Write(node, "c");
        peer.PullFrom(node);
        Write(node, "d");
        Write(node, "e");
        LogPositions whole = node.Log.Positions;
        LogId own = node.Log.OwnLogId;
        node.Log.Prune(folded => folded.Meet(peer.Log.Fold.Positions));
        node.Disk.FlipBit(FileOf(node, own), rots + 60, 3);

        LogNode third = Late(node, 3, "late");
        Assert.False(node.Log.Positions.Covers(whole));
        if (isWrittenMeanwhile)
        {
            node.Create("f");
            Assert.False(node.Log.Seal().IsOk);
        }

        // Folded now, all that this node wrote behind the hole would be gone, and its numbers would be given out again.
        LogNode fourth = Late(node, 4, "later");
        string[] written = isWrittenMeanwhile ? ["a", "b", "c", "d", "e", "f"] : ["a", "b", "c", "d", "e"];
        Assert.Equal(written, node.Names());

        bool isTold = false;
        node.Log.BlocksReady += () => isTold = true;
        node.PullFrom(peer);
        Assert.True(node.Log.Seal().IsOk);
        Assert.True(isTold);
        Assert.True(node.Log.Positions.Covers(whole));
        Assert.Equal(own, node.Log.OwnLogId);
        Assert.Equal([.. written, "late", "later"], node.Names());
        Assert.False(node.Log.HasUnsent);
        peer.PullFrom(node);
        third.PullFrom(peer);
        fourth.PullFrom(peer);
        Assert.All([peer, third, fourth], other => Assert.Equal(node.TableText(), other.TableText()));
        node.Close();
        Assert.Equal(peer.TableText(), node.Open().TableText());
    }

    /// <summary>The end of a log whose author is gone is on this disk alone; another has only the block that rotted.</summary>
    [Fact]
    public void WhatLiesBehindAHoleOfAnothersLog_IsTakenUpAgain()
    {
        LogNode gone = Node(1).Open();
        LogNode node = Node(2).Open();
        LogNode peer = Node(3).Open();
        LogNode newcomer = Node(4).Open();
        Write(gone, "a");
        node.PullFrom(gone);
        long rots = Place(node, gone.Log.OwnLogId);
        Write(gone, "b");
        peer.PullFrom(gone);
        Write(gone, "c");
        node.PullFrom(gone);
        LogPositions whole = node.Log.Positions;
        node.Disk.FlipBit(FileOf(node, gone.Log.OwnLogId), rots + 60, 3);

        newcomer.PullFrom(node);
        Assert.Equal(["a"], newcomer.Names());
        Assert.False(node.Log.Positions.Covers(whole));
        node.Log.Prune(static folded => folded);
        LogNode late = Late(node, 5, "late");
        Assert.Equal(["a", "b", "c"], node.Names());
        node.PullFrom(peer);
        Assert.True(node.Log.Positions.Covers(whole));
        Assert.Equal(["a", "b", "c", "late"], node.Names());
        newcomer.PullFrom(node);
        late.PullFrom(node);
        Assert.Equal(node.TableText(), newcomer.TableText());
        Assert.Equal(node.TableText(), late.TableText());
    }

    /// <summary>A member that has seen nothing writes; a node that can undo nothing any more takes it in.</summary>
    private LogNode Late(LogNode node, int number, string name)
    {
        LogNode late = Node(number).Open();
        Write(late, name);
        node.PullFrom(late);
        return late;
    }

    private static void Write(LogNode node, string name)
    {
        node.Create(name);
        Assert.True(node.Log.Seal().IsOk);
    }

    private static string FileOf(LogNode node, LogId log) => node.Disk.Files.Single(
        path => path.Contains($"{log.Author}-{log.Incarnation}", StringComparison.Ordinal));

    /// <summary>Where the next block of a log will be.</summary>
    private static long Place(LogNode node, LogId log) => node.Disk.LengthOf(FileOf(node, log));

    private LogNode Node(int number)
    {
        var node = new LogNode(_scheduler, number, _members);
        _members.Grant(node.Identity);
        return node;
    }
}
