using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Logs;

/// <summary>A start finds own blocks unreadable that cannot be made again: the index knows what they did.</summary>
public sealed class LostWorkTests
{
    private readonly SimulatedScheduler _scheduler = new();
    private readonly LogMembers _members = new();

    /// <summary>Nothing says any more what the last block's hash was.</summary>
    [Theory]
    [InlineData(1, null)]
    [InlineData(2, null)]
    [InlineData(3, null)]
    [InlineData(2, CrashKind.ProcessKilled)]
    [InlineData(2, CrashKind.PowerLost)]
    public void TheEndOfTheLog_IsWrittenAgain(int rotten, CrashKind? crash)
    {
        LogNode node = Node(1).Open();
        LogNode peer = Node(2).Open();
        LogId own = node.Log.OwnLogId;
        Write(node, "before");
        peer.PullFrom(node);
        List<long> places = WriteAll(node, "a", "b", "c");
        node.Log.Prune(folded => folded.Meet(peer.Log.Fold.Positions));
        Stop(node);
        Rot(node, own, places[^rotten..]);
        node.Open();
        if (crash is { } kind)
        {
            node.Crash(kind, 5);
            node.Open();
        }

        Assert.True(node.Log.AwaitsWord);
        node.Log.Settle(peer.Log.Positions);
        Assert.Equal(["a", "b", "before", "c"], node.Names());
        Assert.True(node.Log.Seal().IsOk);
        Assert.False(node.Log.HasUnsent);
        Assert.NotEqual(own, node.Log.OwnLogId);
        Check(node, peer);
    }

    /// <summary>It was sent, and nobody had said so yet.</summary>
    [Fact]
    public void WhatAPeerHas_ComesBackFromIt()
    {
        LogNode node = Node(1).Open();
        LogNode peer = Node(2).Open();
        List<long> places = WriteAll(node, "a", "b", "c");
        LogId own = node.Log.OwnLogId;
        peer.PullFrom(node);
        Stop(node);
        Rot(node, own, places[1..]);
        node.Open();
        node.Log.Settle(peer.Log.Positions);
        Assert.True(node.Log.AwaitsWord);
        node.PullFrom(peer);
        Assert.False(node.Log.AwaitsWord);
        Assert.False(node.Log.HasUnsent);
        Assert.Equal(["a", "b", "c"], node.Names());
        Check(node, peer);
    }

    /// <summary>The lost block is with a peer, what lies behind it is on this disk alone.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WhatLiesBehind_IsThereOnceWithTheBlockOrWithout(bool comesBack)
    {
        LogNode node = Node(1).Open();
        LogNode peer = Node(2).Open();
        LogNode other = Node(3).Open();
        LogId own = node.Log.OwnLogId;
        List<long> places = WriteAll(node, "a", "b");
        peer.PullFrom(node);
        _ = WriteAll(node, "c", "d");
        node.Log.Prune(folded => folded.Meet(peer.Log.Fold.Positions));
        Stop(node);
        Rot(node, own, places[1..]);
        node.Open();
        node.Log.Settle(peer.Log.Positions);
        Assert.True(node.Log.AwaitsWord);
        if (comesBack)
        {
            node.PullFrom(peer);
            Assert.False(node.Log.AwaitsWord);
            Assert.Equal(["a", "b", "c", "d"], node.Names());
            Check(node, peer);
            return;
        }

        // The peer is forgotten with the block that it alone had.
        node.Log.Settle(LogPositions.Empty);
        Assert.Equal(["a", "c", "d"], node.Names());
        Assert.True(node.Log.Seal().IsOk);
        Check(node, other);
    }

    /// <summary>Ends a node whose journal has used all its segments again since: what was sealed is not in it any more.</summary>
    private static void Stop(LogNode node)
    {
        node.Close();
        foreach (string segment in node.Disk.Files.Where(path => path.EndsWith(".seg", StringComparison.Ordinal)))
        {
            Assert.True(node.Disk.Delete(segment).IsOk);
        }
    }

    /// <summary>Another member, and the node's next life, show what it shows.</summary>
    private static void Check(LogNode node, LogNode peer)
    {
        peer.PullFrom(node);
        Assert.Equal(node.TableText(), peer.TableText());
        string text = node.TableText();
        node.Close();
        Assert.Equal(text, node.Open().TableText());
        node.Log.Settle(peer.Log.Positions);
        Assert.False(node.Log.HasUnsent);
        Assert.Equal(text, node.TableText());
    }

    /// <summary>A block for each file; where they are, but for that of a new log.</summary>
    private static List<long> WriteAll(LogNode node, params string[] names)
    {
        List<long> places = [];
        foreach (string name in names)
        {
            places.Add(node.Disk.Files.Where(path => IsOf(path, node.Log.OwnLogId)).Sum(node.Disk.LengthOf));
            Write(node, name);
        }

        return places;
    }

    private static void Write(LogNode node, string name)
    {
        node.Create(name);
        Assert.True(node.Log.Seal().IsOk);
    }

    private static void Rot(LogNode node, LogId own, List<long> places) => places.ForEach(
        place => node.Disk.FlipBit(node.Disk.Files.Single(path => IsOf(path, own)), place + 60, 3));

    private static bool IsOf(string path, LogId log) =>
        path.Contains($"{log.Author}-{log.Incarnation}.", StringComparison.Ordinal);

    private LogNode Node(int number)
    {
        var node = new LogNode(_scheduler, number, _members);
        _members.Grant(node.Identity);
        return node;
    }
}
