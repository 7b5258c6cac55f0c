using System.Text;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Node.Engine.Walks;
using Cairn.Node.Garbage;
using Cairn.Node.Volumes;
using Cairn.Node.WritePath;
using Cairn.Simulation.Disks;
using Cairn.Storage.Packs;

namespace Cairn.Node.Tests.Engine;

/// <summary>Space of deleted and overwritten files comes back, and nothing that is still shown is touched.</summary>
public sealed class EngineGarbageTests : IAsyncLifetime
{
    private static readonly Caller User = new(1, 2, 3);
    private readonly EngineNode _node = new(new SimulatedDisk());

    public ValueTask InitializeAsync()
    {
        _node.Open();
        return default;
    }

    public async ValueTask DisposeAsync() => await _node.Close();

    [Fact]
    public async Task DeletedFiles_GiveTheirSpaceBack()
    {
        byte[] kept = await Write("kept", 3_000_000, seed: 1);
        await Write("gone", 5_000_000, seed: 2);
        await Write("small", 9_000, seed: 3);
        Assert.InRange(Used(), 8_000_000, 9_000_000);
        Assert.True((await _node.Engine.Unlink(InodeNumber.Root, Name("gone"), User)).IsOk);
        Assert.True((await _node.Engine.Unlink(InodeNumber.Root, Name("small"), User)).IsOk);
        await Collect();
        Assert.InRange(Used(), 3_000_000, 3_100_000);
        Assert.Equal(kept, await Read("kept"));
        await _node.Close();
        _node.Open();
        Assert.Equal(kept, await Read("kept"));
    }

    /// <summary>Nodes that are full refuse writes though the pool as a whole has much more than a twentieth free.</summary>
    [Fact]
    public async Task WhatRulesKeep_GoesWhileWritesAreRefused()
    {
        await _node.Close();
        EngineNode node = new(_node.Disk) { Keep = Retention.Forever };
        node.Open();
        OpenedFile file = (await node.Engine.Create(
            InodeNumber.Root, Name("f"), 0x1A4, OpenIntent.Read | OpenIntent.Write, User)).Value;
        Assert.True((await node.Engine.Write(file.Handle, 0, new byte[1_000_000])).IsOk);
        await node.Engine.Release(file.Handle);
        await node.Engine.PublishAll(CancellationToken.None);
        Assert.True((await node.Engine.Unlink(InodeNumber.Root, Name("f"), User)).IsOk);
        await Collect(node);
        Assert.NotEqual(0, node.Store.Count);
        Assert.NotEqual(0, (await node.Engine.Space()).Value.FreeBytes);

        node.HasPoolRoom = false;
        Assert.Equal(0, (await node.Engine.Space()).Value.FreeBytes);
        await Collect(node);
        Assert.Equal(0, node.Store.Count);
        await node.Close();
        _node.Open();
    }

    [Fact]
    public async Task OverwrittenVersions_GiveTheirSpaceBack()
    {
        await Write("f", 4_000_000, seed: 1);
        byte[] now = await Write("f", 4_000_000, seed: 2);
        await Collect();
        Assert.InRange(Used(), 4_000_000, 4_100_000);
        Assert.Equal(now, await Read("f"));
    }

    [Fact]
    public async Task AnOpenFileThatWasDeleted_IsReadableUntilItIsClosed()
    {
        byte[] content = await Write("f", 2_000_000, seed: 1);
        ObjectAttributes found = (await _node.Engine.Lookup(InodeNumber.Root, Name("f"))).Value;
        OpenHandle handle = (await _node.Engine.Open(found.Inode, OpenIntent.Read, User)).Value.Handle;
        Assert.True((await _node.Engine.Unlink(InodeNumber.Root, Name("f"), User)).IsOk);
        await Collect();
        byte[] read = new byte[content.Length];
        Assert.Equal(content.Length, (await _node.Engine.Read(handle, 0, read)).Value);
        Assert.Equal(content, read);
        await _node.Engine.Release(handle);
        await Collect();
        Assert.Equal(0, Used());
    }

    /// <summary>What it named nobody can tell any more. Until 2026-11-23 nothing of the volume was collected after that.</summary>
    [Fact]
    public async Task ARemovedFileWhoseListOfChunksIsNowhere_HoldsUpNoOtherGarbage()
    {
        await _node.Close();
        EngineNode node = new(_node.Disk) { Publishing = new PublishOptions { ManifestInlineBytesMax = 16 } };
        node.Open();
        await Write(node, "large", 3_000_000, seed: 1);
        RecordKey list = node.Store.Enumerate(ChunkUse.Staged).MinBy(static record => record.Length).Key;
        await Write(node, "gone", 2_000_000, seed: 2);
        await node.Close();
        node.Open();
        Assert.True(node.Store.Remove(list).IsOk);
        Assert.True((await node.Engine.Unlink(InodeNumber.Root, Name("large"), User)).IsOk);
        Assert.True((await node.Engine.Unlink(InodeNumber.Root, Name("gone"), User)).IsOk);
        await Collect(node);
        Assert.InRange(node.Store.Space.Staged, 0, 3_100_000);
        await Write(node, "later", 2_000_000, seed: 3);
        Assert.True((await node.Engine.Unlink(InodeNumber.Root, Name("later"), User)).IsOk);
        await Collect(node);
        Assert.InRange(node.Store.Space.Staged, 0, 3_100_000);
        await node.Close();
        _node.Open();
    }

