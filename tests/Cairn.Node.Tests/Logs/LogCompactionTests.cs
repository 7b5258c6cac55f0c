using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Core.Tree;
using Cairn.Node.Garbage;
using Cairn.Node.Logs.Checkpoints;
using Cairn.Node.Logs.Index;
using Cairn.Node.Ports;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Indexes;
using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Logs;

/// <summary>Logs that begin later: with who dropped blocks, and with who begins with a checkpoint.</summary>
public sealed class LogCompactionTests : IGarbageMembers
{
    private const int Turns = 20;

    private readonly SimulatedScheduler _scheduler = new();
    private readonly LogMembers _members = new();
    private readonly SimulatedIndex[] _slots = [new(), new(), new(), new()];
    private readonly LogNode _node;
    private readonly LogNode _other;
    private StandingCheckpoint? _standing;
    private StandingCheckpoint? _settled;

    public LogCompactionTests()
    {
        _node = Node(1);
        _node.Checkpoints = Shelf();
        _node.Open();
        _other = Node(2).Open();
        WriteAroundACheckpoint();
    }

    IReadOnlyList<NodeId> IGarbageMembers.Writers => [_node.Identity.Node, _other.Identity.Node];

    LogPositions IGarbageMembers.Stable(LogPositions held) => held.Meet(_other.Log.Seen);

    [Fact]
    public void DroppedBlocks_TakeNothingButThemselves()
    {
        LogPositions positions = _node.Log.Positions;
        Drop(_node);
        Assert.Equal(2, _node.Log.Compaction.Beginnings.Logs.Count);
        Assert.Equal(positions, _node.Log.Positions);
        Assert.All(
            _node.Log.Compaction.Beginnings.Logs,
            begins => Assert.InRange(begins.Value.BlockSeq, 2UL, positions[begins.Key].BlockSeq - 1));
        AssertWorksOn();

        LogBeginnings before = _node.Log.Compaction.Beginnings;
        Reopen(_node);
        Assert.Equal(before, _node.Log.Compaction.Beginnings);
        AssertWorksOn();
        Drop(_node);
        Assert.Equal(before, _node.Log.Compaction.Beginnings);
        Assert.Empty(_node.Blocks.Findings);
    }

    [Fact]
    public void WhatIsNotWorthIt_IsLeft()
    {
        Assert.Equal(0, _node.Log.Compaction.Drop(InCheckpoint(), _standing!.Checkpoint.Depth).Value);
        Assert.Equal(LogBeginnings.None, _node.Log.Compaction.Beginnings);
    }

    [Fact]
    public void AFoldThatHasNotAllOfTheState_DropsNothingOfThatLog()
    {
        LogNode behind = Node(3).Open();
        behind.Log.Receive(Blocks(4));
        Assert.True(behind.Log.Commit().IsOk);
        Drop(behind);
        Assert.Equal(LogBeginnings.None, behind.Log.Compaction.Beginnings);
    }

    [Fact]
    public void ALostIndex_IsMadeFromTheCheckpointAndTheBlocksThatAreLeft()
    {
        Drop(_node);
        _node.Close();
        _node.Index = new SimulatedIndex();
        _node.Checkpoints = Shelf();
        _node.Open();
        AssertWorksOn();
    }

    /// <summary>An index from a backup, or one that a power loss took back: it lacks what nobody can fold into it any more.</summary>
    [Fact]
    public void AnIndexFromBeforeSomethingWasDropped_IsMadeAnew()
    {
        Drop(_node);
        _node.Close();
        LogNode old = Node(5).Open();
        old.Log.Receive([.. _other.Log.BlocksAfter(LogPositions.Empty, int.MaxValue)
            .Where(one => one.Position.BlockSeq <= 3).Select(one => one.Bytes)]);
        Assert.Equal(6, old.Names().Length);
        old.Close();
        _node.Index = old.Index;
        _node.Checkpoints = Shelf();
        _node.Open();
        Assert.Contains("dropped", _node.Log.IndexFault, StringComparison.Ordinal);
        Assert.Equal(_other.TableText(), _node.TableText());
        Reopen(_node);
        AssertWorksOn();
    }

