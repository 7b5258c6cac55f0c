using Cairn.Core.Fold;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Garbage;
using Cairn.Node.Logs.Checkpoints;
using Cairn.Node.Logs.Index;
using Cairn.Node.Ports;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Indexes;
using Cairn.Simulation.Time;
using Cairn.Storage;

namespace Cairn.Node.Tests.Logs;

/// <summary>Folds of whoever knows that a checkpoint is settled: all begin with it, and come to the same tree.</summary>
public sealed class SettledBaseTests : IGarbageMembers
{
    private const int Step = 6;

    /// <summary>Records of an index that was emptied: what it is sealed with.</summary>
    private const int OnlySalt = 1;

    private readonly SimulatedScheduler _scheduler = new();
    private readonly LogMembers _members = new();
    private readonly Dictionary<LogNode, SimulatedIndex[]> _slots = [];
    private readonly LogNode _node;
    private readonly LogNode _other;
    private StandingCheckpoint? _standing;
    private StandingCheckpoint? _settled;

    public SettledBaseTests()
    {
        _node = Node(1).Open();
        _other = Node(2).Open();
    }

    IReadOnlyList<NodeId> IGarbageMembers.Writers => [_node.Identity.Node, _other.Identity.Node];

    LogPositions IGarbageMembers.Stable(LogPositions held) => held.Meet(_other.Log.Seen);

    private ulong BeganAt => _node.Log.Fold.StableOrder.Depth;

    [Fact]
    public void WhoContinuesIt_StandsOnItAtOnce_AndFoldsNothingAgain()
    {
        MadeCheckpoint made = WriteAroundACheckpoint();
        string text = Text(_node);
        ulong cut = BeganAt;
        Settle();
        Assert.Equal(made.Depth, _node.Log.Fold.Ground!.Depth);
        Assert.Equal((cut, text), (BeganAt, Text(_node)));

        _node.Close();
        Open(_node);
        Assert.Equal(made.Hash, _node.Log.Fold.Ground!.Hash);
        Assert.Equal(text, Text(_node));
    }

    /// <summary>It did not make the checkpoint, and has it from another: it folds again, from there.</summary>
    [Fact]
    public void WhoKnowsOnlyTheHistory_TakesIt_AndHasTheSame()
    {
        WriteAroundACheckpoint();
        Settle();
        _other.Log.Reconsider();
        Assert.Null(_other.Log.Fold.Ground);
        Take(_other);
        _other.Log.Reconsider();
        Assert.Equal(_settled!.Checkpoint.Hash, _other.Log.Fold.Ground!.Hash);
        AssertAllAlike(_node, _other);
    }

    /// <summary>What a forgotten member wrote before it is folded behind it, by all alike, whenever they get it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WhatCameTooLate_ComesBehindIt(bool isBefore)
    {
        LogNode forgotten = Node(3).Open();
        forgotten.Create("written apart");
        forgotten.Create("0");
        Assert.True(forgotten.Log.Seal().IsOk);
        MadeCheckpoint made = WriteAroundACheckpoint();
        if (isBefore)
        {
            // It was merged where it belongs, and is put behind now.
            _other.PullFrom(forgotten);
            _node.PullFrom(forgotten);
            Assert.Contains("written apart", _node.Names());
            Assert.Equal(0UL, BeganAt);
        }

        Settle();
        Take(_other);
        _other.Log.Reconsider();
        _node.PullFrom(forgotten);
        _other.PullFrom(forgotten);
        Assert.Equal(made.Depth - 1, BeganAt);
        Assert.Contains("written apart", _node.Names());
        AssertAllAlike(_node, _other);

        forgotten.PullFrom(_node);
        Take(forgotten);
        forgotten.Log.Reconsider();
        forgotten.Create("afterwards");
        Assert.True(forgotten.Log.Seal().IsOk);
        _node.PullFrom(forgotten);
        _other.PullFrom(forgotten);
        AssertAllAlike(_node, _other, forgotten);
    }

