using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Node.Logs.Recovery;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Indexes;
using Cairn.Simulation.Time;
using Cairn.Storage.Journaling;
using Cairn.Storage.Ports;

namespace Cairn.Node.Tests.Logs;

/// <summary>A node's own log that was cut short, emptied or deleted while peers have it: no fork, nothing lost, writing goes on.</summary>
public sealed class OwnLogDamageTests
{
    private readonly SimulatedScheduler _scheduler = new();
    private readonly LogMembers _members = new();

    public enum Harm
    {
        CutInTheLastBlock,
        CutToItsHeader,
        Emptied,
        Deleted,
    }

    [Theory]
    [InlineData(Harm.CutInTheLastBlock, true)]
    [InlineData(Harm.CutInTheLastBlock, false)]
    [InlineData(Harm.CutToItsHeader, true)]
    [InlineData(Harm.CutToItsHeader, false)]
    [InlineData(Harm.Emptied, true)]
    [InlineData(Harm.Emptied, false)]
    [InlineData(Harm.Deleted, true)]
    [InlineData(Harm.Deleted, false)]
    public void AnOwnLogThatLostItsEnd_TakesNoNumbersThatPeersKnow(Harm harm, bool keepsIndex)
    {
        LogNode node = Node(1).Open();
        LogNode peer = Node(2).Open();
        Write(node, "a");
        Write(node, "b");
        peer.PullFrom(node);
        node.Close();
        LogId before = Hurt(node, harm);
        node.Index = keepsIndex ? node.Index : new SimulatedIndex();

        // Twice: what told of the damage may be gone at the second start.
        node.Open();
        node.Close();
        node.Open();
        Assert.NotEqual(before, node.Log.OwnLogId);
        Write(node, "c");
        node.PullFrom(peer);
        peer.PullFrom(node);
        node.Log.Settle(peer.Log.Positions);
        Assert.Equal(["a", "b", "c"], node.Names());
        Assert.Equal(node.TableText(), peer.TableText());
        Assert.False(node.Log.HasUnsent);
        Write(node, "d");
        peer.PullFrom(node);
        Assert.Equal(["a", "b", "c", "d"], peer.Names());
        int findings = node.Log.Findings.Take().Count + node.Blocks.Findings.Count;
        Assert.True((harm == Harm.Deleted && !keepsIndex) || findings > 0);
    }

    /// <summary>The journal of a node that was killed may be the only place where a change is.</summary>
    [Fact]
    public void WhatNoPeerHas_IsWrittenAgainUnderAnotherNumber()
    {
        LogNode node = Node(1).Open();
        LogNode peer = Node(2).Open();
        Write(node, "a");
        Write(node, "b");
        peer.PullFrom(node);
        node.Create("only in the journal");
        node.Crash(CrashKind.ProcessKilled);
        LogId before = Hurt(node, Harm.CutInTheLastBlock);

        node.Open();
        Assert.Equal(["a"], node.Names());
        Assert.True(node.Log.HasUnsent);

        // A peer that holds more than this node does not settle anything before its blocks are here.
        node.Log.Settle(peer.Log.Positions);
        Assert.Equal(["a"], node.Names());
        node.PullFrom(peer);
        node.Log.Settle(peer.Log.Positions);
        Assert.Equal(["a", "b", "only in the journal"], node.Names());
        Assert.True(node.Log.Seal().IsOk);
        peer.PullFrom(node);
        Assert.Equal(node.TableText(), peer.TableText());
        Assert.Equal(2ul, node.Log.Positions[before].TransactionSeq);
        node.Close();
        Assert.Equal(peer.TableText(), node.Open().TableText());
        Assert.False(node.Log.HasUnsent);
    }

    /// <summary>Nobody knew that a member that is away has the lost block: it counts once, also where it was removed since.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WhatWasWrittenAgainAndComesBack_CountsOnce(bool isRemovedBeforeItIsSeenAgain)
    {
        LogNode node = Node(1).Open();
        LogNode peer = Node(2).Open();
        LogNode away = Node(3).Open();
        Write(node, "a");
        peer.PullFrom(node);
        Write(node, "b");
        away.PullFrom(node);
        node.Crash(CrashKind.ProcessKilled);
        Hurt(node, Harm.CutInTheLastBlock);
        node.Open();
        Write(node, "c");
        Write(node, "d");
        node.Log.Settle(peer.Log.Positions);
        Assert.Equal(["a", "b", "c", "d"], node.Names());
        Assert.True(node.Log.Seal().IsOk);
        peer.PullFrom(node);
        (isRemovedBeforeItIsSeenAgain ? away : peer).Remove("b");
        LogNode[] all = [node, peer, away];
        foreach (LogNode to in (LogNode[])[.. all, .. all])
        {
            Assert.True(to.Log.Seal().IsOk);
            foreach (LogNode from in all)
            {
                to.PullFrom(from);
            }
        }

        Assert.All(all, one => Assert.Equal(["a", "c", "d"], one.Names()));
        Assert.All(all, one => Assert.Equal(node.TableText(), one.TableText()));
        peer.Close();
        peer.Index = new SimulatedIndex();
        Assert.Equal(node.TableText(), peer.Open().TableText());
    }