    [Fact]
    public void ANewcomerWithTheCheckpoint_BeginsWhereTheOthersBegin()
    {
        Drop(_node);
        LogNode newcomer = Node(3);
        Copy(newcomer);
        Assert.Empty(_node.Log.BlocksAfter(newcomer.Log.Positions, int.MaxValue));
        Assert.Equal(LogBeginnings.None, Hear(newcomer, _node));
        newcomer.PullFrom(_node);
        Assert.Equal(_node.Log.Compaction.Beginnings, newcomer.Log.Compaction.Beginnings);
        Assert.Equal(_node.Log.Positions, newcomer.Log.Positions);
        Assert.Equal(_other.TableText(), newcomer.TableText());
        Assert.NotNull(newcomer.Log.ViewTable());

        Reopen(newcomer);
        newcomer.Create("by the newcomer");
        Assert.True(newcomer.Log.Seal().IsOk);
        _other.PullFrom(newcomer);
        Assert.Equal(_other.TableText(), newcomer.TableText());
        Assert.Equal(_node.Log.Compaction.Beginnings, newcomer.Log.Compaction.Beginnings);
    }

    /// <summary>Some of the old blocks came before: the rest is not needed.</summary>
    [Fact]
    public void ANewcomerThatHasSomeBlocks_LetsThemGo()
    {
        LogNode newcomer = Node(3);
        Copy(newcomer);
        newcomer.Log.Receive(Blocks(3));
        Assert.True(newcomer.Log.Commit().IsOk);
        Drop(_node);
        Assert.Equal(LogBeginnings.None, Hear(newcomer, _node));
        newcomer.PullFrom(_node);
        Assert.Equal(_node.Log.Compaction.Beginnings, newcomer.Log.Compaction.Beginnings);
        Assert.Equal(_other.TableText(), newcomer.TableText());
    }

    [Fact]
    public void WhoLacksBlocksAndHasNoState_IsTold_AndGetsThemFromWhoHasThem()
    {
        Drop(_node);
        LogNode newcomer = Node(3).Open();
        Assert.Empty(_node.Log.BlocksAfter(newcomer.Log.Positions, int.MaxValue));
        LogBeginnings beyond = Hear(newcomer, _node);
        Assert.Equal(
            _node.Log.Compaction.Beginnings.Logs.Select(one => (one.Key, one.Value.Position)),
            beyond.Logs.Select(one => (one.Key, one.Value.Position)));
        Assert.Empty(newcomer.Log.Positions.Logs);
        Assert.Equal(LogBeginnings.None, newcomer.Log.Compaction.Beginnings);

        newcomer.PullFrom(_other);
        Assert.Equal(LogBeginnings.None, Hear(newcomer, _node));
        newcomer.PullFrom(_node);
        Assert.Equal(_other.TableText(), newcomer.TableText());
        Assert.Equal(LogBeginnings.None, newcomer.Log.Compaction.Beginnings);
    }

    /// <summary>Its fold has it all; but without the blocks, and without a state to begin with, it could never fold again.</summary>
    [Fact]
    public void AMemberWithoutAState_GivesUpNothing_ThoughItsFoldHasAll()
    {
        Drop(_node);
        LogId log = _node.Log.OwnLogId;
        _other.Disk.FlipBit(PathOf(log), 128 + 40, 3);
        _ = _other.Log.BlocksAfter(LogPositions.Empty, int.MaxValue);
        Assert.Equal(default, _other.Log.Positions[log]);
        LogBeginnings beyond = Hear(_other, _node);
        Assert.False(beyond[log].IsFirst);
        Assert.Equal(default, _other.Log.Positions[log]);

        // Once it has the state, it begins there, too.
        _other.Log.Compaction.Base = () => (InCheckpoint(), _standing!.Checkpoint.Depth);
        Assert.Equal(LogBeginnings.None, Hear(_other, _node));
        _other.PullFrom(_node);
        Assert.Equal(_node.Log.Compaction.BeginningOf(log), _other.Log.Compaction.BeginningOf(log));
        AssertWorksOn();

        // Without the state in its hands it cannot fold again, and does not try with what is left.
        string before = _other.TableText();
        _members.LastAccepted[log] = _other.Log.Positions[log].BlockSeq - 1;
        _other.Log.Reconsider();
        Assert.Equal(before, _other.TableText());
    }

