namespace Cairn.Node.Logs;

/// <summary>Wakes one waiting loop; raising it again before it was heard changes nothing.</summary>
/// <remarks>Thread: <see cref="Raise"/> from any; one waiter.</remarks>
internal sealed class Signal
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Wakes the waiter, or the next one.</summary>
    public void Raise()
    {
        lock (_gate)
        {
            _next.TrySetResult();
        }
    }

    /// <summary>Whether it was raised and not heard yet.</summary>
    public bool IsRaised
    {
        get
        {
            lock (_gate)
            {
                return _next.Task.IsCompleted;
            }
        }
    }

    /// <summary>Completes when it has been raised since the last <see cref="Hear"/>.</summary>
    public Task Raised
    {
        get
        {
            lock (_gate)
            {
                return _next.Task;
            }
        }
    }

    /// <summary>Arms it again.</summary>
    public void Hear()
    {
        lock (_gate)
        {
            if (_next.Task.IsCompleted)
            {
                _next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }
}
