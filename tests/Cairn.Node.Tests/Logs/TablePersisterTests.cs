using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Tree.Records;
using Cairn.Node.Logs;
using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Logs;

public sealed class TablePersisterTests
{
    private readonly SimulatedScheduler _scheduler = new();
    private readonly LogMembers _members = new();

    [Fact]
    public void ManyChanges_AreWrittenToTheIndexWithoutWaiting()
    {
        var options = new ReplicatedLogOptions { PersistDelay = TimeSpan.FromHours(1), PersistChangesMax = 100 };
        LogNode node = Node(1).Open(options);
        node.Create("few");
        _scheduler.RunFor(TimeSpan.FromMinutes(1));
        int before = node.Index.Count;
        for (int i = 0; i < 100; i++)
        {
            node.Create($"many {i}");
        }

        _scheduler.RunFor(TimeSpan.FromMinutes(1));
        Assert.InRange(before, 0, 50);
        Assert.InRange(node.Index.Count, 100, int.MaxValue);
        node.Close();
    }

    [Fact]
    public void AnIndexThatCouldNotBeWritten_HasEverythingLater()
    {
        LogNode lucky = Node(1).Open();
        LogNode node = Node(2).Open();
        node.Index.WriteFailure = "database or disk is full";
        foreach (string name in new[] { "a", "b", "c" })
        {
            Assert.False(node.Log.Persist().IsOk);
            node.Create(name);
            lucky.Create(name);
        }

        node.Index.WriteFailure = null;
        Assert.True(node.Log.Persist().IsOk);
        Assert.True(lucky.Log.Persist().IsOk);
        Assert.Equal(lucky.Index.Count, node.Index.Count);
        node.Close();
        Assert.Equal(["a", "b", "c"], node.Open().Names());
    }

    [Fact]
    public void WhatIsFoldedWhileTheIndexIsWritten_IsThereAfterTheNextStart()
    {
        var options = new ReplicatedLogOptions { PersistDelay = TimeSpan.FromHours(1), PersistChangesMax = 100 };
        LogNode node = Node(1).Open(options);
        LogNode other = Node(2).Open(options);
        node.Index.WriteFailure = "database or disk is full";
        for (int i = 0; i < 300; i++)
        {
            node.Create($"file {i}");
            other.Create($"file {i}");
            if (i == 100)
            {
                // Taken, and not written before the end: what follows is folded beside it.
                Assert.False(node.Log.Persist().IsOk);
            }
        }

        node.Index.WriteFailure = null;
        Assert.True(node.Log.Persist().IsOk);
        Assert.True(other.Log.Persist().IsOk);
        string[] names = [.. node.Names()];
        Assert.Equal(300, names.Length);
        node.Close();
        Assert.Equal(names, node.Open(options).Names());
        Assert.Equal(other.Log.Fold.TailCount, node.Log.Fold.TailCount);
    }

    /// <summary>The fold is faster than the index: a newcomer that folds a long history had most of it in memory.</summary>
    [Fact]
    public void WhatIsReceived_WaitsForTheIndexBeforeMemoryHasMuchOfIt()
    {
        const int Much = 500;
        var options = new ReplicatedLogOptions
        {
            PersistDelay = TimeSpan.FromHours(1),
            PersistChangesMax = Much,
            FoldTransactionsMax = 50,
        };
        LogNode giver = Node(1).Open();
        LogNode newcomer = Node(2).Open(options);
        for (int i = 0; i < 3000; i++)
        {
            giver.Create($"file {i}");
            Assert.True(i % 50 != 0 || giver.Log.Seal().IsOk);
        }

        // Nothing else runs meanwhile: nobody writes the index but who folds.
        Assert.True(giver.Log.Seal().IsOk);
        newcomer.PullFrom(giver);
        int written = newcomer.Index.Count;
        Assert.True(newcomer.Log.Persist().IsOk);
        Assert.InRange(newcomer.Index.LargestApply, Much, 2 * Much);
        Assert.InRange(written, newcomer.Index.Count - (4 * Much), newcomer.Index.Count);
        Assert.Equal(giver.TableText(), newcomer.TableText());
        newcomer.Close();
        giver.Close();
    }

    /// <summary>What cannot be written is not waited for: what is received is folded, and written later.</summary>
    [Fact]
    public void WhatIsReceivedWhileTheIndexCannotBeWritten_IsFoldedAndWrittenLater()
    {
        var options = new ReplicatedLogOptions { PersistChangesMax = 50, FoldTransactionsMax = 10 };
        LogNode giver = Node(1).Open();
        LogNode newcomer = Node(2).Open(options);
        newcomer.Index.WriteFailure = "database or disk is full";
        for (int i = 0; i < 100; i++)
        {
            giver.Create($"file {i}");
            Assert.True(giver.Log.Seal().IsOk);
        }

        newcomer.PullFrom(giver);
        Assert.Equal(100, newcomer.Names().Length);
        newcomer.Index.WriteFailure = null;
        Assert.True(newcomer.Log.Persist().IsOk);
        newcomer.Close();
        Assert.Equal(giver.TableText(), newcomer.Open(options).TableText());
    }

    /// <summary>A disk that was full for a while: what is not in the index would else stay in memory until the next start.</summary>
    [Fact]
    public void AfterAFailure_TheIndexIsWrittenAgainByItself()
    {
        LogNode node = Node(1).Open();
        int before = node.Index.Count;
        node.Index.WriteFailure = "database or disk is full";
        node.Create("a");
        _scheduler.RunFor(TimeSpan.FromMinutes(1));
        node.Create("b");
        _scheduler.RunFor(TimeSpan.FromMinutes(1));
        Assert.Equal(before, node.Index.Count);
        Assert.Contains("cannot be written", node.Log.Findings.Take().Single().Detail, StringComparison.Ordinal);
        Assert.Empty(node.Log.Findings.Take());
        node.Index.WriteFailure = null;
        _scheduler.RunFor(TimeSpan.FromMinutes(1));
        Assert.NotEqual(before, node.Index.Count);
        Assert.True(node.Log.Persist().IsOk);
    }

    /// <summary>What an older program folded otherwise: no node would have that table now.</summary>
    [Fact]
    public void ATableFoldedByOlderRules_IsFoldedAgain()
    {
        LogNode node = Node(1).Open();
        node.Create("file");
        string right = node.TableText();
        lock (node.Log.Gate)
        {
            node.Log.Fold.Table.Put([TreeKeys.GarbageMark], [1]);
            node.Log.Fold.Table.Put([FoldKeys.Reserved, (byte)'V'], [1]);
        }

        Assert.NotEqual(right, node.TableText());
        node.Close();
        Assert.Equal(right, node.Open().TableText());
        node.Close();
        Assert.Equal(right, node.Open().TableText());
    }

    private LogNode Node(int number)
    {
        var node = new LogNode(_scheduler, number, _members);
        _members.Grant(node.Identity);
        return node;
    }
}
