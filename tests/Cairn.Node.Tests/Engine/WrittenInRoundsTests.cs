using System.Text;
using Cairn.Core.Manifests;
using Cairn.Core.Tree;
using Cairn.Node.Volumes;
using Cairn.Node.WritePath;
using Cairn.Simulation.Disks;

namespace Cairn.Node.Tests.Engine;

/// <summary>A file that is published while it is being written has the chunks that it would have, had it been written at once.</summary>
public sealed class WrittenInRoundsTests : IAsyncDisposable
{
    private const int Size = 14 << 20;

    private readonly byte[] _bytes = new byte[Size];
    private readonly EngineNode _node = new EngineNode(new SimulatedDisk())
    {
        Publishing = new PublishOptions { Idle = TimeSpan.FromHours(1), Latest = TimeSpan.FromHours(1) },
    }.Open();

    public WrittenInRoundsTests() => new Random(1).NextBytes(_bytes);

    public async ValueTask DisposeAsync() => await _node.Close();

    [Fact]
    public async Task Where_rounds_end_is_not_seen_in_its_chunks()
    {
        Manifest atOnce = await Write("at once", Size);
        Assert.True(atOnce.Items.Length > 6);
        Assert.Equal(atOnce, await Write("in two", (5 << 20) + 77, Size));
        Assert.Equal(atOnce, await Write("in four", 3 << 20, 6_999_999, 11 << 20, Size));
    }

    /// <summary>A log that grows by less than its last chunk is long does not have that stored again each time.</summary>
    [Fact]
    public async Task Short_additions_leave_the_last_chunk_alone()
    {
        Manifest first = await Write("first", 1 << 20);
        Manifest both = await Write("log", 1 << 20, (1 << 20) + (150 << 10));
        Assert.Equal(first, both.Slice(0, first.SizeBytes));
        Assert.Equal(150 << 10, both.Items[^1].LengthBytes);
    }

    /// <summary>What was written over the last chunk in the same round is not taken from the version before.</summary>
    [Fact]
    public async Task What_was_changed_before_the_end_stays_changed()
    {
        OpenedFile open = await Create("f");
        await Write(open, 0, 2 << 20);
        Assert.True(await _node.Engine.PublishAll(default));
        _bytes.AsSpan((2 << 20) - 1000, 500).Fill(7);
        await Write(open, (2 << 20) - 1000, (2 << 20) - 500);
        await Write(open, 2 << 20, 8 << 20);
        Assert.True(await _node.Engine.PublishAll(default));
        await AssertShows(open, 8 << 20);
    }

    private async Task<Manifest> Write(string name, params int[] ends)
    {
        OpenedFile open = await Create(name);
        int at = 0;
        foreach (int end in ends)
        {
            await Write(open, at, end);
            Assert.True(await _node.Engine.PublishAll(default));
            at = end;
        }

        await AssertShows(open, at);
        Assert.True((await _node.Engine.Release(open.Handle)).IsOk);
        return ManifestOf(name);
    }

    private async Task<OpenedFile> Create(string name)
    {
        byte[] encoded = Encoding.UTF8.GetBytes(name);
        return (await _node.Engine.Create(
            EngineNode.Root, encoded, 0x1A4, OpenIntent.Read | OpenIntent.Write, Caller.Daemon)).Value;
    }

    private async Task Write(OpenedFile open, int from, int end)
    {
        for (int at = from; at < end; at += 1 << 20)
        {
            int length = Math.Min(1 << 20, end - at);
            Assert.True((await _node.Engine.Write(open.Handle, at, _bytes.AsMemory(at, length))).IsOk);
        }
    }

    private async Task AssertShows(OpenedFile open, int length)
    {
        byte[] shown = new byte[length];
        Assert.Equal(length, (await _node.Engine.Read(open.Handle, 0, shown)).Value);
        Assert.True(shown.AsSpan().SequenceEqual(_bytes.AsSpan(0, length)));
    }

    private Manifest ManifestOf(string name)
    {
        TreeQueries queries = new(_node.Log.Fold.Table);
        EntryView entry = queries.Lookup(TreeQueries.Root, Encoding.UTF8.GetBytes(name))!.Value;
        HeadView head = Assert.Single(queries.Get(entry.Object)!.Heads);
        return Assert.IsType<ManifestRoot.Inline>(ManifestRootCodec.Decode(head.Manifest.Span).Value).Manifest;
    }
}
