using Cairn.Core.Primitives;
using Cairn.Node.Volumes;
using Cairn.Simulation.Time;

namespace Cairn.Simulation.Campaigns;

/// <summary>Somebody who uses one node: does something, pauses, does the next thing.</summary>
/// <remarks>It dies with its node's process. Thread: that process.</remarks>
internal abstract class Actor
{
    private readonly TimeSpan _thinkTime;
    private TaskCompletionSource _thinking = new();
    private bool _hasEnded;

    /// <summary>Somebody at a machine that runs and has the volume open.</summary>
    protected Actor(SimulatedMachine machine, WorkloadCounters counters, TimeSpan thinkTime, ulong seed)
    {
        Machine = machine;
        Process = machine.Process;
        Volume = machine.Volume ?? throw new InvariantException($"{machine.Options.Name} has no volume");
        Counters = counters;
        _thinkTime = thinkTime;
        Random = new Prng(seed);
    }

    /// <summary>Set to make it end after what it does now; it thinks no further.</summary>
    public bool IsStopping
    {
        get;
        set
        {
            field = value;
            _thinking.TrySetResult();
        }
    }

    /// <summary>Whether it still does something: neither ended nor dead with its process.</summary>
    public bool IsAtWork => !_hasEnded && Process.IsAlive;

    /// <summary>Where it works.</summary>
    protected SimulatedMachine Machine { get; }

    /// <summary>The life of the machine that it shares.</summary>
    protected SimulatedProcess Process { get; }

    /// <summary>The volume as doors see it.</summary>
    protected IVolume Volume { get; }

    /// <summary>What it was answered.</summary>
    protected WorkloadCounters Counters { get; }

    /// <summary>Decides what it does.</summary>
    protected Prng Random { get; }

    /// <summary>Works until told to stop.</summary>
    public async Task Run()
    {
        while (!IsStopping)
        {
            await Think();
            if (!IsStopping)
            {
                await Step();
            }
        }

        _hasEnded = true;
    }

    /// <summary>Does one thing.</summary>
    protected abstract Task Step();

    /// <summary>Waits, between nothing and twice as long.</summary>
    protected Task Pause(TimeSpan mean) => Task.Delay(SomeTime(mean), Process.Time);

    /// <summary>Counts an answer.</summary>
    protected Result<T, VolumeError> Count<T>(Result<T, VolumeError> result)
    {
        Counters.Count(result.IsOk);
        return result;
    }

    private async Task Think()
    {
        _thinking = new TaskCompletionSource();
        using ITimer timer = Process.Time.CreateTimer(
            _ => _thinking.TrySetResult(), null, SomeTime(_thinkTime), Timeout.InfiniteTimeSpan);
        await _thinking.Task;
    }

    private TimeSpan SomeTime(TimeSpan mean) =>
        TimeSpan.FromTicks(1 + (long)(2 * Random.NextDouble() * mean.Ticks));
}
