using Cairn.Core.Primitives;
using Cairn.Node.Logs;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Indexes;
using Cairn.Simulation.Time;
using Cairn.Storage.Journaling;

namespace Cairn.Node.Tests.Logs;

/// <summary>A draft that became a version is not published again, whatever was lost here of what the version builds on.</summary>
public sealed class EndedLayersTests
{
    private readonly SimulatedScheduler _scheduler = new();
    private readonly LogMembers _members = new();

    /// <summary>
    /// Published again it would come before what it replaced, on all nodes, and show what was collected since
    /// (cairn simulate, seed 30602: a chunk that a file needs, and nobody has).
    /// </summary>
    [Fact]
    public void ALayerThatAnOwnBlockEnded_StaysEnded_ThoughTheBlockWaitsForOneThatRotted()
    {
        LogNode node = Node(1).Open();
        LogNode peer = Node(2).Open();
        peer.Create("a");
        Assert.True(peer.Log.Seal().IsOk);
        node.PullFrom(peer);
        var layer = new VersionId(node.Fresh());
        var other = new VersionId(node.Fresh());
        JournalPosition begun = Begin(node, layer);
        Begin(node, other);
        Assert.True(node.TryCreate("b", new EndedLayer(layer, begun)));
        node.Journal.Release(begun);
        Assert.True(node.Log.Seal().IsOk);
        node.Crash(CrashKind.ProcessKilled);
        string file = node.Disk.Files.Single(path => path.Contains($"{peer.Identity.Node}", StringComparison.Ordinal));
        node.Disk.FlipBit(file, node.Disk.LengthOf(file) - 80, 3);
        node.Index = new SimulatedIndex();
        node.Open();
        Assert.Empty(node.Names());
        Assert.Equal(other, Assert.Single(node.Others).Entry.Layer);
        node.PullFrom(peer);
        Assert.Equal(["a", "b"], node.Names());
    }

    private static JournalPosition Begin(LogNode node, VersionId layer) => node.Drafts.Append(
        new JournalEntry { Type = JournalEntryType.LayerBegun, Layer = layer }, [], out _).Value;

    private LogNode Node(int number)
    {
        var node = new LogNode(_scheduler, number, _members);
        _members.Grant(node.Identity);
        return node;
    }
}
