using System.Text;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Core.Tree;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Logs;

/// <summary>Limits of folders, and what was made apart from them by who may not edit there.</summary>
public sealed class LateWorkTests
{
    private readonly SimulatedScheduler _scheduler = new();
    private readonly LogMembers _members = new();
    private readonly LogNode _admin;
    private readonly LogNode _member;
    private readonly LogNode _other;
    private readonly ObjectId _folder;

    public LateWorkTests()
    {
        (_admin, _member, _other) = (Node(1).Open(), Node(2).Open(), Node(3).Open());
        _folder = MakeFolder(_admin, "limited");
        Sealed(_admin);
        _member.PullFrom(_admin);
        _other.PullFrom(_admin);
    }

    [Fact]
    public void WhatWasMadeApart_IsWrittenAgainOnce_AsSoonAsTheMarkIsThere()
    {
        _member.Create("sealed");
        Sealed(_member);
        _member.Create("not sealed");
        Limit(_other.Identity.Node);
        _member.Log.Reconsider();
        Assert.Equal(["limited", "not sealed", "sealed"], _member.Names());
        _other.Log.Reconsider();
        _other.PullFrom(_member);
        Assert.Equal(["limited"], _other.Names());

        _member.PullFrom(_admin);
        Assert.Equal(["limited", "not sealed", "sealed"], _member.Names());
        long written = WrittenBy(_member);
        _member.Log.Reconsider();
        Assert.Equal(written, WrittenBy(_member));
        AllAgreeOn("limited", "not sealed", "sealed");
    }

