using Cairn.Core.Manifests;
using Cairn.Core.Rules;
using Cairn.Node.Garbage;
using Cairn.Node.Tests.Logs;
using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Garbage;

/// <summary>Who removes much gets it back soon: the steps of large condemnations follow each other at once.</summary>
public sealed class LargeCondemnationTests
{
    private const int Files = 80;
    private const int AddressesMax = 8;

    private readonly SimulatedScheduler _scheduler = new();
    private readonly LogMembers _members = new();
    private readonly List<GarbageNode> _nodes = [];

    [Fact]
    public void WhatManyCondemnationsName_IsGoneInSecondsEach()
    {
        // More than ten condemnations, each acknowledged, carried out and settled by three nodes.
        TimeSpan atOnce = RemoveAll(largeFrom: 2);
        Assert.InRange(atOnce, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(100));
    }

    [Fact]
    public void WhatIsSmall_TakesItsTime() =>
        Assert.InRange(
            RemoveAll(largeFrom: AddressesMax + 1), TimeSpan.FromSeconds(200), TimeSpan.FromMinutes(20));

    /// <summary>The collector rests for a multiple of what its looks took. That a large file was on its way is no look.</summary>
    [Fact]
    public void WhoWaitsForAPublication_DoesNotRestFromIt()
    {
        ChunkRef[] chunks = Start(largeFrom: AddressesMax + 1);
        _nodes.ForEach(static node => node.Publishing = TimeSpan.FromSeconds(30));
        _nodes[0].Unlink("file 0");
        TimeSpan began = _scheduler.Now;
        Until(() => _nodes.TrueForAll(node => !node.Has(chunks[0])));
        Assert.InRange(_scheduler.Now - began, TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(3));
    }

    [Fact]
    public void WhoCannotAnswer_IsNotAskedAtEveryChange()
    {
        ChunkRef[] chunks = Start(largeFrom: 1);
        _nodes.ForEach(static node => node.Node.Log.Seal());
        GarbageNode absent = _nodes[2];
        absent.IsReturning = true;
        _nodes[0].Unlink("file 0");
        for (int second = 0; second < 300; second++)
        {
            _nodes[0].Create($"noise {second}");
            Pass();
        }

        // It agrees to nothing: nothing goes, and a look a second would be three hundred.
        Assert.True(_nodes.TrueForAll(node => node.Has(chunks[0])));
        Assert.InRange(absent.Looks, 0, 1);
        Assert.InRange(_nodes[1].Looks, 1, 80);
        absent.IsReturning = false;
        Until(() => _nodes.TrueForAll(node => !node.Has(chunks[0])));
    }

    private TimeSpan RemoveAll(int largeFrom)
    {
        ChunkRef[] chunks = Start(largeFrom);
        for (int i = 0; i < Files; i++)
        {
            _nodes[0].Unlink($"file {i}");
        }

        TimeSpan began = _scheduler.Now;
        Until(() => _nodes.TrueForAll(node => !chunks.Any(node.Has)));
        return _scheduler.Now - began;
    }

    private ChunkRef[] Start(int largeFrom)
    {
        for (int i = 1; i <= 3; i++)
        {
            _ = new GarbageNode(_scheduler, i, _members, _nodes, options: new GarbageOptions
            {
                Keep = Retention.None,
                AddressesMax = AddressesMax,
                LargeFrom = largeFrom,
            });
        }

        ChunkRef[] chunks = [.. Enumerable.Range(0, Files).Select(i => GarbageNode.Chunk(i, [.. _nodes]))];
        for (int i = 0; i < Files; i++)
        {
            _nodes[0].Create($"file {i}", chunks[i]);
        }

        GarbageNode.Exchange(_nodes);
        _nodes.ForEach(static node => node.Collector.Start(node.Node.Process));
        return chunks;
    }

    private void Until(Func<bool> condition)
    {
        for (TimeSpan end = _scheduler.Now + TimeSpan.FromMinutes(20); !condition(); Pass())
        {
            Assert.True(_scheduler.Now < end);
        }
    }

    private void Pass()
    {
        for (int tick = 0; tick < 10; tick++)
        {
            _scheduler.RunFor(TimeSpan.FromMilliseconds(100));
            GarbageNode.Exchange(_nodes);
        }
    }
}
