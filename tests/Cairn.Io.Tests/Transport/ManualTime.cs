namespace Cairn.Io.Tests.Transport;

/// <summary>Time that passes only when told to; its timers fire on the caller's thread.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly List<ManualTimer> _timers = [];
    private long _now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Volatile.Read(ref _now);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(() => callback(state));
        lock (_timers)
        {
            _timers.Add(timer);
        }

        return timer;
    }

    /// <summary>Lets time pass and fires every timer once.</summary>
    internal void Advance(TimeSpan time)
    {
        Volatile.Write(ref _now, _now + time.Ticks);
        ManualTimer[] due;
        lock (_timers)
        {
            due = [.. _timers];
        }

        foreach (ManualTimer timer in due)
        {
            timer.Fire();
        }
    }

    private sealed class ManualTimer(Action callback) : ITimer
    {
        private bool _disposed;

        internal void Fire()
        {
            if (!_disposed)
            {
                callback();
            }
        }

        public bool Change(TimeSpan dueTime, TimeSpan period) => !_disposed;

        public void Dispose() => _disposed = true;

        public ValueTask DisposeAsync()
        {
            _disposed = true;
            return ValueTask.CompletedTask;
        }
    }
}
