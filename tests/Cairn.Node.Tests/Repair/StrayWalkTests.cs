using System.Security.Cryptography;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Node.Repair;
using Cairn.Simulation;
using Cairn.Simulation.Disks;
using Cairn.Storage.Packs;

namespace Cairn.Node.Tests.Repair;

public sealed class StrayWalkTests : IDisposable
{
    private readonly NodeId _self = new SimulatedIdentity(1).Node;
    private readonly ChunkStore _store =
        ChunkStore.Open(new SimulatedDisk(), new ChunkStoreOptions { SpaceBytes = 64 << 20 }).Value;

    // Everything belongs to another node.
    private readonly PlacementTable _placement = PlacementTable.Build(
        [new PlacementNode(new SimulatedIdentity(2).Node, 1L << 40)],
        PlacementPolicy.Default with { Copies = 1 },
        PlacementWeights.None);

    public void Dispose() => _store.Dispose();

    [Fact]
    public void Next_ComesToEveryCopy_ThoughTheFirstOnesStay()
    {
        RecordKey[] keys = Put(5);
        var walk = new StrayWalk(_store, _self);
        Assert.Equal(keys[..2], walk.Next(_placement, 2));
        Assert.Equal(keys[2..4], walk.Next(_placement, 2));
        Assert.Equal([keys[4], keys[0]], walk.Next(_placement, 2));
    }

    [Fact]
    public void Next_NamesEachCopyOnce_WhenTheBatchHasRoomForAll()
    {
        RecordKey[] keys = Put(5);
        var walk = new StrayWalk(_store, _self);
        _ = walk.Next(_placement, 3);
        Assert.Equal([keys[3], keys[4], keys[0], keys[1], keys[2]], walk.Next(_placement, 9));
    }

    [Fact]
    public void Next_LeavesOut_WhatIsNoCopyThatThisNodeAnswersFor()
    {
        RecordKey[] keys = Put(2);
        Assert.True(_store.SetUse(keys[0], ChunkUse.Cached).IsOk);
        Assert.Equal([keys[1]], new StrayWalk(_store, _self).Next(_placement, 9));
    }

    /// <summary>Stores copies, the first three in one partition: a batch ends within it.</summary>
    private RecordKey[] Put(int count)
    {
        var keys = new RecordKey[count];
        for (int i = 0; i < count; i++)
        {
            byte[] address = SHA256.HashData([(byte)i]);
            address.AsSpan(0, 2).Fill((byte)(i < 3 ? 0x10 : 0x20 + i));
            keys[i] = RecordKey.Copy(new ChunkAddress(address));
            Assert.True(_store.Put(keys[i], [1, 2, 3], ChunkUse.Replicated).IsOk);
        }

        Array.Sort(keys);
        return keys;
    }
}
