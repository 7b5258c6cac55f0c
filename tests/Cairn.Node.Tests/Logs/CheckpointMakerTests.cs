using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Core.Sync;
using Cairn.Node.Garbage;
using Cairn.Node.Logs.Checkpoints;
using Cairn.Node.Logs.Index;
using Cairn.Node.Ports;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Indexes;
using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Logs;

/// <summary>Checkpoints that members make apart, each of its own fold, and newcomers that begin with them.</summary>
public sealed class CheckpointMakerTests
{
    private const int Step = 6;

    private readonly SimulatedScheduler _scheduler = new();
    private readonly LogMembers _members = new();

    [Fact]
    public void AllMembersMakeTheSame_AndANewcomerWithOne_IsLikeOneWithAllHistory()
    {
        int stood = 0;
        for (ulong seed = 1; seed <= 3; seed++)
        {
            stood += Run(seed);
        }

        Assert.True(stood >= 5, $"only {stood} checkpoints stood");
    }

    /// <returns>How many checkpoints stood.</returns>
    private int Run(ulong seed)
    {
        var random = new Prng(seed);
        var pool = new Pool(_scheduler);
        int first = (int)seed * 20;
        Maker[] makers = [.. Enumerable.Range(first, 3).Select(number => new Maker(pool, Node(number).Open()))];
        var newcomers = new List<LogNode>();
        for (int step = 0; step < 90; step++)
        {
            Maker maker = makers[random.Next(3)];
            maker.Node.Create($"{step}");
            Assert.True(maker.Node.Log.Seal().IsOk);
            makers[random.Next(3)].Hear(makers[random.Next(3)]);
            makers[random.Next(3)].Hear(makers[random.Next(3)]);
            if (random.Chance(40))
            {
                maker.CrashAndOpen(
                    random.Chance(2) ? CrashKind.PowerLost : CrashKind.ProcessKilled, isIndexLost: random.Chance(2));
            }

            StandingCheckpoint? before = pool.Standing;
            makers[random.Next(3)].Prune();
            if (pool.Standing is { } standing && standing != before)
            {
                newcomers.Add(Newcomer(makers[random.Next(3)], standing, first + 3 + newcomers.Count));
                if (random.Chance(2))
                {
                    newcomers[^1].Crash(CrashKind.PowerLost);
                    newcomers[^1].Open();
                }
            }
        }

        for (int round = 0; round < 2; round++)
        {
            Array.ForEach(makers, to => Array.ForEach(makers, to.Hear));
            newcomers.ForEach(to => Array.ForEach(makers, from => to.PullFrom(from.Node)));
        }

        LogNode historian = Node(first + 19).Open();
        historian.PullFrom(makers[0].Node);
        foreach (LogNode member in newcomers.Concat(makers.Select(maker => maker.Node)))
        {
            Assert.Equal(historian.TableText(), member.TableText());
            Assert.Equal(0, member.Log.Fold.WaitingCount);
            Assert.DoesNotContain(
                member.Log.Findings.Take(),
                static finding => finding.Detail.Contains("folded all again", StringComparison.Ordinal));
        }

        return newcomers.Count;
    }

    [Fact]
    public void WhoIsAlone_MakesItsOwn_WhereItIs()
    {
        var pool = new Pool(_scheduler);
        var maker = new Maker(pool, Node(1).Open()) { Writers = 1 };
        maker.Node.Log.Alone = true;
        for (int i = 0; i < Step - 1; i++)
        {
            maker.Prune();
            Assert.Null(maker.Checkpoints.Newest);
            maker.Node.Create($"{i}");
        }

        maker.Prune();
        Assert.Equal((ulong)Step, maker.Checkpoints.Newest!.Value.Depth);
        LogNode newcomer = Newcomer(maker, pool.Standing!, 2);
        Assert.Equal(maker.Node.TableText(), newcomer.TableText());
    }

    /// <summary>What is not whole says so, and what another made of it is not taken.</summary>
    [Fact]
    public void ACheckpointThatWasBrokenOff_IsGoneOnWith_ButNotWithOtherRecords()
    {
        var pool = new Pool(_scheduler);
        Maker maker = Alone(pool);
        StandingCheckpoint standing = pool.Standing!;
        TableRecordBytes[] records = Records(maker, standing);
        LogNode newcomer = Node(2).Open();
        newcomer.Close();
        var broken = new TableFill(newcomer.Sealed);
        Assert.True(broken.Begin(standing.Checkpoint.Hash).IsOk);
        Assert.True(broken.Add(records[..5]).IsOk);

        var fill = new TableFill(newcomer.Sealed);
        Assert.True(fill.Begin(standing.Checkpoint.Hash).IsOk);
        Assert.Equal(records[4].Key.ToArray(), fill.Last.ToArray());
        TableRecordBytes[] otherwise = [.. records[5..]];
        otherwise[0] = otherwise[0] with { Value = new byte[] { 1 } };
        Assert.True(fill.Add(otherwise).IsOk);
        Assert.False(fill.Finish(standing.Members).IsOk);

        Assert.True(fill.Begin(new Bytes32([.. Enumerable.Repeat((byte)1, 32)])).IsOk);
        Assert.Equal(0UL, fill.Count);
        Assert.True(fill.Begin(standing.Checkpoint.Hash).IsOk);
        Assert.True(fill.Add(records[..5]).IsOk);
        Assert.True(fill.Add(records[5..]).IsOk);
        Assert.Equal(standing.Checkpoint.Records, fill.Count);
        Assert.True(fill.Finish(standing.Members).IsOk);
        Assert.Equal(maker.Node.TableText(), newcomer.Open().TableText());
    }

