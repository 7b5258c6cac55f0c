namespace Cairn.Io.Loop;

/// <summary>A piece of work on its way to a worker thread.</summary>
internal abstract class WorkItem
{
    /// <summary>Runs the work and completes its task, also when it throws.</summary>
    internal abstract void Execute();

    /// <summary>Completes the task as cancelled: no thread will run it any more.</summary>
    internal abstract void Abandon();
}

/// <inheritdoc/>
internal sealed class WorkItem<T>(Func<T> work, CancellationToken cancellation) : WorkItem
{
    // The await of an engine loop posts to its context by itself; nothing else may run on a worker's thread.
    private readonly TaskCompletionSource<T> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Task<T> Task => _result.Task;

    internal override void Execute()
    {
        if (cancellation.IsCancellationRequested)
        {
            _result.SetCanceled(cancellation);
            return;
        }

        try
        {
            _result.SetResult(work());
        }
        catch (OperationCanceledException cancelled)
        {
            _result.SetCanceled(cancelled.CancellationToken);
        }
#pragma warning disable CA1031 // Whoever awaits the work gets the exception, whatever it is.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            _result.SetException(failure);
        }
    }

    internal override void Abandon() => _result.TrySetCanceled(CancellationToken.None);
}
