using Cairn.Coding.Encryption;
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

    /// <summary>Nothing can be sealed behind a hole: it is tried again, less and less often, and told once.</summary>
    [Fact]
    public void WhatCannotBeSealed_IsToldOnce_AndSealedAsSoonAsTheBlockIsBack()
    {
        LogNode node = Node(1).Open();
        LogNode peer = Node(2).Open();
        Write(node, "a");
        long rots = Place(node, node.Log.OwnLogId);
        Write(node, "b");
        Write(node, "c");
        peer.PullFrom(node);
        node.Log.Prune(folded => folded.Meet(peer.Log.Fold.Positions));
        node.Disk.FlipBit(FileOf(node, node.Log.OwnLogId), rots + 60, 3);
        Late(node, 3, "late");
        node.Create("d");
        _scheduler.RunFor(TimeSpan.FromMinutes(10));
        Assert.Single(node.Log.Findings.Take(), found => found.Detail.Contains("sealing", StringComparison.Ordinal));
        Assert.True(node.Log.HasUnsent);
        node.PullFrom(peer);
        _scheduler.RunFor(TimeSpan.FromMilliseconds(200));
        Assert.False(node.Log.HasUnsent);
        peer.PullFrom(node);
        Assert.Equal(["a", "b", "c", "d", "late"], peer.Names());
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

    public enum Notices
    {
        WhoAsksForIt,
        FoldingAllAgain,
        TheNextStart,
    }

    /// <summary>What a block did that no other node has yet is kept, to be undone: the same block is made of it.</summary>
    [Theory]
    [InlineData(1, Notices.WhoAsksForIt)]
    [InlineData(2, Notices.WhoAsksForIt)]
    [InlineData(3, Notices.WhoAsksForIt)]
    [InlineData(1, Notices.FoldingAllAgain)]
    [InlineData(2, Notices.FoldingAllAgain)]
    [InlineData(3, Notices.FoldingAllAgain)]
    [InlineData(1, Notices.TheNextStart)]
    [InlineData(2, Notices.TheNextStart)]
    public void TheOnlyCopyOfAnOwnBlock_IsMadeAgain(int rotten, Notices how)
    {
        LogNode node = Node(1).Open();
        LogNode peer = Node(2).Open();
        Write(node, "0");
        Write(node, "1");
        peer.PullFrom(node);
        long rots = 0;
        LogId own = node.Log.OwnLogId;
        string[] names = ["a", "b", "c"];
        for (int i = 0; i < names.Length; i++)
        {
            rots = i == rotten - 1 ? Place(node, own) : rots;
            Write(node, names[i]);
        }

        byte[] was = node.Blocks.Read(LogNode.Keyring.Volume, own, (ulong)rotten + 2).Value;
        LogPositions whole = node.Log.Positions;
        node.Log.Prune(folded => folded.Meet(peer.Log.Fold.Positions));
        EpochKey next = new(new EpochId(new Bytes16("the next epoch!!"u8)), new byte[32]);
        VolumeKeyring keys = LogNode.Keyring.With(next).WithCurrent(next.Id);
        node.Log.Keys = keys;
        if (how == Notices.TheNextStart)
        {
            node.Close();
            node.Disk.FlipBit(FileOf(node, own), rots + 60, 3);
            node.Open(keys: keys);
        }
        else
        {
            node.Disk.FlipBit(FileOf(node, own), rots + 60, 3);
        }

        if (how == Notices.FoldingAllAgain)
        {
            peer.PullFrom(Late(node, 3, "late"));
            names = [.. names, "late"];
        }

        peer.PullFrom(node);
        Assert.Equal(was, node.Blocks.Read(LogNode.Keyring.Volume, own, (ulong)rotten + 2).Value);
        Assert.Equal(["0", "1", .. names], node.Names());
        Assert.True(node.Log.Positions.Covers(whole));
        Assert.False(node.Log.AwaitsWord);
        Assert.Equal(node.TableText(), peer.TableText());
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
