using Cairn.Coding.Encryption;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Sync;
using Cairn.Node.Logs;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Indexes;
using Cairn.Simulation.Time;
using Cairn.Storage.Journaling;

namespace Cairn.Node.Tests.Logs;

public sealed class ReplicatedLogTests
{
    private readonly SimulatedScheduler _scheduler = new();
    private readonly LogMembers _members = new();

    [Fact]
    public void OrderlyEnd_KeepsEverythingAndTheIncarnation()
    {
        LogNode node = Node(1).Open();
        LogId first = node.Log.OwnLogId;
        node.Create("a");
        node.Create("b");
        node.Close();
        node.Open();
        Assert.Equal(["a", "b"], node.Names());
        Assert.Equal(first, node.Log.OwnLogId);
        Assert.Equal(2UL, node.Log.Positions[node.Log.OwnLogId].TransactionSeq);
        Assert.Empty(node.Log.Findings.Take());
        node.Create("c");
        Assert.Equal(["a", "b", "c"], node.Names());
    }

    [Fact]
    public void WorkOfOneWhoHadNotCaughtUp_FoldsEverythingAgain()
    {
        LogNode first = Node(1).Open();
        first.Log.Alone = true;
        first.Create("a");
        first.Create("b");
        Assert.True(first.Log.Seal().IsOk);
        LogNode hasty = Node(2).Open();
        hasty.Create("a");
        Assert.True(hasty.Log.Seal().IsOk);
        first.Create("unsealed");
        int changed = 0;
        first.Log.Changed += keys => changed += keys.Count;
        first.PullFrom(hasty);
        Assert.True(changed > 0);
        Assert.Contains("folded all again", Assert.Single(first.Log.Findings.Take()).Detail);
        Assert.True(first.Log.Seal().IsOk);
        hasty.PullFrom(first);
        Assert.Equal(first.TableText(), hasty.TableText());
        Assert.Contains("unsealed", hasty.Names());
        first.Close();
        first.Open();
        Assert.Equal(first.TableText(), hasty.TableText());
    }

    [Fact]
    public void Kill_KeepsEverythingAndOpensTheNextIncarnation()
    {
        LogNode node = Node(1).Open();
        LogId first = node.Log.OwnLogId;
        node.Create("a");
        node.Crash(CrashKind.ProcessKilled);
        node.Open();
        Assert.Equal(["a"], node.Names());
        Assert.True(node.Log.OwnLogId > first);
        node.Create("b");
        Assert.True(node.Log.Seal().IsOk);
        Assert.Equal(2, node.Log.Positions.Logs.Count);

        // Both incarnations reach a peer, the first one sealed after the crash.
        LogNode peer = Node(2).Open();
        peer.PullFrom(node);
        Assert.Equal(["a", "b"], peer.Names());
    }

    [Fact]
    public void Blocks_BecomeReadyWithinMillisecondsAndOnlyAfterASync()
    {
        LogNode node = Node(1).Open();
        int ready = 0;
        node.Log.BlocksReady += () => ready++;
        node.Create("a");
        Assert.Empty(node.Log.BlocksAfter(LogPositions.Empty, int.MaxValue));
        Assert.True(_scheduler.RunUntil(() => ready == 1, TimeSpan.FromMilliseconds(10)));
        Assert.Single(node.Log.BlocksAfter(LogPositions.Empty, int.MaxValue));
        node.Crash(CrashKind.PowerLost, seed: 3);
        node.Open();
        Assert.Equal(["a"], node.Names());
    }

    [Fact]
    public void Nodes_ConvergeWhateverTheOrder()
    {
        LogNode[] nodes = [Node(1).Open(), Node(2).Open(), Node(3).Open()];
        var random = new Prng(5);
        for (int step = 0; step < 60; step++)
        {
            LogNode node = nodes[random.Next(3)];
            node.TryCreate($"f{step}");
            Assert.True(node.Log.Seal().IsOk);
            if (random.Chance(2))
            {
                nodes[random.Next(3)].PullFrom(node);
            }
        }

        foreach (LogNode from in nodes.Concat(nodes))
        {
            foreach (LogNode to in nodes)
            {
                to.PullFrom(from);
            }
        }

        Assert.Equal(60, nodes[0].Names().Length);
        Assert.Equal(nodes[0].TableText(), nodes[1].TableText());
        Assert.Equal(nodes[0].TableText(), nodes[2].TableText());
        Assert.Equal(nodes[0].Log.Positions, nodes[2].Log.Positions);
        nodes[2].Close();
        Assert.Equal(nodes[0].TableText(), nodes[2].Open().TableText());
    }

