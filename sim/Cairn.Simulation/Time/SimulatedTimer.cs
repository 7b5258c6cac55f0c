namespace Cairn.Simulation.Time;

/// <summary>A timer on virtual time; its callback runs in its process's context, and never after the process was killed.</summary>
public sealed class SimulatedTimer : ITimer
{
    private readonly SimulatedScheduler _scheduler;
    private readonly SimulatedProcess? _process;
    private readonly TimerCallback _callback;
    private readonly object? _state;
    private TimeSpan _period = Timeout.InfiniteTimeSpan;
    private long _armed;

    internal SimulatedTimer(SimulatedScheduler scheduler, SimulatedProcess? process, TimerCallback callback, object? state)
    {
        _scheduler = scheduler;
        _process = process;
        _callback = callback;
        _state = state;
    }

    /// <inheritdoc/>
    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        _period = period > TimeSpan.Zero ? period : Timeout.InfiniteTimeSpan;
        _armed = dueTime == Timeout.InfiniteTimeSpan ? 0 : _scheduler.Enqueue(this, dueTime);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _armed = 0;

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    internal bool IsDue(long order) => order == _armed && _process is not { IsAlive: false };

    internal void Fire(long dueTicks)
    {
        _armed = _period == Timeout.InfiniteTimeSpan
            ? 0
            : _scheduler.Enqueue(this, TimeSpan.FromTicks(dueTicks) + _period - _scheduler.Now);
        _scheduler.Invoke(_process, _ => _callback(_state), null);
    }
}