    /// <summary>What is in it stays as it was; what is behind it is judged.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void ARevocation_CountsFromThereOn(ulong lastAccepted)
    {
        WriteAroundACheckpoint();
        Settle();
        Take(_other);
        _other.Log.Reconsider();
        string[] before = _node.Names();
        _members.LastAccepted[_other.Log.OwnLogId] = lastAccepted;
        _node.Log.Reconsider();
        _other.Log.Reconsider();
        LogPositions ground = _node.Log.Fold.Ground!.Positions;
        int gone = before.Length - _node.Names().Length;
        Assert.Equal(lastAccepted == 4 ? 1 : 3, gone);
        Assert.Equal(2UL, ground[_other.Log.OwnLogId].TransactionSeq);
        AssertAllAlike(_node, _other);

        LoseIndexAndOpen(_node);
        AssertAllAlike(_node, _other);
        _members.LastAccepted.Clear();
        _node.Log.Reconsider();
        _other.Log.Reconsider();
        Assert.Equal(before, _node.Names());
        AssertAllAlike(_node, _other);
    }

    [Fact]
    public void WithoutIndexAndCheckpoint_TheTreeIsThere_AndTheSameAgainWhenItWasTaken()
    {
        LogNode forgotten = Node(3).Open();
        forgotten.Create("0");
        Assert.True(forgotten.Log.Seal().IsOk);
        WriteAroundACheckpoint();
        Settle();
        Take(_other);
        _other.Log.Reconsider();
        _other.PullFrom(forgotten);
        _node.PullFrom(forgotten);
        string[] names = _node.Names();
        _slots[_node] = Slots();
        LoseIndexAndOpen(_node);
        Assert.Equal(names.Length, _node.Names().Length);
        Assert.Null(_node.Log.Fold.Ground);

        Take(_node, from: _other);
        _node.Log.Reconsider();
        Assert.NotNull(_node.Log.Fold.Ground);
        AssertAllAlike(_node, _other);
        Assert.Null(_node.Log.IndexFault);
    }

    /// <summary>Nothing is thrown away for a checkpoint that cannot be begun with.</summary>
    [Fact]
    public void ADamagedOne_IsTakenFromAnother()
    {
        LogNode forgotten = Node(3).Open();
        WriteAroundACheckpoint();
        Settle();
        Take(_other);
        _other.Log.Reconsider();
        foreach (SimulatedIndex slot in _slots[_node].Where(slot => slot.Count > 0))
        {
            byte[] key = [1, 2, 3];
            Assert.True(slot.Apply([new IndexChange(key, key)]).IsOk);
        }

        forgotten.Create("written apart");
        Assert.True(forgotten.Log.Seal().IsOk);
        string[] before = _node.Names();
        _node.PullFrom(forgotten);
        Assert.Equal(before, _node.Names());
        Assert.False(_node.Checkpoints!.Keeps(_settled!.Checkpoint.Hash));

        Take(_node, from: _other);
        _node.Log.Reconsider();
        Assert.Contains("written apart", _node.Names());
        _other.PullFrom(forgotten);
        AssertAllAlike(_node, _other);
    }

    [Fact]
    public void OthersRecords_AreNotKept()
    {
        WriteAroundACheckpoint();
        Settle();
        using var fill = new SlotFill(_other.Checkpoints!, _settled!.Checkpoint);
        Assert.True(fill.Begin(_settled.Checkpoint.Hash).IsOk);
        Assert.True(fill.Add([.. Records(_node).Skip(1)]).IsOk);
        Assert.False(fill.Add([new TableRecordBytes(new byte[] { 1 }, new byte[] { 1 })]).IsOk);
        Assert.False(fill.Finish(_settled.Members).IsOk);
        Assert.False(_other.Checkpoints!.Keeps(_settled.Checkpoint.Hash));
    }

    /// <summary>What was dropped can come from nowhere else: there is no tree, and none is shown or written into.</summary>
    [Theory]
    [InlineData(CrashKind.ProcessKilled)]
    [InlineData(CrashKind.PowerLost)]
    public void WithoutIndexAndCheckpointAndOldBlocks_ItIsNotOpened_AndNothingJournaledIsLost(CrashKind kind)
    {
        WriteAroundACheckpoint();
        Settle();
        Take(_other);
        _other.Log.Reconsider();
        Drop(_node);
        LogPositions held = _node.Log.Positions;
        _node.Create("journaled");
        Assert.True(_node.Journal.Commit().IsOk);
        string text = Text(_node);
        for (int life = 0; life < 3; life++)
        {
            _node.Crash(kind);
            (_node.Index, _slots[_node]) = (new SimulatedIndex(), Slots());
            _node.Checkpoints = Shelf(_node);
            Assert.Equal(StoreErrorKind.LacksCheckpoint, _node.TryOpen().Error.Kind);
            Assert.InRange(_node.Index.Count, 0, OnlySalt);
            Assert.Equal(StoreErrorKind.LacksCheckpoint, _node.TryOpen().Error.Kind);
        }

        _node.Crash(kind);
        _node.Checkpoints = Shelf(_node);
        Take(_node, from: _other);
        Open(_node);
        Assert.Equal(text, Text(_node));
        Assert.True(_node.Log.Positions.Covers(held));
        Assert.True(_node.Log.Seal().IsOk);
        _other.PullFrom(_node);
        Assert.Contains("journaled", _other.Names());
        AssertAllAlike(_node, _other);
    }