    [Fact]
    public void Received_ChangesAreTold()
    {
        LogNode author = Node(1).Open();
        LogNode reader = Node(2).Open();
        var changed = new List<byte[]>();
        reader.Log.Changed += keys => changed.AddRange(keys);
        author.Create("a");
        Assert.True(author.Log.Seal().IsOk);
        reader.PullFrom(author);
        Assert.NotEmpty(changed);
    }

    [Fact]
    public void BadBlocks_GetTypedOutcomes()
    {
        LogNode author = Node(1).Open();
        LogNode reader = Node(2).Open();
        for (int i = 0; i < 3; i++)
        {
            author.Create($"f{i}");
            Assert.True(author.Log.Seal().IsOk);
        }

        IReadOnlyList<HeldBlock> blocks = author.Log.BlocksAfter(LogPositions.Empty, int.MaxValue);
        Assert.Equal(3, blocks.Count);
        Assert.Equal(ReceiveOutcome.Gap, reader.Log.Receive(blocks[1].Bytes));
        Assert.Equal(ReceiveOutcome.Invalid, reader.Log.Receive(new byte[50]));
        for (int i = 0; i < blocks[0].Bytes.Length; i += 7)
        {
            byte[] damaged = blocks[0].Bytes.ToArray();
            damaged[i] ^= 0x40;
            Assert.NotEqual(ReceiveOutcome.Accepted, reader.Log.Receive(damaged));
        }

        Assert.Equal(ReceiveOutcome.Accepted, reader.Log.Receive(blocks[0].Bytes));
        Assert.Equal(ReceiveOutcome.Held, reader.Log.Receive(blocks[0].Bytes));
        _members.LastAccepted[author.Log.OwnLogId] = 1;
        Assert.Equal(ReceiveOutcome.Quarantined, reader.Log.Receive(blocks[1].Bytes));
        Assert.Equal(["f0"], reader.Names());

        // The revocation moves back before this node has heard of it: what it folded is not taken for judged by a later block.
        _members.LastAccepted[author.Log.OwnLogId] = 0;
        Assert.Equal(ReceiveOutcome.Quarantined, reader.Log.Receive(blocks[2].Bytes));
        reader.Log.Reconsider();
        Assert.Empty(reader.Names());
    }

    /// <summary>Nobody may call a history settled that somebody has added to, though no block shows it yet.</summary>
    [Fact]
    public void TheWordToPeers_CountsWhatIsNotSealedYet()
    {
        LogNode author = Node(1).Open();
        LogNode other = Node(2).Open();
        author.Create("sealed");
        Assert.True(author.Log.Seal().IsOk);
        other.PullFrom(author);
        Assert.Equal(author.Log.Positions, author.Log.Word);
        author.Create("not sealed");
        LogId own = author.Log.OwnLogId;
        Assert.Equal(1ul, author.Log.Positions[own].TransactionSeq);
        Assert.Equal(new LogPosition(1, 2), author.Log.Word[own]);
        NodeId[] members = [author.Identity.Node, other.Identity.Node];
        var tracker = new StabilityTracker();
        tracker.Said(author.Identity.Node, author.Log.Word);
        Assert.Equal(
            LogPositions.Empty, tracker.Stable(members, other.Identity.Node, other.Log.Positions));
        Assert.True(author.Log.Seal().IsOk);
        other.PullFrom(author);
        Assert.Equal(author.Log.Positions, tracker.Stable(members, other.Identity.Node, other.Log.Positions));
    }