    [Fact]
    public void AForgedBeginning_IsNotBelieved()
    {
        Drop(_node);
        LogNode newcomer = Node(3);
        Copy(newcomer);
        byte[] block = [.. _node.Log.Compaction.FirstKept(LogPositions.Empty)[0]];
        for (int i = 0; i < block.Length; i++)
        {
            block[i] ^= 4;
            Assert.Equal(LogBeginnings.None, newcomer.Log.Compaction.Hear([block]));
            block[i] ^= 4;
        }

        Assert.Equal(LogBeginnings.None, newcomer.Log.Compaction.Beginnings);
    }

    [Theory]
    [InlineData(CrashKind.ProcessKilled)]
    [InlineData(CrashKind.PowerLost)]
    public void ACrashAnywhereWhileBlocksAreDropped_CostsNothing(CrashKind kind)
    {
        _node.Close();
        (SimulatedDisk whole, SimulatedIndex index) = (_node.Disk, _node.Index);
        HashSet<int> seen = [];
        bool isDone = false;
        for (long k = 1; !isDone; k++)
        {
            _node.Disk = whole.Clone();
            _node.Index = index.Clone();
            _node.Checkpoints = Shelf();
            _node.Open();
            _node.Disk.Faults.DieAtChange = _node.Disk.Faults.ChangeCount + k;
            _node.Log.Compaction.WorthBytes = 0;
            isDone = _node.Log.Compaction.Drop(InCheckpoint(), _standing!.Checkpoint.Depth).IsOk;
            _node.Crash(kind, (ulong)k);
            _node.Checkpoints = Shelf();
            _node.Open();
            Assert.Null(_node.Log.IndexFault);
            Assert.Empty(_node.Blocks.Findings);
            Assert.Equal(_other.TableText(), _node.TableText());
            Assert.True(_node.Log.Positions.Covers(_other.Log.Positions), $"operation {k}");
            seen.Add(_node.Log.Compaction.Beginnings.Logs.Count);
            _node.Crash(kind, (ulong)k);
            Assert.True(k < 200);
        }

        Assert.Equal([0, 1, 2], seen.Order());
    }

    /// <summary>What rots behind the beginning comes back from others; what rots in the header is there twice.</summary>
    [Fact]
    public void DamageBehindTheBeginning_IsMended_AndBeforeItThereIsNone()
    {
        // As on a real node: nothing is dropped before anything else.
        _settled = _standing;
        Drop(_node);
        _node.Close();
        (SimulatedDisk whole, SimulatedIndex index) = (_node.Disk, _node.Index);
        foreach (LogId log in new[] { _node.Log.OwnLogId, _other.Log.OwnLogId })
        {
            long length = whole.LengthOf(PathOf(log));
            for (long offset = 0; offset < length; offset += offset < 8192 ? 512 : 97)
            {
                _node.Disk = whole.Clone();
                _node.Index = index.Clone();
                _node.Checkpoints = Shelf();
                _node.Disk.FlipBit(PathOf(log), offset, (int)(offset % 8));
                _node.Open();
                LogBeginning begins = _node.Log.Compaction.BeginningOf(log);
                Assert.False(begins.IsFirst);
                _node.PullFrom(_other);
                Assert.True(_node.Log.Positions.Covers(_other.Log.Positions), $"{log} {offset}");
                if (_node.Log.IndexFault is not null)
                {
                    // The checkpoint could not be begun with while blocks that it has were missing.
                    _node.Close();
                    _node.Index = new SimulatedIndex();
                    _node.Checkpoints = Shelf();
                    _node.Open();
                }

                Assert.Equal(Tree(_other), Tree(_node));
                _node.Crash(CrashKind.ProcessKilled);
            }
        }
    }

    /// <summary>The table but for the node's own.</summary>
    private static string Tree(LogNode node) =>
        string.Join('\n', node.TableText().Split('\n').Where(line => !line.StartsWith('E')));

