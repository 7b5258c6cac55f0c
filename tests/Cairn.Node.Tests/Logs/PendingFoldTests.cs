using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Node.Logs;
using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Logs;

public sealed class PendingFoldTests
{
    private readonly SimulatedScheduler _scheduler = new();
    private readonly LogMembers _members = new();

    [Fact]
    public void BlocksThatArriveTogether_AreFoldedInOnePass()
    {
        LogNode away = Node(1).Open();
        LogNode here = Node(2).Open();
        for (int i = 0; i < 20; i++)
        {
            away.Create($"away {i}");
            here.Create($"here {i}");
            Assert.True(away.Log.Seal().IsOk && here.Log.Seal().IsOk);
        }

        Assert.Equal(20UL, away.Log.Positions[away.Log.OwnLogId].BlockSeq);
        int passes = 0;
        here.Log.Changed += _ => passes++;
        here.PullFrom(away);
        away.PullFrom(here);
        Assert.Equal(1, passes);
        Assert.Equal(40, here.Names().Length);
        Assert.Equal(away.TableText(), here.TableText());
    }

    /// <summary>A peer sends log after log: of authors who wrote in turn, nearly all of the first waits for the second.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WhatWaitsForOthers_IsNotAllInMemory(bool isRestarted)
    {
        var options = new ReplicatedLogOptions { FoldTransactionsMax = 20, WaitingTransactionsMax = 50 };
        (LogNode one, LogNode two) = WrittenInTurn(turns: 40, filesPerTurn: 10);
        LogNode newcomer = Node(3).Open(options);
        foreach (IGrouping<LogId, HeldBlock> log in one.Log.BlocksAfter(LogPositions.Empty, int.MaxValue)
            .GroupBy(static block => block.Log))
        {
            foreach (HeldBlock[] message in log.Chunk(3))
            {
                Take(newcomer, message);
                Assert.InRange(newcomer.Log.Fold.WaitingCount, 0, 50);
            }

            if (isRestarted)
            {
                newcomer.Close();
                newcomer.Open(options);
                Assert.InRange(newcomer.Log.Fold.WaitingCount, 0, 50);
            }
        }

        Assert.Equal(one.TableText(), two.TableText());
        Assert.Equal(one.TableText(), newcomer.TableText());
        Assert.Equal(one.Log.Positions, newcomer.Log.Word);
        Assert.Equal(0, newcomer.Log.Fold.WaitingCount);

        // From now on as ever: what comes is folded, and waits in memory if it is little.
        one.Create("one more");
        Assert.True(one.Log.Seal().IsOk);
        newcomer.PullFrom(one);
        Assert.Equal(one.TableText(), newcomer.TableText());
    }

    /// <summary>A block that waits on the disk alone can rot there before it is folded: peers send it again.</summary>
    [Fact]
    public void ABlockThatRotsBeforeItIsReadAgain_IsAskedFor()
    {
        var options = new ReplicatedLogOptions { FoldTransactionsMax = 20, WaitingTransactionsMax = 50 };
        (LogNode one, _) = WrittenInTurn(turns: 40, filesPerTurn: 10);
        LogNode newcomer = Node(3).Open(options);
        HeldBlock[][] logs = [.. one.Log.BlocksAfter(LogPositions.Empty, int.MaxValue)
            .GroupBy(static block => block.Log).Select(static log => log.ToArray())];
        Take(newcomer, logs[0]);
        string file = newcomer.Disk.Files.Where(static path => path.StartsWith("logs/", StringComparison.Ordinal))
            .MaxBy(newcomer.Disk.LengthOf)!;
        newcomer.Disk.FlipBit(file, newcomer.Disk.LengthOf(file) / 2, 3);
        Take(newcomer, logs[1]);
        Assert.NotEqual(one.TableText(), newcomer.TableText());
        for (int i = 0; i < 3; i++)
        {
            newcomer.PullFrom(one);
        }

        Assert.Equal(one.TableText(), newcomer.TableText());
    }

    private static void Take(LogNode newcomer, IReadOnlyList<HeldBlock> message)
    {
        Assert.All(
            newcomer.Log.Receive([.. message.Select(static block => (ReadOnlyMemory<byte>)block.Bytes)]),
            static outcome => Assert.Equal(ReceiveOutcome.Accepted, outcome));
        Assert.True(newcomer.Log.Commit().IsOk);
    }

    private (LogNode One, LogNode Two) WrittenInTurn(int turns, int filesPerTurn)
    {
        LogNode one = Node(1).Open();
        LogNode two = Node(2).Open();
        for (int turn = 0; turn < turns; turn++)
        {
            (LogNode writer, LogNode reader) = turn % 2 == 0 ? (one, two) : (two, one);
            for (int i = 0; i < filesPerTurn; i++)
            {
                writer.Create($"turn {turn} file {i}");
            }

            Assert.True(writer.Log.Seal().IsOk);
            reader.PullFrom(writer);
        }

        one.PullFrom(two);
        return (one, two);
    }

    private LogNode Node(int number)
    {
        var node = new LogNode(_scheduler, number, _members);
        _members.Grant(node.Identity);
        return node;
    }
}