    /// <summary>Either of the two is enough.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WithoutOneOfIndexAndCheckpoint_ItIsOpenedAsBefore(bool losesIndex)
    {
        WriteAroundACheckpoint();
        Settle();
        Take(_other);
        _other.Log.Reconsider();
        Drop(_node);
        string text = Text(_node);
        _node.Crash(CrashKind.ProcessKilled);
        (_node.Index, _slots[_node]) = losesIndex ? (new SimulatedIndex(), _slots[_node]) : (_node.Index, Slots());
        Open(_node);
        Assert.Equal(text, Text(_node));
        WriteInTurn(10);
        WriteInTurn(11);
        _node.PullFrom(_other);
        AssertAllAlike(_node, _other);
    }

    [Fact]
    public void ADamagedOneIsNotKept_ByTheNextLifeEither()
    {
        WriteAroundACheckpoint();
        Settle();
        Take(_other);
        _other.Log.Reconsider();
        Drop(_node);
        _node.Crash(CrashKind.ProcessKilled);
        foreach (SimulatedIndex slot in _slots[_node].Where(slot => slot.Count > 0))
        {
            byte[] key = [1, 2, 3];
            Assert.True(slot.Apply([new IndexChange(key, key)]).IsOk);
        }

        _node.Index = new SimulatedIndex();
        _node.Checkpoints = Shelf(_node);
        Assert.Equal(StoreErrorKind.LacksCheckpoint, _node.TryOpen().Error.Kind);
        _node.Crash(CrashKind.ProcessKilled);
        _node.Checkpoints = Shelf(_node);
        Assert.False(_node.Checkpoints.Keeps(_settled!.Checkpoint.Hash));
        Take(_node, from: _other);
        Open(_node);
        AssertAllAlike(_node, _other);
    }

    /// <summary>One that is settled after it was dropped behind another does; one from before does not.</summary>
    [Fact]
    public void OneThatDoesNotGoFarEnough_IsNotBegunWith()
    {
        WriteAroundACheckpoint();
        Settle();
        SimulatedIndex[] before = [.. _slots[_node].Select(slot => slot.Clone())];
        StandingCheckpoint first = _settled!;
        WriteAroundACheckpoint(from: 100);
        Settle();
        Assert.NotEqual(first, _settled);
        Take(_other);
        _other.Log.Reconsider();
        Drop(_node);
        StandingCheckpoint second = _settled!;
        _node.Crash(CrashKind.ProcessKilled);
        (_standing, _settled, _node.Index, _slots[_node]) = (first, first, new SimulatedIndex(), before);
        _node.Checkpoints = Shelf(_node);
        Assert.Equal(StoreErrorKind.LacksCheckpoint, _node.TryOpen().Error.Kind);
        Assert.InRange(_node.Index.Count, 0, OnlySalt);
        Assert.True(_node.Checkpoints.Keeps(first.Checkpoint.Hash));

        _node.Crash(CrashKind.ProcessKilled);
        (_standing, _settled) = (second, second);
        _node.Checkpoints = Shelf(_node);
        Take(_node, from: _other);
        Open(_node);
        AssertAllAlike(_node, _other);
    }

    /// <summary>Nobody knows what the others have dropped; a table of nothing would be shown until it came.</summary>
    [Fact]
    public void WithNothingOfTheHistory_ItIsNotOpenedWithoutTheSettledOne()
    {
        WriteAroundACheckpoint();
        LogNode early = Node(4);
        Assert.True(early.TryOpen().IsOk);
        Settle();
        LogNode newcomer = Node(5);
        Assert.Equal(StoreErrorKind.LacksCheckpoint, newcomer.TryOpen().Error.Kind);
        newcomer.Crash(CrashKind.ProcessKilled);
        newcomer.Checkpoints = Shelf(newcomer);
        Take(newcomer);
        Open(newcomer);
        newcomer.PullFrom(_node);
        AssertAllAlike(_node, newcomer);
    }

