using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Garbage;
using Cairn.Node.Logs.Checkpoints;
using Cairn.Node.Ports;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Indexes;
using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Logs;

/// <summary>Folds that are made anew and begin at a checkpoint, where that comes to the same as folding everything.</summary>
public sealed class FoldBaseTests : IGarbageMembers
{
    private const int Step = 6;

    private readonly SimulatedScheduler _scheduler = new();
    private readonly LogMembers _members = new();
    private readonly SimulatedIndex[] _slots = [new(), new(), new(), new()];
    private readonly LogNode _node;
    private readonly LogNode _other;
    private StandingCheckpoint? _standing;

    public FoldBaseTests()
    {
        _node = Node(1);
        _node.Checkpoints = Shelf();
        _node.Open();
        _other = Node(2).Open();
    }

    IReadOnlyList<NodeId> IGarbageMembers.Writers => [_node.Identity.Node, _other.Identity.Node];

    LogPositions IGarbageMembers.Stable(LogPositions held) => held.Meet(_other.Log.Seen);

    private ulong BeganAt => _node.Log.Fold.StableOrder.Depth;

    [Fact]
    public void ALostIndex_IsMadeFromTheCheckpointAndWhatFollows()
    {
        MadeCheckpoint made = WriteAroundACheckpoint();
        LoseIndexAndOpen();
        Assert.Equal(made.Depth - 1, BeganAt);
        AssertLikeAllHistory();

        _node.Create("afterwards");
        _node.Close();
        _node.Open();
        Assert.Contains("afterwards", _node.Names());
        Assert.Null(_node.Log.IndexFault);
        AssertLikeAllHistory();
    }

    [Fact]
    public void WhereNoneStands_ItIsMadeFromTheFirstBlock()
    {
        WriteAroundACheckpoint();
        _standing = null;
        LoseIndexAndOpen();
        Assert.Equal(0UL, BeganAt);
        AssertLikeAllHistory();
    }

    /// <summary>A block that was folded into the checkpoint may no longer count; one behind it is no matter of it.</summary>
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public void ARevocation_IsObeyed_FromTheCheckpointIfItLiesBehindIt(ulong lastAccepted, bool fromCheckpoint)
    {
        MadeCheckpoint made = WriteAroundACheckpoint();
        int all = _node.Names().Length;
        _members.LastAccepted[_other.Log.OwnLogId] = lastAccepted;
        _node.Log.Reconsider();
        Assert.Equal(fromCheckpoint ? made.Depth - 1 : 0, BeganAt);
        Assert.InRange(_node.Names().Length, 1, all - 1);
        AssertLikeAllHistory();

        LoseIndexAndOpen();
        Assert.Equal(fromCheckpoint ? made.Depth - 1 : 0, BeganAt);
        AssertLikeAllHistory();
    }

    /// <summary>What a forgotten member brings may come before a mark: then everything is folded.</summary>
    [Fact]
    public void WhatComesBeforeTheCheckpointAfterAll_IsFolded()
    {
        LogNode forgotten = Node(3).Open();
        forgotten.Create("written apart");
        Assert.True(forgotten.Log.Seal().IsOk);
        WriteAroundACheckpoint();
        _node.PullFrom(forgotten);
        Assert.Contains("written apart", _node.Names());
        AssertLikeAllHistory();

        LoseIndexAndOpen();
        Assert.Contains("written apart", _node.Names());
        AssertLikeAllHistory();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void ACrashWhileItIsCopied_LeavesNothingWrong(int applies)
    {
        WriteAroundACheckpoint();
        _node.Close();
        _node.Index = new SimulatedIndex { AppliesLeft = applies };
        _node.Checkpoints = Shelf();
        _ = _node.TryOpen();
        _node.Crash(CrashKind.ProcessKilled);
        _node.Index.AppliesLeft = null;
        _node.Checkpoints = Shelf();
        _node.Open();
        AssertLikeAllHistory();
    }

    [Fact]
    public void ADamagedCheckpoint_IsNotUsed()
    {
        WriteAroundACheckpoint();
        foreach (SimulatedIndex slot in _slots.Where(slot => slot.Count > 0))
        {
            byte[] key = [1, 2, 3];
            Assert.True(slot.Apply([new IndexChange(key, key)]).IsOk);
        }

        LoseIndexAndOpen();
        Assert.Equal(0UL, BeganAt);
        AssertLikeAllHistory();
    }

    /// <summary>Without its blocks nobody could be told of what it has.</summary>
    [Fact]
    public void ACheckpointWhoseBlocksAreNotAllHere_IsNotBegunWith()
    {
        WriteAroundACheckpoint();
        LogId log = _other.Log.OwnLogId;
        _node.Close();
        _node.Disk.Delete($"logs/{LogNode.Keyring.Volume}-{log.Author}-{log.Incarnation}.log");
        _node.Index = new SimulatedIndex();
        _node.Checkpoints = Shelf();
        _node.Open();
        Assert.Equal(0UL, BeganAt);
        _node.PullFrom(_other);
        AssertLikeAllHistory();
    }

    /// <summary>Two that write in turn, a checkpoint of that, and more of both.</summary>
    private MadeCheckpoint WriteAroundACheckpoint()
    {
        for (int i = 0; i < Step; i++)
        {
            WriteInTurn(i);
        }

        var maker = new CheckpointMaker(_node.Log, _node.Process, _node.Checkpoints!) { StepMin = Step };
        _node.Process.Run(() => maker.Prune(this));
        _scheduler.RunFor(TimeSpan.FromMilliseconds(1));
        MadeCheckpoint made = _node.Checkpoints!.Newest!.Value;
        _standing = new StandingCheckpoint(made, [.. ((IGarbageMembers)this).Writers.Order()]);
        for (int i = Step; i < Step + 4; i++)
        {
            WriteInTurn(i);
        }

        _node.PullFrom(_other);
        _node.Log.Prune(((IGarbageMembers)this).Stable, ((IGarbageMembers)this).Writers);
        Assert.InRange(BeganAt, made.Depth, ulong.MaxValue);
        return made;
    }

    private void WriteInTurn(int turn)
    {
        (LogNode writer, LogNode reader) = turn % 2 == 0 ? (_node, _other) : (_other, _node);
        writer.Create($"{turn}");
        Assert.True(writer.Log.Seal().IsOk);
        reader.PullFrom(writer);
    }

    private void LoseIndexAndOpen()
    {
        _node.Close();
        _node.Index = new SimulatedIndex();
        _node.Checkpoints = Shelf();
        _node.Open();
    }

    private void AssertLikeAllHistory()
    {
        LogNode historian = Node(9).Open();
        historian.Log.Receive([.. _node.Log.BlocksAfter(LogPositions.Empty, int.MaxValue).Select(held => held.Bytes)]);
        Assert.Equal(historian.TableText(), _node.TableText());
        Assert.Equal(0, _node.Log.Fold.WaitingCount);
    }

    private CheckpointShelf Shelf() => new(slot => _slots[slot], () => _standing);

    private LogNode Node(int number)
    {
        var node = new LogNode(_scheduler, number, _members);
        _members.Grant(node.Identity);
        return node;
    }
}