    [Fact]
    public void WhatWasMadeOnIt_WhenTheMarkWasHereBeforeTheLimit_IsWrittenAgainToo()
    {
        ObjectId apart = MakeFolder(_member, "apart");
        WriteRights unlimited = _members.Rights;
        Limit();
        (WriteRights limited, _members.Rights) = (_members.Rights, unlimited);
        _member.PullFrom(_admin);
        CreateIn(_member, apart, "inside");
        _members.Rights = limited;
        AllAgreeOn("apart", "limited");
        Assert.Single(new TreeQueries(_other.Log.Fold.Table).List(apart, default, 10));
        long written = WrittenBy(_member);
        _member.Close();
        _member.Index = new();
        _member.Open();
        Assert.Equal(written, WrittenBy(_member));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AStartInBetween_WritesNothingTwice(bool isIndexLost)
    {
        _member.Create("apart");
        Limit();
        _member.Close();
        _member.Open().PullFrom(_admin);
        long written = WrittenBy(_member);
        _member.Crash(CrashKind.ProcessKilled);
        if (isIndexLost)
        {
            _member.Index = new();
        }

        _member.Open();
        Assert.Equal(written, WrittenBy(_member));
        AllAgreeOn("apart", "limited");
    }

    [Fact]
    public void WhatWasMadeBelowTheFolder_StaysRefused()
    {
        _member.Create("beside");
        CreateIn(_member, _folder, "below");
        Limit();
        _member.PullFrom(_admin);
        AllAgreeOn("beside", "limited");
        Assert.Empty(new TreeQueries(_other.Log.Fold.Table).List(_folder, default, 10));
        Assert.NotEqual(0, new TreeQueries(_other.Log.Fold.Table).RefusedOf(_member.Identity.Node));
    }

    [Fact]
    public void WhatIsLateTwice_AndStandsAfterAll_CountsOnce()
    {
        _member.Create("apart");
        _other.PullFrom(Sealed(_member));
        _other.Remove("apart");
        Limit(_other.Identity.Node);
        _member.PullFrom(_admin);
        _member.Log.Reconsider();
        Renew();
        _member.PullFrom(_admin);
        AllAgreeOn("apart", "limited");

        // As `--accept-refused` says it. What was removed, where it was first written, is not back where it was written again.
        _members.Rights = WriteRights.None.With(_members.Rights.Folders.And(new LimitFolder(
            LogNode.Keyring.Volume, _folder, FolderAccess.Everyone, [], LogPositions.Empty, Mark())));
        AllAgreeOn("limited");
    }

    [Fact]
    public void WhileEverythingIsToBeFoldedAgain_NothingIsWrittenThatCountsAlready()
    {
        _other.Create("of another");
        _member.PullFrom(Sealed(_other));
        _member.Create("apart");
        WriteRights unlimited = _members.Rights;
        Limit(_other.Identity.Node);
        (WriteRights limited, _members.Rights) = (_members.Rights, unlimited);
        _member.PullFrom(_admin);
        _member.Create("behind");
        Sealed(_member).Log.Prune(folded => folded);
        string file = _member.Disk.Files.Single(
            path => path.Contains($"{_other.Identity.Node}", StringComparison.Ordinal));
        _member.Disk.FlipBit(file, _member.Disk.LengthOf(file) - 80, 3);
        _members.Rights = limited;
        long written = WrittenBy(_member);
        _member.Log.Reconsider();
        Assert.Equal(written, WrittenBy(_member));
        _member.PullFrom(_other);
        AllAgreeOn("apart", "behind", "limited", "of another");
        Assert.Equal(written + 1, WrittenBy(_member));
    }

    [Fact]
    public void WhoMayEditThere_HasNothingToWriteAgain()
    {
        _other.Create("of another");
        Limit(_other.Identity.Node);
        long written = WrittenBy(_other);
        _other.PullFrom(_admin);
        _other.Log.Reconsider();
        Assert.Equal(written, WrittenBy(_other));
        AllAgreeOn("limited", "of another");
    }

    /// <summary>How many transactions a node has written, in all incarnations.</summary>
    private static long WrittenBy(LogNode node) => node.Log.Fold.Positions.Logs
        .Where(log => log.Key.Author == node.Identity.Node).Sum(log => (long)log.Value.TransactionSeq);

    private static ObjectId MakeFolder(LogNode node, string name)
    {
        var made = new NewObject(new ObjectId(node.Fresh()), 0x1ED, 1, 2, new WallTime(7));
        lock (node.Log.Gate)
        {
            TreeEdits edits = new(new TreeQueries(node.Log.Fold.Table), node.Fresh);
            Assert.True(node.Log.Append(
                edits.MakeDirectory(TreeQueries.Root, Encoding.UTF8.GetBytes(name), made).Value, new WallTime(7)).IsOk);
        }

        return made.Id;
    }

    private static void CreateIn(LogNode node, ObjectId folder, string name)
    {
        var made = new NewObject(new ObjectId(node.Fresh()), 0x1A4, 1, 2, new WallTime(7));
        lock (node.Log.Gate)
        {
            TreeEdits edits = new(new TreeQueries(node.Log.Fold.Table), node.Fresh);
            Assert.True(node.Log.Append(
                edits.CreateFile(folder, Encoding.UTF8.GetBytes(name), made).Value, new WallTime(7)).IsOk);
        }
    }

    private static LogNode Sealed(LogNode node)
    {
        Assert.True(node.Log.Seal().IsOk);
        return node;
    }

    /// <summary>The admin lets only itself and some edit below the folder.</summary>
    private void Limit(params NodeId[] writers)
    {
        TransactionId mark = Mark();
        _members.Rights = WriteRights.None.With(FolderRights.Of([new LimitFolder(
            LogNode.Keyring.Volume, _folder, FolderAccess.Only,
            [.. writers.Append(_admin.Identity.Node).Order()], _admin.Log.Seen, mark)]));
        _admin.Log.Reconsider();
    }

    /// <summary>The admin guards what is below the folder by now.</summary>
    private void Renew()
    {
        TransactionId mark = Mark();
        _members.Rights = WriteRights.None.With(_members.Rights.Folders.And(
            new RenewMark(LogNode.Keyring.Volume, _admin.Log.Seen, mark, [])));
    }

    private TransactionId Mark()
    {
        TransactionId mark;
        lock (_admin.Log.Gate)
        {
            mark = _admin.Log.Append([new Rescue([])], new WallTime(8)).Value;
        }

        Sealed(_admin);
        return mark;
    }

    private void AllAgreeOn(params string[] names)
    {
        LogNode[] nodes = [_admin, _member, _other];
        foreach (LogNode node in nodes)
        {
            node.Log.Reconsider();
            Sealed(node);
        }

        foreach (LogNode to in nodes)
        {
            Array.ForEach(nodes, to.PullFrom);
        }

        foreach (LogNode node in nodes)
        {
            Assert.Equal(names, node.Names());
            Assert.Equal(_admin.TableText(), node.TableText());
        }
    }

    private LogNode Node(int number)
    {
        var node = new LogNode(_scheduler, number, _members);
        _members.Grant(node.Identity);
        return node;
    }
}
