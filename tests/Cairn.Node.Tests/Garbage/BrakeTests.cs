using Cairn.Core.Manifests;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Past;
using Cairn.Node.Garbage;
using Cairn.Node.Tests.Logs;
using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Garbage;

/// <summary>One member ruins a volume that keeps nothing: not a chunk goes before somebody decides.</summary>
public sealed class BrakeTests
{
    private const int Files = 40;

    private static readonly BrakeLimits Limits =
        new() { ObjectsMin = 5, VolumeObjectsMin = 20, OwnWork = TimeSpan.Zero };

    private readonly SimulatedScheduler _scheduler = new();
    private readonly LogMembers _members = new();
    private readonly List<GarbageNode> _nodes = [];

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    [InlineData(4, true)]
    public void NothingOfABrakedStretchGoes_HoweverFarTheCollectorIsBehind(int seed, bool rewrites)
    {
        ChunkRef[] chunks = Volume(3);
        GarbageNode ruined = _nodes[seed % 3];
        Prng random = new((ulong)seed);
        for (int file = 0; file < Files; file++)
        {
            Ruin(ruined, file, rewrites);

            // Everybody collects as it goes, having heard much, little or nothing.
            _scheduler.RunFor(TimeSpan.FromSeconds(random.Next(5)));
            for (int turn = 0; turn < random.Next(3); turn++)
            {
                GarbageNode some = _nodes[random.Next(3)];
                GarbageNode.Exchange([some, _nodes[random.Next(3)]]);
                some.Round();
            }
        }

        for (int hour = 0; hour < 3; hour++)
        {
            GarbageNode.Settle(_nodes);
            _scheduler.RunFor(TimeSpan.FromHours(1));
        }

        Assert.All(_nodes, node => Assert.All(chunks, chunk => Assert.True(node.Has(chunk))));
        Assert.All(_nodes, node => Assert.True(MarkOf(node, ruined).IsHeld));
        Release(_nodes[(seed + 1) % 3], ruined);
        GarbageNode.Settle(_nodes);
        Assert.All(_nodes, node => Assert.DoesNotContain(chunks, node.Has));
        Assert.Empty(_nodes[0].Queries.Condemned());
    }

    [Fact]
    public void WhatAnotherRemovesOfTheRuins_IsHeldToo()
    {
        ChunkRef[] chunks = Volume(2);
        (GarbageNode ruined, GarbageNode owner) = (_nodes[0], _nodes[1]);
        for (int file = 0; file < Files; file++)
        {
            Ruin(ruined, file, rewrites: true);
        }

        GarbageNode.Settle(_nodes);
        owner.Unlink("f0");
        _scheduler.RunFor(TimeSpan.FromHours(1));
        GarbageNode.Settle(_nodes);
        Assert.All(chunks, chunk => Assert.True(ruined.Has(chunk)));
    }

    [Fact]
    public void ASmallPart_GoesAfterTheDelay()
    {
        ChunkRef[] chunks = Volume(2);
        _nodes[1].Unlink("f0");
        GarbageNode.Settle(_nodes);
        Assert.True(_nodes[0].Has(chunks[0]));
        _scheduler.RunFor(TimeSpan.FromMinutes(6));
        GarbageNode.Settle(_nodes);
        Assert.Equal([false, true], chunks.Take(2).Select(_nodes[0].Has));
        Assert.False(MarkOf(_nodes[0], _nodes[1]).IsHeld);
    }

    /// <summary>A look that walked for long rests for long. What is removed meanwhile is as old as it is.</summary>
    [Fact]
    public void WhatIsRemovedWhileTheCollectorRests_AgesFromThenOn()
    {
        ChunkRef[] chunks = Volume(1);
        GarbageNode node = _nodes[0];
        ChunkRef list = GarbageNode.Chunk(Files, node);
        Manifest listed = Manifest.Of([GarbageNode.Chunk(Files + 1, node).Whole()]);
        node.ReadList = () => listed;
        node.Reading = TimeSpan.FromSeconds(30);
        node.CreateLarge("large", list, listed);
        node.Collector.Start(node.Node.Process);
        node.Unlink("f0");
        TimeSpan first = Until(() => !node.Has(chunks[0]));
        _scheduler.RunFor(TimeSpan.FromSeconds(60));
        node.Unlink("f1");
        TimeSpan second = Until(() => !node.Has(chunks[1]));
        Assert.InRange(first, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(6));
        Assert.InRange(second, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(11));
    }

    private TimeSpan Until(Func<bool> condition)
    {
        TimeSpan began = _scheduler.Now;
        while (!condition())
        {
            _scheduler.RunFor(TimeSpan.FromSeconds(1));
            Assert.InRange(_scheduler.Now - began, TimeSpan.Zero, TimeSpan.FromHours(1));
        }

        return _scheduler.Now - began;
    }

    [Fact]
    public void AfterARelease_TheNextDisasterIsBrakedAgain()
    {
        ChunkRef[] chunks = Volume(2);
        GarbageNode ruined = _nodes[1];
        Enumerable.Range(0, 15).ToList().ForEach(file => Ruin(ruined, file, rewrites: false));
        GarbageNode.Settle(_nodes);
        Release(_nodes[0], ruined);
        GarbageNode.Settle(_nodes);
        Enumerable.Range(15, 15).ToList().ForEach(file => Ruin(ruined, file, rewrites: false));
        _scheduler.RunFor(TimeSpan.FromHours(1));
        GarbageNode.Settle(_nodes);
        Assert.Equal(
            Enumerable.Range(0, Files).Select(file => file >= 15), chunks.Select(chunk => _nodes[0].Has(chunk)));
    }

    [Fact]
    public void AMarkComesBackFromItsBytes()
    {
        LogId log = new(new NodeId(new byte[NodeId.Size]), 1);
        BrakeMark mark = new(7, 3, new Takings(log, 7, new WallTime(-5), new WallTime(9), 1, 2, 3, 4));
        byte[] bytes = mark.ToPrimitive().Rule.ToArray();
        Assert.Equal("01070301020304FBFFFFFFFFFFFFFF0900000000000000", Convert.ToHexString(bytes));
        Assert.Equal(mark, BrakeMark.Decode(bytes, log));
        Assert.Null(BrakeMark.Decode(bytes.AsSpan(1), log));
        Assert.Null(BrakeMark.Decode([.. bytes, 0], log));
    }

    private ChunkRef[] Volume(int nodes)
    {
        for (int number = 0; number < nodes; number++)
        {
            _ = new GarbageNode(_scheduler, number + 1, _members, _nodes, Limits);
        }

        ChunkRef[] chunks = [.. Enumerable.Range(0, Files).Select(i => GarbageNode.Chunk(i, [.. _nodes]))];
        for (int file = 0; file < Files; file++)
        {
            _nodes[file % nodes].Create($"f{file}", chunks[file]);
        }

        GarbageNode.Settle(_nodes);
        return chunks;
    }

    private static void Ruin(GarbageNode node, int file, bool rewrites)
    {
        if (rewrites)
        {
            node.Overwrite($"f{file}", GarbageNode.Chunk(1000 + file, node));
        }
        else
        {
            node.Unlink($"f{file}");
        }
    }

    private static BrakeMark MarkOf(GarbageNode node, GarbageNode judged) =>
        BrakeMark.Of(node.Queries, judged.Node.Log.OwnLogId);

    private static void Release(GarbageNode by, GarbageNode judged)
    {
        BrakeMark held = MarkOf(by, judged);
        by.Write(new BrakeMark(0, by.Node.Log.Fold.LastOf(judged.Node.Log.OwnLogId), held.Taken).ToPrimitive());
    }
}