    /// <summary>All who made the checkpoint have its blocks: nothing in it can be missing everywhere.</summary>
    [Fact]
    public void ANewcomerThatEndsBeforeItHasTheBlocks_GoesOnWithTheTree()
    {
        var pool = new Pool(_scheduler);
        Maker maker = Alone(pool);
        LogNode newcomer = Newcomer(maker, pool.Standing!, 2);
        string[] names = newcomer.Names();
        Assert.NotEmpty(names);
        newcomer.Create("by the newcomer");
        newcomer.Crash(CrashKind.ProcessKilled);
        Assert.Equal([.. names, "by the newcomer"], newcomer.Open().Names());

        maker.Node.Log.Alone = false;
        maker.Node.Create("behind the checkpoint");
        Assert.True(maker.Node.Log.Seal().IsOk);
        newcomer.Log.Receive([maker.Node.Log.BlocksAfter(LogPositions.Empty, 1)[0].Bytes]);
        newcomer.Close();
        Assert.Equal([.. names, "by the newcomer"], newcomer.Open().Names());
        Assert.Null(newcomer.Log.IndexFault);
        Assert.Null(newcomer.Log.ViewTable());

        newcomer.PullFrom(maker.Node);
        Assert.NotNull(newcomer.Log.ViewTable());
        newcomer.Close();
        newcomer.Open();
        LogNode historian = Node(3).Open();
        historian.PullFrom(newcomer);
        Assert.Equal(historian.TableText(), newcomer.TableText());
        Assert.Contains("behind the checkpoint", newcomer.Names());
        Assert.Contains("by the newcomer", newcomer.Names());
    }

    /// <summary>What a newcomer wrote, and no block has any more, stands in no checkpoint: that it has one is no excuse.</summary>
    [Fact]
    public void ANewcomerWhoseOwnBlocksAreLost_IsMadeFromTheBlocks()
    {
        var pool = new Pool(_scheduler);
        Maker maker = Alone(pool);
        LogNode newcomer = Newcomer(maker, pool.Standing!, 2);
        newcomer.Create("by the newcomer");
        LogId log = newcomer.Log.OwnLogId;
        newcomer.Close();
        newcomer.Disk.Delete($"logs/{LogNode.Keyring.Volume}-{log.Author}-{log.Incarnation}.log");
        Assert.Empty(newcomer.Open().Names());
        Assert.NotNull(newcomer.Log.IndexFault);
        newcomer.PullFrom(maker.Node);
        Assert.Equal(maker.Node.TableText(), newcomer.TableText());
    }

    /// <summary>The checkpoint has them without effect already: nothing is folded again for them, unless it is judged otherwise.</summary>
    [Theory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(3, false)]
    public void BlocksInQuarantine_ComeToANewcomerThatHasThemWithoutEffect(ulong lastAccepted, bool isAsItWas)
    {
        LogNode revoked = Node(5).Open();
        foreach (string name in (string[])["counts", "late", "later"])
        {
            revoked.Create(name);
            Assert.True(revoked.Log.Seal().IsOk);
        }

        _members.LastAccepted[revoked.Log.OwnLogId] = 1;
        var pool = new Pool(_scheduler);
        Maker maker = Alone(pool, revoked);
        LogNode newcomer = Newcomer(maker, pool.Standing!, 2);
        ulong begun = newcomer.Log.Fold.StableOrder.Depth;
        _members.LastAccepted[revoked.Log.OwnLogId] = lastAccepted;
        newcomer.Log.Reconsider();
        Assert.Equal(begun, newcomer.Log.Fold.StableOrder.Depth);
        Take(newcomer, maker.Node);
        Assert.Equal(isAsItWas ? begun : 0, newcomer.Log.Fold.StableOrder.Depth);

        LogNode historian = Node(3).Open();
        Take(historian, maker.Node);
        Assert.Equal(historian.TableText(), newcomer.TableText());
        Assert.Equal((int)lastAccepted, new[] { "counts", "late", "later" }.Intersect(newcomer.Names()).Count());
    }

    private static void Take(LogNode to, LogNode from) =>
        to.Log.Receive([.. from.Log.BlocksAfter(LogPositions.Empty, int.MaxValue).Select(held => held.Bytes)]);