    /// <summary>Its draft was stored before anybody knew that no version would name it.</summary>
    [Fact]
    public async Task AFileRemovedBeforeItsFirstVersion_LeavesNothingBehind()
    {
        byte[] content = new byte[2_000_000];
        new Prng(5).Fill(content);
        OpenHandle handle = (await _node.Engine.Create(
            InodeNumber.Root, Name("f"), 0x1A4, OpenIntent.Write | OpenIntent.Read, User)).Value.Handle;
        Assert.True((await _node.Engine.Write(handle, 0, content)).IsOk);
        Assert.True((await _node.Engine.Unlink(InodeNumber.Root, Name("f"), User)).IsOk);
        Assert.True(await _node.Engine.PublishAll(CancellationToken.None));
        Assert.InRange(Used(), content.Length, content.Length + 100_000);
        await Collect();
        byte[] read = new byte[content.Length];
        Assert.Equal(content.Length, (await _node.Engine.Read(handle, 0, read)).Value);
        Assert.Equal(content, read);
        await _node.Engine.Release(handle);
        await Collect();
        Assert.Equal(0, Used());
    }

    [Fact]
    public async Task AVersionThatWasCollected_DoesNotComeBackFromTheJournal()
    {
        // Found by `cairn simulate --nodes 4 --hours 1 --seed 3`: it was published again, a conflict without bytes.
        await Write("f", 50_000, seed: 1);
        byte[] now = await Write("f", 60_000, seed: 2);
        await Collect();
        await _node.Close();
        _node.Open();
        Assert.False(_node.Engine.HasUnpublishedWrites);
        Assert.Single((await _node.Engine.ReadDirectory(InodeNumber.Root, 0, 10)).Value);
        Assert.Equal(now, await Read("f"));
    }

    /// <summary>While others may already be removing a condemned chunk, equal bytes must not count on it.</summary>
    [Theory]
    [InlineData(3_000_000)]
    [InlineData(9_000)]
    public async Task EqualBytesWrittenWhileTheirChunksAreCondemned_AreStoredAnew(int length)
    {
        await Write("first", length, seed: 7);
        Assert.True((await _node.Engine.Unlink(InodeNumber.Root, Name("first"), User)).IsOk);
        GarbageCollector garbage = _node.Engine.Garbage;
        NodeId self = _node.Log.OwnLogId.Author;
        garbage.Members = new Pair(self);
        await Collect();
        VolumeChunks none = (await _node.Engine.ChunksBelow(string.Empty, CancellationToken.None)).Value;
        Assert.Empty(none.Chunks);
        Assert.False(garbage.Condemned.IsEmpty);

        byte[] again = await Write("again", length, seed: 7);
        VolumeChunks used = (await _node.Engine.ChunksBelow(string.Empty, CancellationToken.None)).Value;
        Assert.NotEmpty(used.Chunks);
        Assert.DoesNotContain(used.Chunks, chunk => garbage.Condemned.Contains(chunk.Address));
        garbage.Members = new LoneMember(self);
        await Collect();
        Assert.True(garbage.Condemned.IsEmpty);
        Assert.InRange(Used(), length, length + 20_000);
        Assert.Equal(again, await Read("again"));
    }

    private static ReadOnlyMemory<byte> Name(string text) => Encoding.UTF8.GetBytes(text);

    private Task Collect() => Collect(_node);

    private static async Task Collect(EngineNode node)
    {
        while (await node.Engine.Garbage.Round(CancellationToken.None))
        {
        }
    }

    private long Used()
    {
        StoreSpace space = _node.Store.Space;
        return space.Staged + space.Replicated + space.Cached;
    }

    private Task<byte[]> Write(string name, int length, int seed) => Write(_node, name, length, seed);

    private static async Task<byte[]> Write(EngineNode node, string name, int length, int seed)
    {
        byte[] content = new byte[length];
        new Prng((ulong)seed).Fill(content);
        OpenHandle handle = (await node.Engine.Create(
            InodeNumber.Root, Name(name), 0x1A4, OpenIntent.Write | OpenIntent.Truncate, User)).Value.Handle;
        Assert.Equal(length, (await node.Engine.Write(handle, 0, content)).Value);
        Assert.True((await node.Engine.Release(handle)).IsOk);
        Assert.True(await node.Engine.PublishAll(CancellationToken.None));
        return content;
    }

    private async Task<byte[]> Read(string name)
    {
        ObjectAttributes found = (await _node.Engine.Lookup(InodeNumber.Root, Name(name))).Value;
        OpenHandle handle = (await _node.Engine.Open(found.Inode, OpenIntent.Read, User)).Value.Handle;
        byte[] content = new byte[found.SizeBytes];
        Assert.Equal(content.Length, (await _node.Engine.Read(handle, 0, content)).Value);
        await _node.Engine.Release(handle);
        return content;
    }

    /// <summary>A second member that has seen everything and never acknowledges.</summary>
    private sealed class Pair(NodeId self) : IGarbageMembers
    {
        private static readonly byte[] Last = [.. Enumerable.Repeat((byte)255, NodeId.Size)];

        public IReadOnlyList<NodeId> Writers { get; } = [self, new NodeId(Last)];

        public LogPositions Stable(LogPositions held) => held;
    }
}
