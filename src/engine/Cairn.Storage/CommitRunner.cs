using Cairn.Core.Primitives;

namespace Cairn.Storage;

/// <summary>Commits away from callers that must not block: one commit for all who asked while the last one ran.</summary>
/// <remarks>Has a lock of its own, held over no call. Threads: any.</remarks>
/// <param name="commit">Makes durable what was written before it was called; blocks.</param>
/// <param name="background">Runs an action soon, away from the caller.</param>
internal sealed class CommitRunner(Func<Result<Unit, StoreError>> commit, Action<Action> background)
{
    private readonly Lock _gate = new();
    private List<TaskCompletionSource<Result<Unit, StoreError>>> _waiters = [];
    private bool _isRunning;

    /// <summary>Completes when a commit that began after the call has ended, with its result.</summary>
    public Task<Result<Unit, StoreError>> CommitAsync()
    {
        TaskCompletionSource<Result<Unit, StoreError>> waiter = new(TaskCreationOptions.RunContinuationsAsynchronously);
        bool start;
        lock (_gate)
        {
            _waiters.Add(waiter);
            start = !_isRunning;
            _isRunning = true;
        }

        if (start)
        {
            background(Run);
        }

        return waiter.Task;
    }

    private void Run()
    {
        while (true)
        {
            List<TaskCompletionSource<Result<Unit, StoreError>>> waiters;
            lock (_gate)
            {
                _isRunning = _waiters.Count > 0;
                if (!_isRunning)
                {
                    return;
                }

                waiters = _waiters;
                _waiters = [];
            }

            Result<Unit, StoreError> committed = commit();
            foreach (TaskCompletionSource<Result<Unit, StoreError>> waiter in waiters)
            {
                waiter.SetResult(committed);
            }
        }
    }
}