    /// <summary>Who has written alone, and made a checkpoint of it.</summary>
    /// <param name="pool">Whose it is.</param>
    /// <param name="before">Somebody it had blocks of before; null for nobody.</param>
    private Maker Alone(Pool pool, LogNode? before = null)
    {
        var maker = new Maker(pool, Node(1).Open()) { Writers = 1 };
        if (before is not null)
        {
            Take(maker.Node, before);
        }

        maker.Node.Log.Alone = true;
        for (int i = 0; i < Step; i++)
        {
            maker.Node.Create($"{i}");
            Assert.True(maker.Node.Log.Seal().IsOk);
        }

        maker.Prune();
        return maker;
    }

    private LogNode Newcomer(Maker giver, StandingCheckpoint standing, int number)
    {
        LogNode newcomer = Node(number).Open();
        newcomer.Close();
        var fill = new TableFill(newcomer.Sealed);
        Assert.True(fill.Begin(standing.Checkpoint.Hash).IsOk);
        Assert.True(fill.Add(Records(giver, standing)).IsOk);
        Assert.True(fill.Finish(standing.Members).IsOk);
        newcomer.Open();
        Assert.Null(newcomer.Log.IndexFault);
        return newcomer;
    }

    private static TableRecordBytes[] Records(Maker giver, StandingCheckpoint standing)
    {
        using IIndexStore view = giver.Checkpoints.View(standing.Checkpoint.Hash)!;
        return [.. view.Scan([], [], int.MaxValue).Value
            .Where(record => record.Key[0] is < IndexTable.NodesOwn or >= Core.Fold.FoldKeys.Reserved)
            .Select(record => new TableRecordBytes(record.Key, record.Value))];
    }

    private LogNode Node(int number)
    {
        var node = new LogNode(_scheduler, number, _members);
        _members.Grant(node.Identity);
        return node;
    }

    /// <summary>What all have made, as the pool's log has it.</summary>
    private sealed class Pool(SimulatedScheduler scheduler)
    {
        public SimulatedScheduler Scheduler { get; } = scheduler;

        public List<Maker> Makers { get; } = [];

        public StandingCheckpoint? Standing { get; set; }
    }

    /// <summary>A member that makes checkpoints, of which it knows the others' words as it hears them.</summary>
    private sealed class Maker : IGarbageMembers
    {
        private readonly Pool _pool;
        private readonly SortedDictionary<int, SimulatedIndex> _indexes = [];
        private StabilityTracker _tracker = new();
        private CheckpointMaker _maker;

        public Maker(Pool pool, LogNode node)
        {
            (_pool, Node) = (pool, node);
            pool.Makers.Add(this);
            Checkpoints = Shelf();
            _maker = Open();
        }

        public LogNode Node { get; }

        public CheckpointShelf Checkpoints { get; private set; }

        public int Writers { get; init; } = 3;

        IReadOnlyList<NodeId> IGarbageMembers.Writers =>
            [.. _pool.Makers.Take(Writers).Select(maker => maker.Node.Identity.Node)];

        public LogPositions Stable(LogPositions held) =>
            _tracker.Stable(((IGarbageMembers)this).Writers, Node.Identity.Node, held);

        public void Hear(Maker other)
        {
            Node.PullFrom(other.Node);
            _tracker.Said(other.Node.Identity.Node, other.Node.Log.Word);
        }

        public void CrashAndOpen(CrashKind kind, bool isIndexLost)
        {
            Node.Crash(kind);
            Node.Index = isIndexLost ? new SimulatedIndex() : Node.Index;
            Checkpoints = Node.Checkpoints = Shelf();
            Node.Open();
            _tracker = new StabilityTracker();
            _maker = Open();
        }

        public void Prune()
        {
            Node.Process.Run(() => _maker.Prune(this));
            _pool.Scheduler.RunFor(TimeSpan.FromMilliseconds(1));
            Assert.Empty(_pool.Scheduler.Failures);
            if (Checkpoints.Newest is not { } made)
            {
                return;
            }

            IEnumerable<MadeCheckpoint> others = _pool.Makers.Select(maker => maker.Checkpoints.Newest)
                .OfType<MadeCheckpoint>().Where(other => other.Depth == made.Depth);
            Assert.All(others, other => Assert.Equal(made, other));
            if (others.Count() == Writers && (_pool.Standing is null || _pool.Standing.Checkpoint.Depth < made.Depth))
            {
                _pool.Standing = new StandingCheckpoint(made, [.. ((IGarbageMembers)this).Writers.Order()]);
            }
        }

        private CheckpointMaker Open() => new(Node.Log, Node.Process, Checkpoints) { StepMin = Step };

        private CheckpointShelf Shelf() => new(
            slot =>
            {
                _indexes.TryAdd(slot, new SimulatedIndex());
                return _indexes[slot];
            },
            () => _pool.Standing);
    }
}
