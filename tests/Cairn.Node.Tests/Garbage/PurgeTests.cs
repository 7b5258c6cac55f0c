using Cairn.Core.Manifests;
using Cairn.Core.Tree.Records;
using Cairn.Node.Garbage;
using Cairn.Node.Tests.Logs;
using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Garbage;

/// <summary>A removed volume gives back all that it took, with the members that it had.</summary>
public sealed class PurgeTests
{
    private readonly SimulatedScheduler _scheduler = new();
    private readonly LogMembers _members = new();
    private readonly List<GarbageNode> _nodes = [];

    [Fact]
    public void All_chunks_go_whoever_wrote_them_and_whatever_refers_to_them()
    {
        GarbageNode a = Node();
        GarbageNode b = Node();
        ChunkRef[] chunks = [.. Enumerable.Range(0, 9).Select(i => GarbageNode.Chunk(i, a, b))];
        a.Create("present", chunks[0], chunks[1], chunks[2], chunks[3], chunks[4]);
        a.Create("overwritten", chunks[5]);
        a.Overwrite("overwritten", chunks[1], chunks[6]);
        GarbageNode.Exchange(_nodes);
        b.Create("removed", chunks[7], chunks[8]);
        b.Unlink("removed");
        GarbageNode.Exchange(_nodes);
        Assert.False(a.Collector.IsPurged);
        GarbageNode.Settle(_nodes);
        Assert.All(_nodes, node => Assert.DoesNotContain(chunks, node.Has));
        Assert.All(_nodes, node => Assert.True(node.Collector.IsPurged));
        Assert.Equal(a.Node.TableText(), b.Node.TableText());
    }

    /// <summary>Two files with the same content share the list of its chunks: it must be there when the second is looked at.</summary>
    [Fact]
    public void Lists_of_chunks_go_after_what_they_list()
    {
        GarbageNode node = Node();
        ChunkRef[] chunks = [.. Enumerable.Range(0, 5).Select(i => GarbageNode.Chunk(i, node))];
        ChunkRef list = GarbageNode.Chunk(100, node);
        Manifest listed = Manifest.Of([.. chunks.Select(chunk => (ManifestItem)chunk.Whole())]);
        node.ReadList = () => node.Has(list) ? listed : null;
        node.CreateLarge("one", list, listed);
        node.CreateLarge("two", list, listed);
        GarbageNode.Settle(_nodes);
        Assert.DoesNotContain(chunks.Append(list), node.Has);
        Assert.True(node.Collector.IsPurged);
    }

    [Fact]
    public void While_a_list_of_chunks_cannot_be_read_its_chunks_wait()
    {
        GarbageNode node = Node();
        ChunkRef list = GarbageNode.Chunk(100, node);
        node.CreateLarge("one", list, Manifest.Of([GarbageNode.Chunk(1, node).Whole()]));
        GarbageNode.Settle(_nodes);
        Assert.True(node.Has(list));
        Assert.False(node.Collector.IsPurged);
    }

    [Fact]
    public void Nothing_is_condemned_before_all_have_heard_of_the_removal()
    {
        GarbageNode a = Node();
        GarbageNode b = Node();
        _nodes.ForEach(node => node.HaveHeardOfRemoval = false);
        a.Create("f", GarbageNode.Chunk(1, a, b));
        GarbageNode.Settle(_nodes);
        Assert.Empty(a.Queries.Condemned());
        Assert.False(a.Collector.IsPurged);
    }

    /// <summary>Who brings the volume back, with a clone made apart, has not agreed to anything.</summary>
    [Fact]
    public void A_member_to_whom_it_is_not_removed_keeps_what_its_tree_names()
    {
        GarbageNode a = Node();
        GarbageNode b = Node(isRemoved: false);
        ChunkRef chunk = GarbageNode.Chunk(1, a, b);
        a.Create("f", chunk);
        GarbageNode.Settle(_nodes);
        Assert.All(_nodes, node => Assert.True(node.Has(chunk)));
    }

    [Fact]
    public void Its_mark_is_read_as_it_was_written_and_nothing_else_for_one()
    {
        GarbageNode node = Node();
        Assert.Equal(PurgeMark.Begin, PurgeMark.Of(node.Queries));
        PurgeMark mark = new(PurgeStage.Named, new byte[] { TreeKeys.Object, 7 }, 300);
        node.Write(mark.ToPrimitive());
        PurgeMark read = PurgeMark.Of(node.Queries);
        Assert.Equal((mark.Stage, mark.Skip), (read.Stage, read.Skip));
        Assert.Equal(mark.After.ToArray(), read.After.ToArray());
        node.Write(mark.ToPrimitive() with { Rule = new byte[] { PurgeMark.FormatVersion, 9, 0, 0 } });
        Assert.Equal(PurgeMark.Begin, PurgeMark.Of(node.Queries));
    }

    private GarbageNode Node(bool isRemoved = true) => new(
        _scheduler, _nodes.Count + 1, _members, _nodes,
        options: new GarbageOptions { IsRemoved = isRemoved, AddressesMax = 2 });
}
