namespace Cairn.Node.Replication;

/// <summary>A token bucket for chunk bytes; without a limit it costs nothing. Thread: the engine's loop.</summary>
internal sealed class RateLimiter(TimeProvider time)
{
    private long _last = time.GetTimestamp();
    private double _debtBytes;

    /// <summary>Bytes per second; null is no limit.</summary>
    public long? BytesPerSecond { get; set; }

    /// <summary>Waits until so many bytes may go.</summary>
    public async ValueTask Wait(long bytes)
    {
        if (BytesPerSecond is not { } rate)
        {
            return;
        }

        double elapsed = time.GetElapsedTime(_last).TotalSeconds;
        _last = time.GetTimestamp();
        _debtBytes = Math.Max(0, _debtBytes - (elapsed * rate));
        double wait = _debtBytes / rate;
        _debtBytes += bytes;
        if (wait > 0.001)
        {
            await Task.Delay(TimeSpan.FromSeconds(wait), time);
        }
    }
}
