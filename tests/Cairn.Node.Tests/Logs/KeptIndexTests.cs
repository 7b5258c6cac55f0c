using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Logs;

/// <summary>A block of another member's log is found rotten at a start: the tree is not that of before the block.</summary>
public sealed class KeptIndexTests
{
    private readonly SimulatedScheduler _scheduler = new();
    private readonly LogMembers _members = new();

    [Fact]
    public void WhatOthersAreKnownToHave_IsShownMeanwhile_AlsoAfterAnotherStart()
    {
        (LogNode node, LogNode peer) = WithARottenBlock(isKnownElsewhere: true);
        node.Open();
        string[] names = ["a", "b", "c", "own"];
        Assert.Equal(names, node.Names());
        Assert.False(node.Log.Positions.Covers(peer.Log.Positions));
        node.Close();
        node.Open();
        Write(node, "d");
        LogNode late = Node(4).Open();
        Write(late, "late");
        node.Log.Prune(static folded => folded);
        node.PullFrom(late);
        Assert.Superset(new HashSet<string>([.. names, "d"]), new HashSet<string>(node.Names()));

        node.PullFrom(peer);
        Assert.True(node.Log.Positions.Covers(peer.Log.Positions));
        Assert.Equal(["a", "b", "c", "d", "late", "own"], node.Names());
        peer.PullFrom(node);
        late.PullFrom(node);
        Assert.Equal(node.TableText(), peer.TableText());
        Assert.Equal(node.TableText(), late.TableText());
        node.Close();
        Assert.Equal(peer.TableText(), node.Open().TableText());
    }

    /// <summary>It may have been on this disk alone: the node goes on with what is left.</summary>
    [Fact]
    public void WhatNobodyIsKnownToHave_IsNotWaitedFor()
    {
        (LogNode node, LogNode peer) = WithARottenBlock(isKnownElsewhere: false);
        node.Open();
        Assert.Equal(["a"], node.Names());
        node.PullFrom(peer);
        Assert.Equal(["a", "b", "c", "own"], node.Names());
    }

    private (LogNode Node, LogNode Peer) WithARottenBlock(bool isKnownElsewhere)
    {
        LogNode author = Node(1).Open();
        LogNode node = Node(2).Open();
        LogNode peer = Node(3).Open();
        Write(author, "a");
        node.PullFrom(author);
        LogId log = author.Log.OwnLogId;
        string file = node.Disk.Files.Single(
            path => path.Contains($"{log.Author}-{log.Incarnation}", StringComparison.Ordinal));
        long rots = node.Disk.LengthOf(file);
        Write(author, "b");
        Write(author, "c");
        node.PullFrom(author);
        Write(node, "own");
        peer.PullFrom(node);
        node.Elsewhere = isKnownElsewhere ? peer.Log.Positions : LogPositions.Empty;
        node.Close();
        node.Disk.FlipBit(file, rots + 60, 3);
        return (node, peer);
    }

    private static void Write(LogNode node, string name)
    {
        node.Create(name);
        Assert.True(node.Log.Seal().IsOk);
    }

    private LogNode Node(int number)
    {
        var node = new LogNode(_scheduler, number, _members);
        _members.Grant(node.Identity);
        return node;
    }
}