    /// <summary>Set aside, not lost, and what others built on it before they heard of the revocation goes on.</summary>
    [Fact]
    public void LateBlocksOfARevokedAuthor_AreKeptWithoutEffect_OnAllNodesAlike()
    {
        LogNode revoked = Node(1).Open();
        LogNode early = Node(2).Open();
        LogNode late = Node(3).Open();
        revoked.Create("before");
        Assert.True(revoked.Log.Seal().IsOk);
        late.PullFrom(revoked);
        revoked.Create("after");
        Assert.True(revoked.Log.Seal().IsOk);
        early.PullFrom(revoked);
        early.Create("built on it");
        Assert.True(early.Log.Seal().IsOk);
        Assert.True(early.Log.Persist().IsOk);
        Assert.Equal(["after", "before", "built on it"], early.Names());

        _members.LastAccepted[revoked.Log.OwnLogId] = 1;
        foreach (HeldBlock block in early.Log.BlocksAfter(late.Log.Positions, int.MaxValue))
        {
            bool isLate = block.Log == revoked.Log.OwnLogId;
            Assert.Equal(
                isLate ? ReceiveOutcome.Quarantined : ReceiveOutcome.Accepted, late.Log.Receive(block.Bytes));
        }

        Assert.True(late.Log.Commit().IsOk);
        Assert.Contains("set aside", late.Log.Findings.Take().Single().Detail, StringComparison.Ordinal);
        Assert.Equal(["before", "built on it"], late.Names());
        early.Log.Reconsider();
        Assert.Equal(late.TableText(), early.TableText());
        Assert.Equal(late.Log.Positions, early.Log.Positions);

        // The same after a restart, whether the node heard of the revocation before or while it was down.
        late.Close();
        Assert.Equal(early.TableText(), late.Open().TableText());
        _members.LastAccepted.Clear();
        late.Close();
        Assert.Equal(["after", "before", "built on it"], late.Open().Names());
        early.Log.Reconsider();
        Assert.Equal(late.TableText(), early.TableText());
    }

    [Fact]
    public void Strangers_AreNotFolded_UntilTheirGrantComes()
    {
        var members = new LogMembers();
        LogNode author = Node(1).Open();
        var reader = new LogNode(_scheduler, 2, members);
        reader.Open();
        author.Create("a");
        Assert.True(author.Log.Seal().IsOk);
        ReadOnlyMemory<byte> block = author.Log.BlocksAfter(LogPositions.Empty, int.MaxValue)[0].Bytes;
        Assert.Equal(ReceiveOutcome.UnknownAuthor, reader.Log.Receive(block));
        members.Grant(author.Identity);
        Assert.Equal(ReceiveOutcome.Accepted, reader.Log.Receive(block));
    }

    [Fact]
    public void ANewEpoch_IsWaitedFor()
    {
        LogNode author = Node(1).Open();
        LogNode reader = Node(2).Open();
        var next = new EpochKey(new EpochId(new Bytes16("the second epoch"u8)), [.. Enumerable.Repeat((byte)9, 32)]);
        author.Log.Keys = LogNode.Keyring.With(next).WithCurrent(next.Id);
        author.Create("a");
        Assert.True(author.Log.Seal().IsOk);
        ReadOnlyMemory<byte> block = author.Log.BlocksAfter(LogPositions.Empty, int.MaxValue)[0].Bytes;
        Assert.Equal(ReceiveOutcome.NeedsKey, reader.Log.Receive(block));
        reader.Log.Keys = author.Log.Keys;
        Assert.Equal(ReceiveOutcome.Accepted, reader.Log.Receive(block));
    }

    [Fact]
    public void ARestoredBackup_TakesItsOwnTailBackAndWritesAboveIt()
    {
        LogNode node = Node(1).Open();
        LogNode peer = Node(2).Open();
        node.Create("a");
        node.Close();
        SimulatedDisk backup = node.Disk.Clone();
        SimulatedIndex index = node.Index.Clone();
        node.Open();
        node.Create("b");
        Assert.True(node.Log.Seal().IsOk);
        peer.PullFrom(node);
        node.Close();

        node.Disk = backup;
        node.Index = index;
        node.Open();
        Assert.Equal(["a"], node.Names());
        node.PullFrom(peer);
        Assert.Equal(["a", "b"], node.Names());
        Assert.True(node.Log.OwnLogId > peer.Log.Positions.Logs[^1].Key);
        node.Create("c");
        Assert.True(node.Log.Seal().IsOk);
        peer.PullFrom(node);
        Assert.Equal(["a", "b", "c"], peer.Names());
    }

