namespace Cairn.Node.Logs;

/// <summary>Wakes one waiting loop; raising it again before it was heard changes nothing.</summary>
/// <remarks>
/// The waiter goes on in its own context, never inside <see cref="Raise"/>, which may be called under a lock. There is no
/// Task.WhenAny in it: that would go over the thread pool, and a simulated engine would be ahead of it.
/// Thread: <see cref="Raise"/> from any; one waiter.
/// </remarks>
internal sealed class Signal
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _waiter;
    private bool _isRaised;

    /// <summary>Whether it was raised and not heard yet.</summary>
    public bool IsRaised
    {
        get
        {
            lock (_gate)
            {
                return _isRaised;
            }
        }
    }

    /// <summary>Wakes the waiter, or the next one.</summary>
    public void Raise()
    {
        lock (_gate)
        {
            _isRaised = true;
            _waiter?.TrySetResult();
            _waiter = null;
        }
    }

    /// <summary>Arms it again.</summary>
    public void Hear()
    {
        lock (_gate)
        {
            _isRaised = false;
        }
    }

    /// <summary>Waits until it has been raised since the last <see cref="Hear"/>.</summary>
    public Task Wait() => Wait(CancellationToken.None);

    /// <summary>Waits until it has been raised since the last <see cref="Hear"/>.</summary>
    public async Task Wait(CancellationToken cancellation)
    {
        if (NewWaiter() is { } waiter)
        {
            using CancellationTokenRegistration end = EndOn(waiter, cancellation);
            await waiter.Task;
        }
    }

    /// <summary>Waits until it was raised, but not longer than a time.</summary>
    public async Task Wait(TimeSpan atMost, TimeProvider time, CancellationToken cancellation = default)
    {
        if (NewWaiter() is { } waiter)
        {
            using ITimer timer = time.CreateTimer(
                static late => ((TaskCompletionSource)late!).TrySetResult(), waiter, atMost, Timeout.InfiniteTimeSpan);
            using CancellationTokenRegistration end = EndOn(waiter, cancellation);
            await waiter.Task;
        }
    }

    private static CancellationTokenRegistration EndOn(TaskCompletionSource waiter, CancellationToken cancellation) =>
        cancellation.UnsafeRegister(
            static (ended, token) => ((TaskCompletionSource)ended!).TrySetCanceled(token), waiter);

    private TaskCompletionSource? NewWaiter()
    {
        lock (_gate)
        {
            return _isRaised
                ? null
                : _waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
