using Cairn.Node.Pool;

namespace Cairn.Node.Replication;

/// <summary>A token bucket for chunk bytes of one direction, over all links; without a limit it costs nothing.</summary>
/// <remarks>
/// What was let through is a debt that is worn off at the limit's rate; whoever comes waits until the debt before it is
/// gone. So the first bytes after a rest go at once, and over time the rate is kept. Who waits when the limit changes
/// waits by the new one. Thread: the engine's loop.
/// </remarks>
internal sealed class RateLimiter(TimeProvider time)
{
    /// <summary>A timer's longest: a slow limit's debt can be longer than any timer runs.</summary>
    private static readonly TimeSpan PauseMax = TimeSpan.FromHours(1);

    private static readonly TimeSpan PauseMin = TimeSpan.FromMilliseconds(1);
    private TaskCompletionSource _changed = new();
    private long _last = time.GetTimestamp();
    private long? _rate;
    private double _counted;
    private double _worn;
    private bool _isStopped;

    /// <summary>Bytes per second; null is no limit.</summary>
    public long? BytesPerSecond
    {
        get => _rate;
        set
        {
            WearOff();
            _rate = value;
            Wake();
        }
    }

    /// <summary>Waits until so many bytes may go, and counts them.</summary>
    public ValueTask Wait(long bytes)
    {
        ValueTask turn = Wait();
        Count(bytes);
        return turn;
    }

    /// <summary>Waits until more may go; how much it was is said by <see cref="Count"/>, when it is known.</summary>
    public ValueTask Wait() => Left(_counted) > PauseMin ? Until(_counted) : default;

    /// <summary>Counts bytes that went without waiting.</summary>
    public void Count(long bytes)
    {
        if (_rate is not null)
        {
            _counted += bytes;
        }
    }

    /// <summary>Nobody waits any more: the node ends.</summary>
    public void Stop()
    {
        _isStopped = true;
        Wake();
    }

    private async ValueTask Until(double before)
    {
        for (TimeSpan left = Left(before); left > PauseMin; left = Left(before))
        {
            await Waiting.AtMost(_changed.Task, left, time);
        }
    }

    /// <summary>How long it takes until all that was counted before is worn off.</summary>
    private TimeSpan Left(double before)
    {
        WearOff();
        return _rate is { } rate && !_isStopped
            ? TimeSpan.FromSeconds(Math.Min((before - _worn) / rate, PauseMax.TotalSeconds))
            : TimeSpan.Zero;
    }

    private void WearOff()
    {
        double elapsed = time.GetElapsedTime(_last).TotalSeconds;
        _last = time.GetTimestamp();
        _worn = _rate is { } rate ? Math.Min(_counted, _worn + (elapsed * rate)) : _counted;
    }

    private void Wake()
    {
        TaskCompletionSource changed = _changed;
        _changed = new TaskCompletionSource();
        changed.TrySetResult();
    }
}