    [Fact]
    public void ABlockThatIsDamagedInTheMiddle_ComesBackFromAPeer()
    {
        LogNode node = Node(1).Open();
        LogNode peer = Node(2).Open();
        foreach (string name in (string[])["a", "b", "c", "d"])
        {
            node.Create(name);
            Assert.True(node.Log.Seal().IsOk);
        }

        peer.PullFrom(node);
        peer.Close();
        string path = "logs/" + Assert.Single(peer.Disk.List("logs").Value);
        peer.Disk.FlipBit(path, peer.Disk.LengthOf(path) / 2, 3);
        peer.Index = new SimulatedIndex();
        peer.Open();
        peer.PullFrom(node);
        Assert.Equal(["a", "b", "c", "d"], peer.Names());
        Assert.Equal(node.TableText(), peer.TableText());
    }

    [Fact]
    public void ADamagedIndex_IsRebuiltFromTheLogs()
    {
        LogNode node = Node(1).Open();
        for (int i = 0; i < 20; i++)
        {
            node.Create($"f{i:D2}");
        }

        node.Close();
        string before = node.Open().TableText();
        node.Close();
        node.Index.Failure = "database disk image is malformed";
        node.Open();
        Assert.Equal(before, node.TableText());
        node.Close();
        node.Index = new SimulatedIndex();
        Assert.Equal(before, node.Open().TableText());
    }

    [Fact]
    public void AnIndexAheadOfTheLogs_IsRebuilt()
    {
        // What a disk that lied about a sync leaves: the index knows what journal and logs have lost.
        LogNode node = Node(1).Open();
        node.Create("a");
        node.Close();
        SimulatedDisk before = node.Disk.Clone();
        node.Open();
        node.Create("b");
        node.Close();
        node.Disk = before;
        node.Open();
        Assert.Equal(["a"], node.Names());
    }

    [Fact]
    public void ADamagedBlock_IsReportedAndNothingElseIsLost()
    {
        LogNode node = Node(1).Open();
        LogNode peer = Node(2).Open();
        for (int i = 0; i < 3; i++)
        {
            node.Create($"f{i}");
            Assert.True(node.Log.Seal().IsOk);
        }

        peer.PullFrom(node);
        peer.Close();
        string file = peer.Disk.Files.Single(path => path.StartsWith("logs/", StringComparison.Ordinal));
        peer.Disk.FlipBit(file, peer.Disk.LengthOf(file) - 80, 3);
        peer.Index = new SimulatedIndex();
        peer.Open();
        Assert.Equal(["f0", "f1"], peer.Names());
        Assert.True(peer.Log.Findings.Take().Count + peer.Blocks.Findings.Count > 0);
        peer.PullFrom(node);
        Assert.Equal(["f0", "f1", "f2"], peer.Names());
    }

    [Fact]
    public void FoldingAgain_WaitsForABlockThatRotted_AndUsesNoNumberTwice()
    {
        // A crowd of two writes; the reader prunes all that both have, then one comes late.
        LogNode node = Node(1).Open();
        LogNode peer = Node(2).Open();
        LogNode late = Node(3).Open();
        peer.Create("a");
        Assert.True(peer.Log.Seal().IsOk);
        peer.Create("b");
        Assert.True(peer.Log.Seal().IsOk);
        node.PullFrom(peer);
        node.Create("c");
        Assert.True(node.Log.Seal().IsOk);
        peer.PullFrom(node);
        node.Log.Prune(folded => folded);
        string file = node.Disk.Files.Single(path => path.Contains($"{peer.Identity.Node}", StringComparison.Ordinal));
        node.Disk.FlipBit(file, node.Disk.LengthOf(file) - 80, 3);
        late.Create("0");
        Assert.True(late.Log.Seal().IsOk);

        node.PullFrom(late);
        Assert.Equal(["a", "b", "c"], node.Names());
        node.Create("d");
        Assert.True(node.Log.Seal().IsOk);
        node.PullFrom(peer);
        Assert.Equal(["0", "a", "b", "c", "d"], node.Names());
        peer.PullFrom(node);
        Assert.Equal(node.TableText(), peer.TableText());
    }

