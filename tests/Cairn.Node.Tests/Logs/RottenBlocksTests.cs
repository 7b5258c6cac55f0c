using Cairn.Coding.Encryption;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Logs;

/// <summary>Own blocks side by side rot, as a bad sector takes them, before any peer has them.</summary>
public sealed class RottenBlocksTests
{
    private const int Blocks = 5;
    private const int FilesOfBlock = 3;

    private readonly SimulatedScheduler _scheduler = new();
    private readonly LogMembers _members = new();

    public enum Notices
    {
        WhoAsksForThem,
        FoldingAllAgain,
        TheNextStart,
    }

    /// <summary>What they did is kept, to be undone, and what follows names their hash: where each ended is looked for.</summary>
    [Theory]
    [InlineData(0, 2, Notices.WhoAsksForThem)]
    [InlineData(1, 3, Notices.WhoAsksForThem)]
    [InlineData(3, 2, Notices.WhoAsksForThem)]
    [InlineData(0, 4, Notices.WhoAsksForThem)]
    [InlineData(1, 2, Notices.FoldingAllAgain)]
    [InlineData(2, 3, Notices.FoldingAllAgain)]
    [InlineData(0, 2, Notices.TheNextStart)]
    [InlineData(1, 3, Notices.TheNextStart)]
    public void TheOnlyCopies_AreMadeAgain(int first, int count, Notices how)
    {
        LogNode node = Node(1).Open();
        LogNode peer = Node(2).Open();
        LogId own = node.Log.OwnLogId;
        Write(node, "before");
        peer.PullFrom(node);
        List<long> places = WriteBlocks(node, own);
        byte[][] was = [.. Enumerable.Range(2, Blocks).Select(seq => Read(node, own, (ulong)seq))];
        LogPositions whole = node.Log.Positions;
        string[] names = node.Names();
        node.Log.Prune(folded => folded.Meet(peer.Log.Fold.Positions));
        EpochKey next = new(new EpochId(new Bytes16("the next epoch!!"u8)), new byte[32]);
        VolumeKeyring keys = LogNode.Keyring.With(next).WithCurrent(next.Id);
        node.Log.Keys = keys;
        if (how == Notices.TheNextStart)
        {
            node.Close();
            Rot(node, own, places.GetRange(first, count));
            node.Open(keys: keys);
        }
        else
        {
            Rot(node, own, places.GetRange(first, count));
        }

        if (how == Notices.FoldingAllAgain)
        {
            LogNode late = Node(3).Open();
            Write(late, "late");
            node.PullFrom(late);
            peer.PullFrom(late);
            names = [.. names, "late"];
        }

        peer.PullFrom(node);
        Assert.Equal(was, Enumerable.Range(2, Blocks).Select(seq => Read(node, own, (ulong)seq)));
        Assert.Equal(names, node.Names());
        Assert.True(node.Log.Positions.Covers(whole));
        Assert.False(node.Log.AwaitsWord);
        Assert.Equal(node.TableText(), peer.TableText());
    }

    /// <summary>What all members have is not kept: they have the blocks, too.</summary>
    [Fact]
    public void WhatIsNotKeptWhole_IsNotMadeAgain()
    {
        LogNode node = Node(1).Open();
        LogNode third = Node(3).Open();
        LogId own = node.Log.OwnLogId;
        Write(node, "before");
        List<long> places = WriteBlocks(node, own);
        node.Log.Prune(static folded => LogPositions.From(
            folded.Logs.Select(log => KeyValuePair.Create(log.Key, new LogPosition(2, 1 + FilesOfBlock)))));
        Rot(node, own, places.GetRange(0, 2));
        third.PullFrom(node);
        Assert.Equal(["before"], third.Names());
        Assert.Equal([2, 3], node.Blocks.Missing(LogNode.Keyring.Volume, own));

        // Of each block that is asked for again and again it is told once.
        third.PullFrom(node);
        Assert.Single(node.Log.Findings.Take());
    }

    /// <summary>Peers that lack different parts ask in turn: each search is a second's work, and was made each time.</summary>
    [Fact]
    public void WhatIsLookedForInVain_IsLookedForOnce()
    {
        LogNode node = Node(1).Open();
        LogId own = node.Log.OwnLogId;
        Write(node, "before");
        List<long> places = WriteBlocks(node, own, files: 30);
        LogPositions firstHalf = LogPositions.From([KeyValuePair.Create(own, new LogPosition(4, 1 + (3 * 30)))]);

        // Their key is not known here any more: what they did is, but not what they were.
        EpochKey other = new(new EpochId(new Bytes16("another epoch!!!"u8)), new byte[32]);
        node.Log.Keys = new VolumeKeyring(LogNode.Keyring.Volume, LogNode.Keyring.Dedup, other);
        Rot(node, own, [places[0], places[1], places[3], places[4]]);
        long searched = AllocatedBy(Ask);
        long again = AllocatedBy(Ask);
        Assert.InRange(again, 0, searched / 2);
        Assert.Equal([2, 3, 5, 6], node.Blocks.Missing(LogNode.Keyring.Volume, own));

        void Ask()
        {
            Assert.Single(node.Log.BlocksAfter(LogPositions.Empty, int.MaxValue));
            Assert.Empty(node.Log.BlocksAfter(firstHalf, int.MaxValue));
        }
    }

    private static long AllocatedBy(Action action)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        action();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static byte[] Read(LogNode node, LogId own, ulong seq) =>
        node.Blocks.Read(LogNode.Keyring.Volume, own, seq).Value;

    /// <summary>Blocks of several files each; where they are.</summary>
    private static List<long> WriteBlocks(LogNode node, LogId own, int files = FilesOfBlock)
    {
        List<long> places = [];
        for (int block = 0; block < Blocks; block++)
        {
            places.Add(node.Disk.LengthOf(FileOf(node, own)));
            for (int i = 1; i < files; i++)
            {
                node.Create($"{block}{i}");
            }

            Write(node, $"{block}{files}");
        }

        return places;
    }

    private static void Write(LogNode node, string name)
    {
        node.Create(name);
        Assert.True(node.Log.Seal().IsOk);
    }

    private static void Rot(LogNode node, LogId own, List<long> places) =>
        places.ForEach(place => node.Disk.FlipBit(FileOf(node, own), place + 60, 3));

    private static string FileOf(LogNode node, LogId log) => node.Disk.Files.Single(
        path => path.Contains($"{log.Author}-{log.Incarnation}", StringComparison.Ordinal));

    private LogNode Node(int number)
    {
        var node = new LogNode(_scheduler, number, _members);
        _members.Grant(node.Identity);
        return node;
    }
}
