using Cairn.Core.Fold;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Logs;
using Cairn.Node.Logs.Checkpoints;
using Cairn.Node.Logs.Index;
using Cairn.Node.Ports;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Logs;

/// <summary>A newcomer that begins with another member's table, and gets the blocks afterwards.</summary>
public sealed class TableFillTests
{
    private readonly SimulatedScheduler _scheduler = new();
    private readonly LogMembers _members = new();

    [Fact]
    public void ANewcomerWithATable_IsLikeOneWithAllHistory_AtEveryMoment()
    {
        for (ulong seed = 1; seed <= 12; seed++)
        {
            var random = new Prng(seed);
            int first = (int)seed * 10;
            LogNode[] nodes = [Node(first).Open(), Node(first + 1).Open(), Node(first + 2).Open()];
            var newcomers = new List<LogNode>();
            for (int step = 0; step < 40; step++)
            {
                LogNode[] all = [.. nodes, .. newcomers];
                LogNode node = all[random.Next(all.Length)];
                node.Create($"{step}");
                Assert.True(node.Log.Seal().IsOk);
                if (random.Chance(3))
                {
                    node.PullFrom(all[random.Next(all.Length)]);
                }

                if (step % 10 == 9)
                {
                    LogNode newcomer = Node(first + 3 + newcomers.Count);
                    Copy(nodes[random.Next(3)], newcomer);
                    newcomers.Add(newcomer);
                }
            }

            LogNode[] members = [.. nodes, .. newcomers];
            for (int round = 0; round < 2; round++)
            {
                foreach (LogNode to in members)
                {
                    Array.ForEach(members, to.PullFrom);
                }
            }

            LogNode historian = Node(first + 9).Open();
            historian.PullFrom(nodes[0]);
            foreach (LogNode member in members)
            {
                Assert.Equal(historian.TableText(), member.TableText());
                Assert.Equal(0, member.Log.Fold.WaitingCount);
            }

            newcomers[0].Close();
            Assert.Equal(historian.TableText(), newcomers[0].Open().TableText());
            Assert.Null(newcomers[0].Log.IndexFault);
        }
    }

    [Fact]
    public void ANewcomerHasTheTreeBeforeTheBlocks_AndWritesInIt()
    {
        LogNode old = Old();
        LogNode newcomer = Node(3);
        Copy(old, newcomer);
        Assert.Equal(old.TableText(), newcomer.TableText());
        Assert.Empty(newcomer.Log.Positions.Logs);
        Assert.Null(newcomer.Log.ViewTable());
        newcomer.Create("by the newcomer");
        Assert.True(newcomer.Log.Seal().IsOk);
        old.PullFrom(newcomer);
        Assert.Contains("by the newcomer", old.Names());
        Assert.Equal(old.TableText(), newcomer.TableText());
    }

    /// <summary>What its table had and no block shows may be nowhere else by then: it is what its blocks are.</summary>
    [Fact]
    public void ANewcomerThatEndsBeforeItHasAllBlocks_GoesOnFromThose()
    {
        LogNode old = Old();
        LogNode newcomer = Node(3);
        Copy(old, newcomer);
        Assert.Equal(ReceiveOutcome.Accepted, newcomer.Log.Receive([First(old)])[0]);
        Assert.True(newcomer.Log.Commit().IsOk);
        newcomer.Close();
        Assert.Equal(["0"], newcomer.Open().Names());
        Assert.Null(newcomer.Log.IndexFault);
        newcomer.PullFrom(old);
        Assert.Equal(old.TableText(), newcomer.TableText());
    }

    [Fact]
    public void ACrashWhileTheTableComes_LeavesNothingOfIt()
    {
        LogNode old = Old();
        LogNode newcomer = Node(3);
        TableFill fill = Begin(newcomer);
        TableRecordBytes[] records = Records(old);
        Assert.True(fill.Add(records[..(records.Length / 2)]).IsOk);
        newcomer.Crash(CrashKind.PowerLost);
        Assert.Empty(newcomer.Open().Names());
        newcomer.PullFrom(old);
        Assert.Equal(old.TableText(), newcomer.TableText());
    }