    [Fact]
    public void TheWordToPeers_LeavesOutWhatIsHeldButWaitsForOthers()
    {
        LogNode first = Node(1).Open();
        LogNode second = Node(2).Open();
        LogNode reader = Node(3).Open();
        first.Create("a");
        Assert.True(first.Log.Seal().IsOk);
        second.PullFrom(first);
        second.Create("b");
        Assert.True(second.Log.Seal().IsOk);
        HeldBlock dependent = Assert.Single(
            second.Log.BlocksAfter(first.Log.Positions, int.MaxValue), block => block.Log == second.Log.OwnLogId);
        Assert.Equal(ReceiveOutcome.Accepted, reader.Log.Receive(dependent.Bytes));
        Assert.True(reader.Log.Commit().IsOk);
        Assert.Equal(new LogPosition(1, 1), reader.Log.Positions[second.Log.OwnLogId]);
        Assert.Equal(new LogPosition(1, 0), reader.Log.Word[second.Log.OwnLogId]);
        reader.PullFrom(first);
        Assert.Equal(reader.Log.Positions, reader.Log.Word);
    }

    [Fact]
    public void AnUnsealedTransaction_ThatBuildsOnABlockThatRotted_WaitsForIt()
    {
        LogNode node = Node(1).Open();
        LogNode peer = Node(2).Open();
        peer.Create("a");
        Assert.True(peer.Log.Seal().IsOk);
        node.PullFrom(peer);
        node.Create("b");
        node.Crash(CrashKind.ProcessKilled);
        string file = node.Disk.Files.Single(path => path.Contains($"{peer.Identity.Node}", StringComparison.Ordinal));
        node.Disk.FlipBit(file, node.Disk.LengthOf(file) - 80, 3);
        node.Index = new SimulatedIndex();
        node.Open();
        Assert.Empty(node.Names());
        node.Create("c");
        node.PullFrom(peer);
        Assert.Equal(["a", "b", "c"], node.Names());
        Assert.True(node.Log.Seal().IsOk);
        peer.PullFrom(node);
        Assert.Equal(["a", "b", "c"], peer.Names());
        Assert.Equal(node.TableText(), peer.TableText());
    }

    /// <summary>Sealed long ago, and its segment could be used again: but another draft pins the one with the beginning.</summary>
    [Fact]
    public void AnEndedLayer_StaysEnded_AsLongAsItsBeginningIsInTheJournal()
    {
        LogNode node = Node(1).Open();
        var layer = new VersionId(node.Fresh());
        var pin = new VersionId(node.Fresh());
        JournalPosition begun = Begin(node, layer);
        Begin(node, pin);
        Fill(node);
        Assert.True(node.TryCreate("a", new EndedLayer(layer, begun)));
        node.Journal.Release(begun);
        Assert.True(node.Log.Seal().IsOk);
        Fill(node);
        Fill(node);
        for (int life = 0; life < 2; life++)
        {
            node.Crash(CrashKind.ProcessKilled);
            node.Open();
            Assert.Equal(pin, Assert.Single(node.Others).Entry.Layer);
            Fill(node);
            Fill(node);
        }
    }

    private static JournalPosition Begin(LogNode node, VersionId layer) => node.Drafts.Append(
        new JournalEntry { Type = JournalEntryType.LayerBegun, Layer = layer }, [], out _).Value;

    /// <summary>Fills a segment with what nobody needs.</summary>
    private static void Fill(LogNode node) =>
        node.Journal.Release(node.Journal.Append(JournalKind.Note, [], new byte[60_000]).Value);

    private LogNode Node(int number)
    {
        var node = new LogNode(_scheduler, number, _members);
        _members.Grant(node.Identity);
        return node;
    }
}