    [Fact]
    public void WhoIsAlone_KeepsWhatTheJournalHas()
    {
        LogNode node = Node(1).Open();
        Write(node, "a");
        Write(node, "b");
        node.Close();
        Hurt(node, Harm.CutInTheLastBlock);
        node.Open();
        node.Log.Settle(LogPositions.Empty);
        Assert.Equal(["a", "b"], node.Names());
        Write(node, "c");
        node.Close();
        Assert.Equal(["a", "b", "c"], node.Open().Names());
    }

    /// <summary>Rot, then a crash: the journal still has what the lost blocks were made of, and what no block has.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WhatTheJournalHasOfRottenBlocks_IsNeverSealedUnderTheirNumbers(bool isPeerAhead)
    {
        LogNode node = Node(1).Open();
        LogNode peer = Node(2).Open();
        foreach (string name in (string[])["a", "b", "c"])
        {
            Write(node, name);
            if (isPeerAhead || name == "a")
            {
                peer.PullFrom(node);
            }
        }

        node.Create("d");
        string file = node.Disk.Files.Single(path => path.StartsWith("logs/", StringComparison.Ordinal));
        node.Crash(CrashKind.ProcessKilled);
        node.Disk.FlipBit(file, node.Disk.LengthOf(file) / 2, 3);
        node.Open();
        Assert.True(node.Log.AwaitsWord);

        // What is written meanwhile goes on: it waits for nobody.
        Write(node, "e");
        peer.PullFrom(node);
        Assert.Contains("e", peer.Names());
        Assert.True(node.Log.HasUnsent);
        node.Log.Settle(peer.Log.Positions);
        Assert.Equal(isPeerAhead, node.Log.AwaitsWord);
        node.PullFrom(peer);
        node.Log.Settle(peer.Log.Positions);
        Assert.False(node.Log.AwaitsWord);
        Assert.True(node.Log.Seal().IsOk);
        peer.PullFrom(node);
        Assert.Equal(["a", "b", "c", "d", "e"], peer.Names());
        Assert.Equal(node.TableText(), peer.TableText());
        Assert.False(node.Log.HasUnsent);

        // Whatever the journal gives back at the next starts was settled: nothing is written a third time.
        LogPositions settled = peer.Log.Positions;
        node.Crash(CrashKind.ProcessKilled);
        node.Open();
        node.Log.Settle(peer.Log.Positions);
        Assert.True(node.Log.Seal().IsOk);
        peer.PullFrom(node);
        Assert.True(settled.Covers(peer.Log.Positions));
        Assert.Equal(["a", "b", "c", "d", "e"], node.Names());
    }

    /// <summary>A home from a backup has no trace of what came after: what it wrote meanwhile moves out of the way.</summary>
    [Fact]
    public void NumbersThatPeersGaveToSomethingElse_AreGivenUp()
    {
        LogNode node = Node(1).Open();
        LogNode peer = Node(2).Open();
        Write(node, "a");
        node.Close();
        SimulatedDisk backup = node.Disk.Clone();
        SimulatedIndex index = node.Index.Clone();
        node.Open();
        Write(node, "after the backup");
        peer.PullFrom(node);
        node.Close();

        node.Disk = backup;
        node.Index = index;
        node.Open();
        node.Create("before the peers were asked");
        node.PullFrom(peer);
        Assert.Equal(["a", "after the backup", "before the peers were asked"], node.Names());
        Assert.True(node.Log.Seal().IsOk);
        peer.PullFrom(node);
        Assert.Equal(node.TableText(), peer.TableText());
        node.Close();
        Assert.Equal(peer.TableText(), node.Open().TableText());
    }

