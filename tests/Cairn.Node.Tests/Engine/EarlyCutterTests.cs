using System.Text;
using Cairn.Core.Primitives;
using Cairn.Node.Volumes;
using Cairn.Node.WritePath;
using Cairn.Simulation.Disks;
using Cairn.Storage.Packs;

namespace Cairn.Node.Tests.Engine;

/// <summary>Large files are cut while they are being written, as they would be cut at the end, and leave nothing behind.</summary>
public sealed class EarlyCutterTests : IAsyncLifetime
{
    private const int Size = 12 << 20;
    private const int EarlyFrom = 6 << 20;
    private static readonly Caller User = new(1, 2, 3);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly EngineNode _node = NewNode(EarlyFrom);
    private readonly byte[] _content = new byte[Size];

    public ValueTask InitializeAsync()
    {
        new Prng(3).Fill(_content);
        _node.Open();
        return default;
    }

    public async ValueTask DisposeAsync() => await _node.Close();

    [Fact]
    public async Task WhatIsWrittenInOrder_IsStoredBeforeItIsClosed_InTheSameChunks()
    {
        OpenHandle handle = await WriteEarly();
        Assert.Empty(await Chunks(_node));
        await Publish(_node, handle);
        Assert.Equal(_content, await Read("f"));
        Assert.InRange(Used(), Size, Size + 100_000);

        EngineNode patient = NewNode(long.MaxValue);
        patient.Open();
        OpenHandle other = await Create(patient);
        Assert.Equal(Size, (await patient.Engine.Write(other, 0, _content)).Value);
        await Publish(patient, other);
        Assert.Equal(await Chunks(patient), await Chunks(_node));
        await patient.Close();
    }

    [Theory]
    [InlineData(1 << 20)]
    [InlineData(0)]
    public async Task WhatIsOverwritten_IsCutAnew_AndItsFirstChunksGo(int offset)
    {
        OpenHandle handle = await WriteEarly();
        new Prng(4).Fill(_content.AsSpan(offset, 3 << 20));
        Assert.True((await _node.Engine.Write(handle, offset, _content.AsMemory(offset, 3 << 20))).IsOk);
        await Publish(_node, handle);
        Assert.Equal(_content, await Read("f"));
        await ReportUnnamed();
        Assert.InRange(Used(), Size, Size + 100_000);
        Assert.Equal(_content, await Read("f"));
    }

    [Fact]
    public async Task WhatIsCutShort_IsCutAnew()
    {
        OpenHandle handle = await WriteEarly();
        ObjectAttributes file = (await _node.Engine.Lookup(InodeNumber.Root, Name("f"))).Value;
        AttributeChange shorter = new() { SizeBytes = 5_000_000 };
        Assert.True((await _node.Engine.SetAttributes(file.Inode, shorter, handle, User)).IsOk);
        await Publish(_node, handle);
        Assert.Equal(_content[..5_000_000], await Read("f"));
        await ReportUnnamed();
        Assert.InRange(Used(), 5_000_000, 5_100_000);
    }

    [Fact]
    public async Task AFileThatIsRemovedBeforeItIsClosed_LeavesNothingBehind()
    {
        OpenHandle handle = await WriteEarly();
        Assert.True((await _node.Engine.Unlink(InodeNumber.Root, Name("f"), User)).IsOk);
        Assert.True((await _node.Engine.Release(handle)).IsOk);
        await ReportUnnamed();
        Assert.Equal(0, Used());
    }

    /// <summary>The early chunks are those of a file that is removed, and collected, before the draft names them.</summary>
    [Fact]
    public async Task ChunksThatGarbageCollectionTakes_AreNotCountedOn()
    {
        const int Shared = 8 << 20;
        OpenHandle other = await Create(_node, "g");
        Assert.True((await _node.Engine.Write(other, 0, _content.AsMemory(0, Shared))).IsOk);
        await Publish(_node, other);
        long before = Used();
        OpenHandle handle = await WriteEarly(before + (1 << 20));
        Assert.True((await _node.Engine.Unlink(InodeNumber.Root, Name("g"), User)).IsOk);
        while (await _node.Engine.Garbage.Round(CancellationToken.None))
        {
        }

        await Publish(_node, handle);
        Assert.Equal(_content, await Read("f"));
    }

    private static EngineNode NewNode(long earlyFrom) => new(new SimulatedDisk())
    {
        Publishing = new PublishOptions
        {
            AheadFromBytes = earlyFrom,
            AheadStepBytes = 1 << 20,
            Idle = TimeSpan.FromHours(1),
            Latest = TimeSpan.FromHours(1),
        },
    };

    private static ReadOnlyMemory<byte> Name(string text) => Encoding.UTF8.GetBytes(text);

    private static async Task<OpenHandle> Create(EngineNode node, string name = "f") => (await node.Engine.Create(
        InodeNumber.Root, Name(name), 0x1A4, OpenIntent.Write | OpenIntent.Read, User)).Value.Handle;

    private static async Task Publish(EngineNode node, OpenHandle handle)
    {
        Assert.True((await node.Engine.Release(handle)).IsOk);
        Assert.True(await node.Engine.PublishAll(CancellationToken.None));
    }

    private static async Task<IReadOnlyList<ChunkAddress>> Chunks(EngineNode node) =>
        [.. (await node.Engine.ChunksBelow(string.Empty, CancellationToken.None)).Value.Chunks
            .Select(chunk => chunk.Address).Order()];

    /// <summary>Writes the file and waits until the first chunks are stored, while it is open.</summary>
    private async Task<OpenHandle> WriteEarly(long usedBytes = EarlyFrom / 2)
    {
        OpenHandle handle = await Create(_node);
        for (int at = 0; at < Size; at += 1 << 20)
        {
            Assert.True((await _node.Engine.Write(handle, at, _content.AsMemory(at, 1 << 20))).IsOk);
        }

        await Until(() => Used() >= usedBytes);
        return handle;
    }

    /// <summary>The publisher reports what no version names when it wakes; then it is collected.</summary>
    private Task ReportUnnamed() => Until(async () =>
    {
        while (await _node.Engine.Garbage.Round(CancellationToken.None))
        {
        }

        // What is left is what versions name, each chunk once, and the heads of their records.
        long named = (await _node.Engine.ChunksBelow(string.Empty, CancellationToken.None)).Value.Chunks
            .Sum(chunk => (long)_node.Store.Length(RecordKey.Copy(chunk.Address)));
        return Used() - named < 100_000;
    });

    private long Used()
    {
        StoreSpace space = _node.Store.Space;
        return space.Staged + space.Replicated + space.Cached;
    }

    private async Task<byte[]> Read(string name)
    {
        ObjectAttributes found = (await _node.Engine.Lookup(InodeNumber.Root, Name(name))).Value;
        OpenHandle handle = (await _node.Engine.Open(found.Inode, OpenIntent.Read, User)).Value.Handle;
        byte[] read = new byte[found.SizeBytes];
        Assert.Equal(read.Length, (await _node.Engine.Read(handle, 0, read)).Value);
        Assert.True((await _node.Engine.Release(handle)).IsOk);
        return read;
    }

    private static Task Until(Func<bool> condition) => Until(() => Task.FromResult(condition()));

    private static async Task Until(Func<Task<bool>> condition)
    {
        using var deadline = new CancellationTokenSource(Patience);
        while (!await condition())
        {
            deadline.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