    private static void Drop(LogNode node)
    {
        FoldGround ground = node.Log.Fold.Ground!;
        node.Log.Compaction.WorthBytes = 0;
        node.Log.Compaction.Base = () => (ground.Positions, ground.Depth);
        Assert.True(node.Checkpoints!.Secure(ground.Hash).IsOk);
        Assert.True(node.Log.Compaction.Drop(ground.Positions, ground.Depth).IsOk);
        Assert.NotEqual(LogBeginnings.None, node.Log.Compaction.Beginnings);
    }

    private MadeCheckpoint WriteAroundACheckpoint(int from = 0)
    {
        for (int i = from; i < from + Step; i++)
        {
            WriteInTurn(i);
        }

        var maker = new CheckpointMaker(_node.Log, _node.Process, _node.Checkpoints!) { StepMin = Step };
        _node.Process.Run(() => maker.Prune(this));
        _scheduler.RunFor(TimeSpan.FromMilliseconds(1));
        MadeCheckpoint made = _node.Checkpoints!.Newest!.Value;
        _standing = new StandingCheckpoint(made, [.. ((IGarbageMembers)this).Writers.Order()]);
        for (int i = from + Step; i < from + Step + 4; i++)
        {
            WriteInTurn(i);
        }

        _node.PullFrom(_other);
        _node.Log.Prune(((IGarbageMembers)this).Stable, ((IGarbageMembers)this).Writers);
        return made;
    }

    private void WriteInTurn(int turn)
    {
        (LogNode writer, LogNode reader) = turn % 2 == 0 ? (_node, _other) : (_other, _node);
        writer.Create($"{turn}");
        Assert.True(writer.Log.Seal().IsOk);
        reader.PullFrom(writer);
    }

    private void Settle()
    {
        _settled = _standing;
        _node.Log.Reconsider();
    }

    /// <summary>Takes the settled checkpoint from another member.</summary>
    private void Take(LogNode to, LogNode? from = null)
    {
        using var fill = new SlotFill(to.Checkpoints!, _settled!.Checkpoint);
        Assert.True(fill.Begin(_settled.Checkpoint.Hash).IsOk);
        Assert.True(fill.Add(Records(from ?? _node)).IsOk);
        Assert.True(fill.Finish(_settled.Members).IsOk);
        Assert.True(to.Checkpoints!.Keeps(_settled.Checkpoint.Hash));
    }

    private TableRecordBytes[] Records(LogNode from)
    {
        using IIndexStore view = from.Checkpoints!.View(_settled!.Checkpoint.Hash)!;
        return [.. view.Scan([], [], int.MaxValue).Value
            .Where(record => record.Key[0] is < IndexTable.NodesOwn or >= Core.Fold.FoldKeys.Reserved)
            .Select(record => new TableRecordBytes(record.Key, record.Value))];
    }

    private static void AssertAllAlike(params LogNode[] nodes)
    {
        Assert.All(nodes, node => Assert.Equal(Text(nodes[0]), Text(node)));
        Assert.All(nodes, node => Assert.Equal(0, node.Log.Fold.WaitingCount));
    }

    /// <summary>All but the node's own.</summary>
    private static string Text(LogNode node) =>
        string.Join('\n', node.TableText().Split('\n').Where(line => !line.StartsWith('E')));

    private void LoseIndexAndOpen(LogNode node)
    {
        node.Close();
        node.Index = new SimulatedIndex();
        Open(node);
    }

    private void Open(LogNode node)
    {
        node.Checkpoints = Shelf(node);
        node.Open();
    }

    private static SimulatedIndex[] Slots() =>
        [.. Enumerable.Range(0, CheckpointShelf.IndexesMax).Select(_ => new SimulatedIndex())];

    private CheckpointShelf Shelf(LogNode node) =>
        new(slot => _slots[node][slot], () => _standing) { Settled = () => _settled };

    private LogNode Node(int number)
    {
        var node = new LogNode(_scheduler, number, _members);
        _members.Grant(node.Identity);
        _slots.Add(node, Slots());
        node.Checkpoints = Shelf(node);
        return node;
    }
}
