using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Rights;
using Cairn.Core.Tree;
using Cairn.Node.Logs;
using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Logs;

/// <summary>Limits of members, whenever a node hears of them: before, after, or while it is down.</summary>
public sealed class LogRightsTests
{
    private readonly SimulatedScheduler _scheduler = new();
    private readonly LogMembers _members = new();

    [Fact]
    public void WhatTheAdminHadNotSeen_HasNoEffect_OnAllNodesAlike()
    {
        LogNode reader = Node(1).Open();
        LogNode early = Node(2).Open();
        LogNode late = Node(3).Open();
        reader.Create("seen");
        late.PullFrom(Sealed(reader));
        LogPositions seen = late.Log.Positions;
        reader.Create("not seen");
        early.PullFrom(Sealed(reader));
        early.Create("built on it");
        Limit(reader, mayWrite: false, seen);
        late.Log.Reconsider();
        late.PullFrom(Sealed(early));
        Assert.Equal(["built on it", "seen"], late.Names());
        early.Log.Reconsider();
        reader.Log.Reconsider();
        reader.PullFrom(early);
        Assert.Equal(late.TableText(), early.TableText());
        Assert.Equal(late.TableText(), reader.TableText());
        Assert.False(reader.Log.MayWrite);
        Assert.True(early.Log.MayWrite);
        Assert.Equal(1, new TreeQueries(late.Log.Fold.Table).RefusedOf(reader.Identity.Node));
    }

    [Fact]
    public void AnAllowanceThatHadSeenNothing_TakesWhatWasRefusedBack()
    {
        LogNode reader = Node(1).Open();
        LogNode other = Node(2).Open();
        reader.Create("refused");
        other.PullFrom(Sealed(reader));
        Limit(reader, mayWrite: false, LogPositions.Empty);
        other.Log.Reconsider();
        Assert.Empty(other.Names());
        MemberLimit refused = new(false, LogPositions.Empty);
        Use(reader, refused, new MemberLimit(true, other.Log.Positions));
        other.Log.Reconsider();
        Assert.Empty(other.Names());
        Use(reader, refused, new MemberLimit(true, LogPositions.Empty));
        other.Log.Reconsider();
        Assert.Equal(["refused"], other.Names());
    }

    [Fact]
    public void ALimitThatCameWhileTheNodeWasDown_IsNoticedAtTheNextStart_AndKept()
    {
        LogNode reader = Node(1).Open();
        LogNode other = Node(2).Open();
        reader.Create("refused");
        other.PullFrom(Sealed(reader));
        Assert.True(other.Log.Persist().IsOk);
        other.Close();
        Limit(reader, mayWrite: false, LogPositions.Empty);
        Assert.Empty(other.Open().Names());
        other.Close();
        Assert.Empty(other.Open().Names());
        _members.Rights = WriteRights.None;
        other.Close();
        Assert.Equal(["refused"], other.Open().Names());
    }

    [Fact]
    public void WhatTheReaderHasNotSealedYet_IsRefusedToo()
    {
        LogNode reader = Node(1).Open();
        LogNode other = Node(2).Open();
        reader.Create("not sealed");
        Limit(reader, mayWrite: false, LogPositions.Empty);
        reader.Log.Reconsider();
        Assert.Empty(reader.Names());
        other.Log.Reconsider();
        other.PullFrom(Sealed(reader));
        Assert.Equal(other.TableText(), reader.TableText());
    }

    [Fact]
    public void TheyAreReadOnce_NotEachTimeTheyAreAskedFor()
    {
        LogNode reader = Node(1).Open();
        LogNode other = Node(2).Open(new ReplicatedLogOptions { TableCacheBytes = 0 });
        long without = Reads(other);
        Limit(reader, mayWrite: false, LogPositions.Empty);
        other.Log.Reconsider();
        Assert.True(other.Log.Persist().IsOk);
        Assert.InRange(Reads(other), without, without + 1);
        Assert.Equal(without, Reads(other));
        other.Close();
        other.Open(new ReplicatedLogOptions { TableCacheBytes = 0 });
        Assert.Equal(without, Reads(other));
    }

    [Fact]
    public void WhenAllIsFoldedAgain_TheyStandInTheNewTable_AndAnothersAreNoticed()
    {
        LogNode reader = Node(1).Open();
        LogNode other = Node(2).Open();
        LogNode late = Node(3).Open();
        late.Create("late");
        reader.Create("refused");
        reader.Create("refused, too");
        other.PullFrom(Sealed(reader));
        Limit(reader, mayWrite: false, LogPositions.Empty);
        other.Log.Reconsider();
        other.Log.Prune(static folded => folded);
        other.PullFrom(Sealed(late));
        Assert.Contains(
            other.Log.Findings.Take(),
            static finding => finding.Detail.Contains("folded all again", StringComparison.Ordinal));
        other.Log.Reconsider();
        Assert.Equal(["late"], other.Names());

        // The same limits as before, for a table that is another one.
        Assert.True(other.Log.Persist().IsOk);
        other.Close();
        _members.Rights = WriteRights.None;
        Assert.Equal(["late", "refused", "refused, too"], other.Open().Names());
        other.Log.Reconsider();
        Limit(reader, mayWrite: false, LogPositions.Empty);
        other.Log.Reconsider();
        Assert.Equal(["late"], other.Names());
    }

    private static long Reads(LogNode node)
    {
        long before = node.Index.GetCount + node.Index.ScanCount;
        node.Log.Reconsider();
        return node.Index.GetCount + node.Index.ScanCount - before;
    }

    private static LogNode Sealed(LogNode node)
    {
        Assert.True(node.Log.Seal().IsOk);
        return node;
    }

    private void Limit(LogNode member, bool mayWrite, LogPositions seen) =>
        Use(member, new MemberLimit(mayWrite, seen));

    private void Use(LogNode member, params ImmutableArray<MemberLimit> limits) =>
        _members.Rights = new WriteRights([new(member.Identity.Node, limits)]);

    private LogNode Node(int number)
    {
        var node = new LogNode(_scheduler, number, _members);
        _members.Grant(node.Identity);
        return node;
    }
}