    [Fact]
    public void WhatNoTableHas_IsRefused()
    {
        LogNode old = Old();
        TableRecordBytes[] records = Records(old);
        LogNode newcomer = Node(3);
        TableFill fill = Begin(newcomer);
        Assert.False(fill.Add([records[1], records[0]]).IsOk);
        Assert.False(fill.Add([new TableRecordBytes(new[] { IndexTable.NodesOwn, (byte)'h' }, new byte[8])]).IsOk);
        byte[] rules = [FoldKeys.Reserved, (byte)'V'];
        Assert.True(fill.Begin().IsOk);
        Assert.True(fill.Add([.. records.Select(record =>
            record.Key.Span.SequenceEqual(rules) ? record with { Value = new byte[] { 1 } } : record)]).IsOk);
        Assert.False(fill.Finish().IsOk);
        Assert.Empty(newcomer.Open().Names());
    }

    /// <summary>A fold's own records that lie: whatever they say, the log opens, and its blocks make the table.</summary>
    [Fact]
    public void ATableThatCannotBeGoneOnFrom_IsThrownAway()
    {
        LogNode old = Old();
        LogNode newcomer = Node(3);
        TableFill fill = Begin(newcomer);
        Assert.True(fill.Add([.. Records(old).Select(record =>
            record.Key.Span[0] == FoldKeys.Reserved && record.Key.Span[1] == (byte)'L'
                ? record with { Value = new byte[] { 7 } }
                : record)]).IsOk);
        Assert.True(fill.Finish().IsOk);
        Assert.Empty(newcomer.Open().Names());
        Assert.NotNull(newcomer.Log.IndexFault);
        newcomer.PullFrom(old);
        Assert.Equal(old.TableText(), newcomer.TableText());
    }

    [Fact]
    public void ARevocationBeforeTheBlocksAreHere_HasItsEffectWhenTheyAre()
    {
        LogNode revoked = Node(2).Open();
        for (int i = 0; i < 3; i++)
        {
            revoked.Create($"revoked {i}");
            Assert.True(revoked.Log.Seal().IsOk);
        }

        LogNode old = Old();
        old.PullFrom(revoked);
        LogNode newcomer = Node(3);
        Copy(old, newcomer);
        _members.LastAccepted[revoked.Log.OwnLogId] = 1;
        old.Log.Reconsider();
        newcomer.Log.Reconsider();
        Assert.Contains("revoked 2", newcomer.Names());
        foreach (HeldBlock block in old.Log.BlocksAfter(newcomer.Log.Positions, int.MaxValue))
        {
            newcomer.Log.Receive([block.Bytes]);
        }

        Assert.Equal(["0", "1", "2", "3", "4", "revoked 0"], newcomer.Names());
        Assert.Equal(old.TableText(), newcomer.TableText());
    }

    private static TableFill Begin(LogNode newcomer)
    {
        newcomer.Open();
        newcomer.Close();
        var fill = new TableFill(newcomer.Sealed);
        Assert.True(fill.Begin().IsOk);
        return fill;
    }

    private static ReadOnlyMemory<byte> First(LogNode node) =>
        node.Log.BlocksAfter(Core.Log.LogPositions.Empty, 1)[0].Bytes;

    /// <summary>All records of a node's table but its own, as they are sent.</summary>
    private static TableRecordBytes[] Records(LogNode node)
    {
        using IIndexStore view = node.Log.ViewTable()!;
        return [.. view.Scan([], [], int.MaxValue).Value
            .Where(record => record.Key[0] is < IndexTable.NodesOwn or >= FoldKeys.Reserved)
            .Select(record => new TableRecordBytes(record.Key, record.Value))];
    }

    private static void Copy(LogNode from, LogNode to)
    {
        TableFill fill = Begin(to);
        Assert.True(fill.Add(Records(from)).IsOk);
        Assert.True(fill.Finish().IsOk);
        to.Open();
        Assert.Null(to.Log.IndexFault);
    }

    private LogNode Old()
    {
        LogNode old = Node(1).Open();
        for (int i = 0; i < 5; i++)
        {
            old.Create($"{i}");
            Assert.True(old.Log.Seal().IsOk);
        }

        return old;
    }

    private LogNode Node(int number)
    {
        var node = new LogNode(_scheduler, number, _members);
        _members.Grant(node.Identity);
        return node;
    }
}
