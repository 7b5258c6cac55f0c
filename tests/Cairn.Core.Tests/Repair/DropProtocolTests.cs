using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Core.Repair;
using Cairn.Core.Tests.Placement;

namespace Cairn.Core.Tests.Repair;

public sealed class DropProtocolTests
{
    private const int Nodes = 6;
    private const int Copies = 2;

    [Fact]
    public void However_messages_interleave_and_nodes_crash_enough_copies_remain()
    {
        int drops = 0;
        for (ulong seed = 1; seed <= 2000; seed++)
        {
            DropScene scene = new(seed);
            for (int step = 0; step < 150; step++)
            {
                scene.Step();
                Assert.True(scene.CopyCount >= Copies, $"seed {seed}, step {step}: {scene.CopyCount} copies");
                if (step % 40 == 39)
                {
                    drops += Nodes - scene.CopyCount;
                    scene.Stage(step % Nodes);
                }
            }
        }

        Assert.True(drops > 2000, $"only {drops} copies were dropped");
    }

    [Fact]
    public void Left_alone_every_stray_copy_goes()
    {
        for (ulong seed = 1; seed <= 50; seed++)
        {
            DropScene scene = new(seed, isCalm: true);
            for (int step = 0; step < 5000 && scene.CopyCount > Copies; step++)
            {
                scene.Step();
            }

            Assert.Equal(Copies, scene.CopyCount);
        }
    }

    [Fact]
    public void A_node_in_intent_confirms_nothing_and_a_holder_never_enters_one()
    {
        PlacementTable table = PlacementKit.Table(PlacementKit.Equal(Nodes), Copies);
        RecordKey key = DropScene.Key;
        NodeId holder = table.Holders(key.Partition)[0];
        NodeId stray = table.Order(key.Partition)[Nodes - 1];
        Recorder effects = new();
        DropProtocol onHolder = new(holder);
        onHolder.UseTable(table, effects);
        onHolder.Begin(key, default, effects);
        Assert.Equal(0, onHolder.Count);
        DropProtocol onStray = new(stray);
        onStray.UseTable(table, effects);
        Assert.True(onStray.MayConfirm(key));
        onStray.Begin(key, default, effects);
        Assert.False(onStray.MayConfirm(key));
        Assert.Equal(["save"], effects.Calls);
        onStray.Confirmed(holder, key, default, effects);
        Assert.Equal(["save"], effects.Calls);
        onStray.IntentIsDurable(key, effects);
        onStray.Confirmed(holder, key, default, effects);
        onStray.Confirmed(holder, key, default, effects);
        onStray.Confirmed(stray, key, default, effects);
        Assert.Equal(["save", .. Enumerable.Repeat("ask", Nodes - 1)], effects.Calls);
        onStray.Confirmed(table.Holders(key.Partition)[1], key, default, effects);
        Assert.Equal("drop", effects.Calls[^1]);
    }

    [Fact]
    public void A_staged_copy_goes_without_an_intent_unless_somebody_may_count_on_it()
    {
        DropProtocol protocol = new(PlacementKit.Node(1));
        Assert.True(protocol.EndStaging(DropScene.Key));
        protocol.CountOn(DropScene.Key);
        Assert.True(protocol.MayConfirm(DropScene.Key));
        Assert.False(protocol.EndStaging(DropScene.Key));
        Assert.True(protocol.EndStaging(DropScene.Key));
    }

    [Fact]
    public void A_new_table_that_wants_the_copy_here_ends_the_intent()
    {
        PlacementTable table = PlacementKit.Table(PlacementKit.Equal(Nodes), Copies);
        RecordKey key = DropScene.Key;
        DropProtocol protocol = new(table.Order(key.Partition)[Nodes - 1]);
        Recorder effects = new();
        protocol.UseTable(table, effects);
        protocol.Begin(key, default, effects);
        protocol.UseTable(PlacementKit.Table(PlacementKit.Equal(Nodes), Nodes), effects);
        Assert.Equal(["save", "forget"], effects.Calls);
        Assert.True(protocol.MayConfirm(key));
    }

    [Fact]
    public void A_restored_intent_is_silent_until_it_begins_anew()
    {
        PlacementTable table = PlacementKit.Table(PlacementKit.Equal(Nodes), Copies);
        RecordKey key = DropScene.Key;
        DropProtocol protocol = new(table.Order(key.Partition)[Nodes - 1]);
        Recorder effects = new();
        protocol.Restore([key]);
        protocol.UseTable(table, effects);
        Assert.False(protocol.MayConfirm(key));
        protocol.IntentIsDurable(key, effects);
        protocol.Confirmed(table.Holders(key.Partition)[0], key, default, effects);
        Assert.Empty(effects.Calls);
    }

    [Fact]
    public void A_proof_is_of_the_segment_the_nonce_picks()
    {
        byte[] stored = new byte[100_000];
        new Prng(1).Fill(stored);
        HashSet<int> offsets = [];
        for (ulong i = 0; i < 200; i++)
        {
            byte[] bytes = new byte[16];
            new Prng(i).Fill(bytes);
            Bytes16 nonce = new(bytes);
            (int offset, int length) = DropProof.SegmentOf(nonce, stored.Length);
            Assert.InRange(offset + length, 1, stored.Length);
            offsets.Add(offset);
            Bytes32 proof = DropProof.Compute(nonce, stored.Length, stored.AsSpan(offset, length));
            stored[offset] ^= 1;
            Assert.NotEqual(proof, DropProof.Compute(nonce, stored.Length, stored.AsSpan(offset, length)));
            stored[offset] ^= 1;
        }

        Assert.Equal(7, offsets.Count);
        Assert.Equal((0, 5), DropProof.SegmentOf(new Bytes16(new byte[16]), 5));
    }

    private sealed class Recorder : IDropEffects
    {
        public List<string> Calls { get; } = [];

        public void SaveIntent(RecordKey key) => Calls.Add("save");

        public void Ask(NodeId node, RecordKey key, Bytes16 nonce) => Calls.Add("ask");

        public void Drop(RecordKey key) => Calls.Add("drop");

        public void ForgetIntent(RecordKey key) => Calls.Add("forget");
    }
}
