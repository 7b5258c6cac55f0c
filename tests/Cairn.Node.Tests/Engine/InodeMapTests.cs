using System.Buffers.Binary;
using System.Text;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Node.Tests.Logs;
using Cairn.Node.Volumes;
using Cairn.Simulation.Indexes;

namespace Cairn.Node.Tests.Engine;

/// <summary>Objects whose ids begin alike, made on another node, get numbers of their own here and keep them.</summary>
public sealed class InodeMapTests : IAsyncDisposable
{
    private const ulong Number = 0x0102030405060708;

    private readonly EngineNode _node;
    private readonly LogNode _peer;

    public InodeMapTests()
    {
        var pair = new EngineAndPeer();
        (_node, _peer) = (pair.Node, pair.Peer);
    }

    public async ValueTask DisposeAsync() => await _node.Close();

    [Fact]
    public async Task Numbers_that_meet_are_told_apart_for_good()
    {
        string[] names = ["first", "second", "top bit", "next"];
        Receive(names[0], Number, 1);
        Receive(names[1], Number, 2);
        Receive(names[2], Number | (1UL << 63), 3);
        Receive(names[3], Number + 1, 4);
        ulong[] given = await Numbers(names);
        Assert.Equal(Number, given[0]);
        Assert.Equal(4, given.Distinct().Count());
        await AssertFound(names, given);

        await _node.Close();
        _node.Open();
        Assert.Equal(given, await Numbers(names));
        await AssertFound(names, given);
    }

    [Fact]
    public async Task A_rebuilt_index_tells_them_apart_again()
    {
        string[] names = ["a", "b", "c"];
        for (int i = 0; i < names.Length; i++)
        {
            Receive(names[i], Number, (byte)(i + 1));
        }

        await _node.Close();
        _node.Index = new SimulatedIndex();
        _node.Open();
        ulong[] given = await Numbers(names);
        Assert.Equal(3, given.Distinct().Count());
        await AssertFound(names, given);
    }

    [Fact]
    public async Task Zero_and_one_are_nobodys()
    {
        Receive("zero", 0, 1);
        Receive("one", 1, 1);
        Receive("two", 2, 1);
        ulong[] given = await Numbers(["zero", "one", "two"]);
        Assert.Equal(3, given.Distinct().Count());
        Assert.DoesNotContain(given, number => number < 2);
        await AssertFound(["zero", "one", "two"], given);
    }

    [Fact]
    public async Task A_number_that_was_handed_out_is_found_without_asking_the_index()
    {
        OpenedFile made = (await _node.Engine.Create(
            InodeNumber.Root, Name("new"), 0x1A4, OpenIntent.Write, Caller.Daemon)).Value;
        long before = _node.Index.ScanCount;
        Assert.True((await _node.Engine.GetExtendedAttribute(made.Attributes.Inode, Name("user.none"))).Error
            == VolumeError.NoAttribute);
        Assert.Equal(before, _node.Index.ScanCount);
        await _node.Engine.Release(made.Handle);
    }

    [Fact]
    public async Task Numbers_that_meet_are_told_apart_where_many_come_at_once()
    {
        string[] names = [.. Enumerable.Range(0, 40).Select(i => $"near {i}"), "second", "top bit", "far"];
        for (int i = 0; i < 40; i++)
        {
            Make(names[i], Number + ((ulong)i << 48), 1);
        }

        Make("second", Number + (7UL << 48), 2);
        Make("top bit", (Number + (9UL << 48)) | (1UL << 63), 3);
        Make("far", ~Number, 4);
        SendAll();
        ulong[] given = await Numbers(names);
        Assert.Equal(names.Length, given.Distinct().Count());
        Assert.Equal(Number, given[0]);
        await AssertFound(names, given);

        await _node.Close();
        _node.Open();
        Assert.Equal(given, await Numbers(names));
    }

    [Fact]
    public async Task One_of_many_that_come_at_once_meets_one_that_was_here_and_moved_before()
    {
        Receive("first", Number, 1);
        Receive("moved", Number, 2);
        for (int i = 1; i < 20; i++)
        {
            Make($"near {i}", Number + ((ulong)i << 48), 1);
        }

        Make("third", Number, 3);
        Make("in the way", Number + 1, 4);
        SendAll();
        string[] names = ["first", "moved", "third", "in the way", .. Enumerable.Range(1, 19).Select(i => $"near {i}")];
        ulong[] given = await Numbers(names);
        Assert.Equal(Number, given[0]);
        Assert.Equal(names.Length, given.Distinct().Count());
        await AssertFound(names, given);
    }

    [Fact]
    public async Task Whether_the_numbers_of_those_made_side_by_side_are_free_is_looked_for_once()
    {
        for (int i = 0; i < 200; i++)
        {
            Make($"file {i}", Number + ((ulong)i << 48), 1);
        }

        long before = _node.Index.ScanCount;
        SendAll();
        Assert.InRange(_node.Index.ScanCount - before, 0, 20);
        Assert.Equal(200, (await Numbers([.. Enumerable.Range(0, 200).Select(i => $"file {i}")])).Distinct().Count());
    }

    private static ReadOnlyMemory<byte> Name(string text) => Encoding.UTF8.GetBytes(text);

    private void Receive(string name, ulong firstEight, byte last)
    {
        Make(name, firstEight, last);
        SendAll();
    }

    private void Make(string name, ulong firstEight, byte last)
    {
        byte[] id = new byte[ObjectId.Size];
        BinaryPrimitives.WriteUInt64LittleEndian(id, firstEight);
        id[^1] = last;
        lock (_peer.Log.Gate)
        {
            TreeEdits edits = new(new TreeQueries(_peer.Log.Fold.Table), _peer.Fresh);
            NewObject file = new(new ObjectId(id), last, 1, 2, new WallTime(7));
            Assert.True(_peer.Log.Append(
                edits.CreateFile(TreeQueries.Root, Name(name), file).Value, new WallTime(7)).IsOk);
        }
    }

    private void SendAll()
    {
        Assert.True(_peer.Log.Seal().IsOk);
        EngineAndPeer.Send(_peer.Log, _node.Log);
    }

    private async Task<ulong[]> Numbers(string[] names)
    {
        var numbers = new List<ulong>();
        foreach (string name in names)
        {
            numbers.Add((await _node.Engine.Lookup(InodeNumber.Root, Name(name))).Value.Inode.Value);
        }

        return [.. numbers];
    }

    /// <summary>The mode tells which file a number leads to.</summary>
    private async Task AssertFound(string[] names, ulong[] numbers)
    {
        for (int i = 0; i < names.Length; i++)
        {
            ObjectAttributes named = (await _node.Engine.Lookup(InodeNumber.Root, Name(names[i]))).Value;
            ObjectAttributes found = (await _node.Engine.GetAttributes(new InodeNumber(numbers[i]))).Value;
            Assert.Equal(named, found);
        }
    }
}
