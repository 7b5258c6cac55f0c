using System.Text;
using Cairn.Node.Volumes;
using Cairn.Node.WritePath;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Engine;

/// <summary>Small files that are closed one soon after another share a bundle; one that comes alone does not wait for others.</summary>
public sealed class PublisherGatherTests
{
    private static readonly TimeSpan Gather = TimeSpan.FromHours(1);
    private static readonly Caller User = new(1, 2, 3);

    private readonly SimulatedScheduler _scheduler = new();
    private readonly EngineNode _node = new(new SimulatedDisk())
    {
        IsAlone = false,
        Publishing = new PublishOptions { Gather = Gather },
    };

    public PublisherGatherTests()
    {
        SimulatedProcess process = _scheduler.CreateProcess("node");
        Assert.True(_node.TryOpen(process, process.Time).IsOk);
        _scheduler.RunFor(2 * Gather);
    }

    [Fact]
    public void A_save_after_a_rest_is_published_at_once()
    {
        Save("a");
        _scheduler.RunFor(TimeSpan.FromSeconds(1));
        Assert.False(_node.Engine.HasUnpublishedWrites);
    }

    [Fact]
    public void A_save_soon_after_another_waits_for_more()
    {
        Save("a");
        _scheduler.RunFor(TimeSpan.FromSeconds(1));
        Save("b");
        _scheduler.RunFor(TimeSpan.FromMinutes(10));
        Assert.True(_node.Engine.HasUnpublishedWrites);
        _scheduler.RunFor(Gather);
        Assert.False(_node.Engine.HasUnpublishedWrites);
    }

    private void Save(string name)
    {
        OpenedFile open = Wait(_node.Engine.Create(
            InodeNumber.Root, Encoding.UTF8.GetBytes(name), 0x1A4, OpenIntent.Read | OpenIntent.Write, User)).Value;
        Assert.True(Wait(_node.Engine.Write(open.Handle, 0, new byte[3000])).IsOk);
        Assert.True(Wait(_node.Engine.Release(open.Handle)).IsOk);
    }

    private T Wait<T>(ValueTask<T> call)
    {
        Task<T> task = call.AsTask();
        return task.IsCompleted ? task.Result : _scheduler.Complete(task, TimeSpan.FromMinutes(1));
    }
}
