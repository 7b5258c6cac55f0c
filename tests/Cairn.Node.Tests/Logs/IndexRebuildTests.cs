using Cairn.Node.Logs;
using Cairn.Node.Logs.Index;
using Cairn.Node.Ports;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Indexes;
using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Logs;

/// <summary>An index that is made anew from several logs, each transaction of which depends on the others' last.</summary>
public sealed class IndexRebuildTests
{
    private const int Rounds = 60;
    private const int FilesPerRound = 30;

    private readonly SimulatedScheduler _scheduler = new();
    private readonly LogMembers _members = new();
    private readonly ReplicatedLogOptions _options = new() { PersistChangesMax = 500 };

    [Fact]
    public void AnIndexMadeFromLogsThatDependOnEachOther_IsWrittenAllTheWhile()
    {
        (LogNode node, _) = Written();
        string whole = node.TableText();
        node.Close();
        node.Index = new SimulatedIndex();
        node.Open(_options);
        Assert.Equal(whole, node.TableText());
        Assert.Equal(0, node.Log.Fold.WaitingCount);

        // 512 transactions are folded between two looks, and a file is two records.
        Assert.True(node.Log.Persist().IsOk);
        int all = node.Index.Count;
        Assert.InRange(node.Index.LargestApply, 1, all / 2);
        node.Close();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void ACrashWhileAnIndexIsMade_LeavesAPartThatIsGoneOnFrom(int applies)
    {
        (LogNode node, _) = Written();
        string whole = node.TableText();
        node.Close();
        node.Index = new SimulatedIndex { AppliesLeft = applies + 1 };
        node.Open(_options);
        int part = node.Index.Count;
        node.Crash(CrashKind.ProcessKilled);
        node.Index.AppliesLeft = null;
        Assert.Equal(whole, node.Open(_options).TableText());
        Assert.Null(node.Log.IndexFault);
        node.Close();
        Assert.InRange(part, 1, node.Index.Count - 1);
        Assert.Equal(whole, node.Open(_options).TableText());
    }

    /// <summary>A revocation while changes are on their way into the index: they are never written over what is folded again.</summary>
    [Fact]
    public void WhatIsFoldedAgainWhileTheLogIsOpen_ReplacesTheIndex()
    {
        (LogNode node, LogNode other) = Written();
        Assert.True(node.Log.Persist().IsOk);
        node.Create("not in the index yet");
        node.Index.WriteFailure = "database or disk is full";
        Assert.False(node.Log.Persist().IsOk);
        node.Index.WriteFailure = null;
        byte[] own = [IndexTable.NodesOwn, 1];
        Assert.True(node.Sealed.Apply([new IndexChange(own, own)]).IsOk);

        _members.LastAccepted[other.Log.OwnLogId] = 1;
        node.Log.Reconsider();
        string judged = node.TableText();
        const int written = Rounds / 2 * FilesPerRound;
        Assert.InRange(node.Names().Length, written, written + FilesPerRound + 1);
        Assert.Equal(own, node.Sealed.Get(own).Value);
        Assert.InRange(node.Index.Count, 100, int.MaxValue);
        node.Crash(CrashKind.ProcessKilled);
        Assert.Equal(judged, node.Open(_options).TableText());
        Assert.Null(node.Log.IndexFault);
    }

    /// <summary>Two nodes that wrote in turn, each from what it had of the other.</summary>
    private (LogNode Node, LogNode Other) Written()
    {
        LogNode[] nodes = [Node(1).Open(_options), Node(2).Open(_options)];
        for (int round = 0; round < Rounds; round++)
        {
            LogNode writer = nodes[round % 2];
            for (int i = 0; i < FilesPerRound; i++)
            {
                writer.Create($"{round} {i}");
            }

            Assert.True(writer.Log.Seal().IsOk);
            nodes[1 - (round % 2)].PullFrom(writer);
        }

        return (nodes[0], nodes[1]);
    }

    private LogNode Node(int number)
    {
        var node = new LogNode(_scheduler, number, _members);
        _members.Grant(node.Identity);
        return node;
    }
}
