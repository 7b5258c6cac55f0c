namespace Cairn.Node.Replication;

/// <summary>A token bucket for chunk bytes of one direction, over all links; without a limit it costs nothing.</summary>
/// <remarks>
/// What was let through is a debt that is worn off at the limit's rate; whoever comes waits until the debt before it is
/// gone. So the first bytes after a rest go at once, and over time the rate is kept. Thread: the engine's loop.
/// </remarks>
internal sealed class RateLimiter(TimeProvider time)
{
    private long _last = time.GetTimestamp();
    private double _debtBytes;

    /// <summary>Bytes per second; null is no limit.</summary>
    public long? BytesPerSecond { get; set; }

    /// <summary>Waits until so many bytes may go, and counts them.</summary>
    public ValueTask Wait(long bytes)
    {
        TimeSpan wait = Debt();
        Count(bytes);
        return Pause(wait);
    }

    /// <summary>Waits until more may go; how much it was is said by <see cref="Count"/>, when it is known.</summary>
    public ValueTask Wait() => Pause(Debt());

    /// <summary>Counts bytes that went without waiting.</summary>
    public void Count(long bytes)
    {
        if (BytesPerSecond is not null)
        {
            _debtBytes += bytes;
        }
    }

    private TimeSpan Debt()
    {
        if (BytesPerSecond is not { } rate)
        {
            _debtBytes = 0;
            return TimeSpan.Zero;
        }

        double elapsed = time.GetElapsedTime(_last).TotalSeconds;
        _last = time.GetTimestamp();
        _debtBytes = Math.Max(0, _debtBytes - (elapsed * rate));
        return TimeSpan.FromSeconds(_debtBytes / rate);
    }

    private async ValueTask Pause(TimeSpan wait)
    {
        if (wait > TimeSpan.FromMilliseconds(1))
        {
            await Task.Delay(wait, time);
        }
    }
}