    private void AssertWorksOn()
    {
        Assert.Null(_node.Log.IndexFault);
        _node.Create($"after {_node.Names().Length}");
        Assert.True(_node.Log.Seal().IsOk);
        _other.PullFrom(_node);
        _other.Create($"from the other {_other.Names().Length}");
        Assert.True(_other.Log.Seal().IsOk);
        _node.PullFrom(_other);
        Assert.True(
            _other.TableText() == _node.TableText(),
            string.Join("; ", _node.Log.Findings.Take().Concat(_other.Log.Findings.Take())));
        if (_other.Log.Compaction.Beginnings.Equals(LogBeginnings.None))
        {
            LogNode historian = Node(9).Open();
            historian.PullFrom(_other);
            Assert.Equal(historian.TableText(), _node.TableText());
        }

        Assert.Equal(0, _node.Log.Fold.WaitingCount);
    }

    private ReadOnlyMemory<byte>[] Blocks(int count) =>
        [.. _node.Log.BlocksAfter(LogPositions.Empty, int.MaxValue).Select(one => one.Bytes).Take(count)];

    private void Drop(LogNode node)
    {
        node.Log.Compaction.WorthBytes = 0;
        Assert.True(node.Log.Compaction.Drop(InCheckpoint(), _standing!.Checkpoint.Depth).IsOk);
    }

    private static LogBeginnings Hear(LogNode to, LogNode from)
    {
        LogBeginnings beyond = to.Log.Compaction.Hear(
            [.. from.Log.Compaction.FirstKept(to.Log.Positions).Select(static one => new ReadOnlyMemory<byte>(one))]);
        Assert.True(to.Log.Commit().IsOk);
        return beyond;
    }

    private LogPositions InCheckpoint()
    {
        using CheckpointShelf shelf = Shelf();
        shelf.Open();
        using IIndexStore view = shelf.View(_standing!.Checkpoint.Hash)!;
        var table = new OverlayTable(new IndexTable(view), cacheBytesMax: 0, learnKeysMax: 0);
        return new OrderedFold(table, new TreeApplier()).Positions;
    }

    /// <summary>A newcomer takes the checkpoint, and is opened with it.</summary>
    private void Copy(LogNode to)
    {
        to.Open();
        to.Close();
        using CheckpointShelf shelf = Shelf();
        shelf.Open();
        using IIndexStore view = shelf.View(_standing!.Checkpoint.Hash)!;
        var fill = new TableFill(to.Sealed);
        Assert.True(fill.Begin(_standing.Checkpoint.Hash).IsOk);
        Assert.True(fill.Add([.. view.Scan([], [], int.MaxValue).Value
            .Where(record => record.Key[0] is < IndexTable.NodesOwn or >= FoldKeys.Reserved)
            .Select(record => new TableRecordBytes(record.Key, record.Value))]).IsOk);
        Assert.True(fill.Finish(_standing.Members).IsOk);
        to.Open();
        Assert.Null(to.Log.IndexFault);
    }

    /// <summary>Two that write in turn, a checkpoint of that, and more of both.</summary>
    private void WriteAroundACheckpoint()
    {
        for (int i = 0; i < Turns; i++)
        {
            WriteInTurn(i);
        }

        var maker = new CheckpointMaker(_node.Log, _node.Process, _node.Checkpoints!) { StepMin = Turns };
        _node.Process.Run(() => maker.Prune(this));
        _scheduler.RunFor(TimeSpan.FromMilliseconds(1));
        MadeCheckpoint made = _node.Checkpoints!.Newest!.Value;
        _standing = new StandingCheckpoint(made, [.. ((IGarbageMembers)this).Writers.Order()]);
        for (int i = Turns; i < Turns + 6; i++)
        {
            WriteInTurn(i);
        }

        _node.PullFrom(_other);
    }

    private void WriteInTurn(int turn)
    {
        (LogNode writer, LogNode reader) = turn % 2 == 0 ? (_node, _other) : (_other, _node);
        writer.Create($"{turn}");
        Assert.True(writer.Log.Seal().IsOk);
        reader.PullFrom(writer);
    }

    private void Reopen(LogNode node)
    {
        node.Close();
        if (node == _node)
        {
            node.Checkpoints = Shelf();
        }

        node.Open();
    }

    private static string PathOf(LogId log) =>
        $"logs/{LogNode.Keyring.Volume}-{log.Author}-{log.Incarnation}.log";

    private CheckpointShelf Shelf() => new(slot => _slots[slot], () => _standing) { Settled = () => _settled };

    private LogNode Node(int number)
    {
        var node = new LogNode(_scheduler, number, _members);
        _members.Grant(node.Identity);
        return node;
    }
}