    /// <summary>The peer's block of a transaction that still waits here is that transaction: nothing is written twice.</summary>
    [Fact]
    public void ABlockOfWhatStillWaits_EndsTheWaiting()
    {
        LogNode node = Node(1).Open();
        LogNode peer = Node(2).Open();
        Write(node, "a");
        node.Create("b");
        SimulatedDisk before = node.Disk.Clone();
        Assert.True(node.Log.Seal().IsOk);
        peer.PullFrom(node);
        node.Crash(CrashKind.ProcessKilled);

        // A disk that lied about the sync of the block.
        node.Disk = before;
        node.Disk.Crash(CrashKind.ProcessKilled, 0);
        node.Open();
        node.PullFrom(peer);
        Write(node, "c");
        peer.PullFrom(node);
        Assert.Equal(["a", "b", "c"], peer.Names());
        Assert.Equal(node.TableText(), peer.TableText());
        Assert.False(node.Log.HasUnsent);
    }

    /// <summary>The disk is full when the node comes back from a crash: it opens, and nothing of the journal is given up.</summary>
    [Fact]
    public void AFullDiskAtTheStart_CostsNothing()
    {
        LogNode node = Node(1).Open();
        Write(node, "a");
        node.Create("only in the journal");
        node.Crash(CrashKind.ProcessKilled);
        string[] there = [.. node.Disk.Files];
        node.Disk.Faults.Fail = (path, operation) => operation == DiskOperation.Write && !there.Contains(path)
            ? DiskErrorKind.NoSpace
            : null;
        node.Open();
        Assert.Equal(["a", "only in the journal"], node.Names());
        node.Create("b");
        Assert.False(node.Log.Seal().IsOk);
        node.Disk.Faults.Clear();
        Assert.True(node.Log.Seal().IsOk);
        Assert.False(node.Log.HasUnsent);
    }

    /// <summary>A volume that could not be opened is tried again in the same run, and the journal is read once.</summary>
    [Fact]
    public void WhatTheJournalHad_IsThereForTheNextTry()
    {
        LogNode node = Node(1).Open();
        node.Create("only in the journal");
        node.Crash(CrashKind.ProcessKilled);
        RecoveredJournal recovered = RecoveredJournal.Replay(Journal.Open(node.Disk).Value).Value;
        IReadOnlyList<RecoveredRecord> records = recovered.Take(LogNode.Keyring.Volume);
        Assert.Single(records);
        Assert.Empty(recovered.Take(LogNode.Keyring.Volume));
        recovered.PutBack(LogNode.Keyring.Volume, records);
        Assert.Equal(records, recovered.Take(LogNode.Keyring.Volume));
    }

    [Fact]
    public async Task Stopping_EndsThoughSealingHasFailed()
    {
        LogNode node = Node(1).Open();
        node.Log.HoldsBack = static () => throw new InvalidOperationException("a bug");
        node.Create("a");
        Task<bool> stopped = node.Process.Run(async () =>
        {
            await node.Log.DisposeAsync();
            return true;
        });
        Assert.True(_scheduler.RunUntil(() => stopped.IsCompleted, TimeSpan.FromMinutes(1)));
        Assert.True(await stopped);
        node.Crash(CrashKind.ProcessKilled);
        node.Open();
        Assert.Equal(["a"], node.Names());
    }

    private static void Write(LogNode node, string name)
    {
        node.Create(name);
        Assert.True(node.Log.Seal().IsOk);
    }

    /// <returns>The log that was hurt.</returns>
    private static LogId Hurt(LogNode node, Harm harm)
    {
        LogId log = node.Log.OwnLogId;
        string path = "logs/" + node.Disk.List("logs").Value.Single(
            name => name.Contains($"{log.Author}-{log.Incarnation}", StringComparison.Ordinal));
        switch (harm)
        {
            case Harm.CutInTheLastBlock:
                node.Disk.Truncate(path, node.Disk.LengthOf(path) - 20);
                break;
            case Harm.CutToItsHeader:
                node.Disk.Truncate(path, 128);
                break;
            case Harm.Emptied:
                node.Disk.Truncate(path, 0);
                break;
            case Harm.Deleted:
                Assert.True(node.Disk.Delete(path).IsOk);
                Assert.True(node.Disk.SyncDirectory("logs").IsOk);
                break;
            default:
                throw new InvariantException($"no harm {harm}");
        }

        return log;
    }

    private LogNode Node(int number)
    {
        var node = new LogNode(_scheduler, number, _members);
        _members.Grant(node.Identity);
        return node;
    }
}
