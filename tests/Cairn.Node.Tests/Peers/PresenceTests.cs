using System.Text;
using Cairn.Core.Primitives;
using Cairn.Node.Volumes;

namespace Cairn.Node.Tests.Peers;

/// <summary>Who opens for writing what another has open sees it, and is not prevented.</summary>
public sealed class PresenceTests
{
    private static readonly ReadOnlyMemory<byte> Attribute = "user.cairn.open"u8.ToArray();

    [Fact]
    public void What_is_open_on_one_node_is_shown_on_the_other_until_it_is_closed()
    {
        PoolBench bench = Pair(out BenchNode one, out BenchNode two);
        OpenHandle mine = Open(bench, one, "plan");
        bench.Until(() => Elsewhere(two, "plan") == "node0", "the other is told", TimeSpan.FromSeconds(3));
        Assert.Equal(["plan node0"], List(two));
        Assert.Equal(["plan node0 here"], List(one));
        Assert.Equal(VolumeError.NoAttribute, Value(one, "plan").Error);
        Assert.Equal(VolumeError.NoAttribute, Value(two, "other").Error);
        Assert.DoesNotContain(Notes(two), line => line.Contains("plan", StringComparison.Ordinal));

        OpenHandle theirs = Open(bench, two, "plan");
        Assert.Contains("shared/plan is open for writing here and on node0.", Notes(two));
        bench.Until(
            () => Notes(one).Contains("shared/plan is open for writing here and on node1."), "the first is told");
        Assert.Equal(["plan node0 here", "plan node1"], List(one));

        Close(bench, one, mine);
        Close(bench, two, theirs);
        bench.Until(() => List(one).Count + List(two).Count == 0, "nothing is open", TimeSpan.FromSeconds(3));
    }

    [Fact]
    public void A_node_that_vanished_is_believed_for_a_while_only()
    {
        PoolBench bench = Pair(out BenchNode one, out BenchNode two);
        Open(bench, one, "plan");
        bench.Until(() => Elsewhere(two, "plan") == "node0", "the other is told");
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(2));
        Assert.Equal("node0", Elsewhere(two, "plan"));
        one.Kill();
        bench.Until(() => Elsewhere(two, "plan").Length == 0, "it lapses", TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void The_attribute_is_in_no_listing_and_cannot_be_set()
    {
        PoolBench bench = Pair(out BenchNode one, out BenchNode two);
        Open(bench, one, "plan");
        bench.Until(() => Elsewhere(two, "plan") == "node0", "the other is told");
        Assert.Equal("node0", Encoding.UTF8.GetString(Value(two, "plan").Value.Span));
        InodeNumber file = Find(two, "plan");
        Assert.Empty(bench.Do(two, () => two.Drive.ListExtendedAttributes(file).AsTask()).Value);
        Assert.Equal(VolumeError.NotPermitted, bench.Do(two, () => two.Drive.SetExtendedAttribute(
            file, Attribute, "me"u8.ToArray(), AttributeWriteMode.Any, Caller.Daemon).AsTask()).Error);
    }

    private static PoolBench Pair(out BenchNode one, out BenchNode two)
    {
        PoolBench bench = PoolBench.WithDrives(2, 31);
        (one, two) = (bench.Nodes[0], bench.Nodes[1]);
        BenchNode reader = two;
        Assert.True(bench.Put(one, "plan", [1, 2, 3]).IsOk);
        Assert.True(bench.Put(one, "other", [4]).IsOk);
        bench.Until(
            () => bench.Get(reader, "plan") is not null && bench.Get(reader, "other") is not null, "all is there");
        return bench;
    }

    private static OpenHandle Open(PoolBench bench, BenchNode node, string name) => bench.Do(node, async () =>
        (await node.Drive.Open(Find(node, name), OpenIntent.Write, Caller.Daemon)).Value.Handle);

    private static void Close(PoolBench bench, BenchNode node, OpenHandle handle) =>
        Assert.True(bench.Do(node, () => node.Drive.Release(handle).AsTask()).IsOk);

    private static InodeNumber Find(BenchNode node, string name) =>
        node.Drive.Resolve(name).AsTask().GetAwaiter().GetResult().Value.Inode;

    private static string Elsewhere(BenchNode node, string name) =>
        string.Join(',', node.Drive.Presence!.Elsewhere(Find(node, name)));

    private static Result<ReadOnlyMemory<byte>, VolumeError> Value(BenchNode node, string name) =>
        node.Drive.GetExtendedAttribute(Find(node, name), Attribute).AsTask().GetAwaiter().GetResult();

    private static List<string> List(BenchNode node) =>
    [
        .. node.Drive.Presence!.All()
            .Select(file => $"{file.Path} {file.NodeName}{(file.IsHere ? " here" : string.Empty)}"),
    ];

    private static List<string> Notes(BenchNode node) =>
        [.. node.Node.Diary.After(0, 100).Where(line => line.Source == "open files").Select(line => line.Text)];
}
