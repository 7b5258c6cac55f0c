using Cairn.Core.Primitives;

namespace Cairn.Storage;

/// <summary>Group commit: of the callers that come together one syncs, and all get its result.</summary>
/// <remarks>A result covers everything that was written before the call. Threads: any.</remarks>
internal sealed class CommitGate(Func<Result<Unit, StoreError>> sync, Action<Action> background)
{
    private readonly object _gate = new();
    private readonly List<TaskCompletionSource<Result<Unit, StoreError>>> _asynchronous = [];
    private ulong _asked;
    private ulong _covered;
    private bool _syncing;
    private bool _running;
    private Result<Unit, StoreError> _last = Unit.Value;

    /// <summary>Blocks until a sync that began after the call has ended.</summary>
    public Result<Unit, StoreError> Commit()
    {
        ulong covering;
        lock (_gate)
        {
            ulong mine = ++_asked;
            while (_covered < mine && _syncing)
            {
                Monitor.Wait(_gate);
            }

            if (_covered >= mine)
            {
                return _last;
            }

            _syncing = true;
            covering = _asked;
        }

        Result<Unit, StoreError> result = sync();
        lock (_gate)
        {
            _syncing = false;
            _covered = covering;
            _last = result;
            Monitor.PulseAll(_gate);
            return result;
        }
    }

    /// <summary>The same without blocking: the runner commits for everyone who asked meanwhile.</summary>
    public Task<Result<Unit, StoreError>> CommitAsync()
    {
        TaskCompletionSource<Result<Unit, StoreError>> waiter = new(TaskCreationOptions.RunContinuationsAsynchronously);
        bool start;
        lock (_gate)
        {
            _asynchronous.Add(waiter);
            start = !_running;
            _running = true;
        }

        if (start)
        {
            background(RunCommits);
        }

        return waiter.Task;
    }

    private void RunCommits()
    {
        while (true)
        {
            TaskCompletionSource<Result<Unit, StoreError>>[] waiters;
            lock (_gate)
            {
                _running = _asynchronous.Count > 0;
                if (!_running)
                {
                    return;
                }

                waiters = [.. _asynchronous];
                _asynchronous.Clear();
            }

            Result<Unit, StoreError> committed = Commit();
            foreach (TaskCompletionSource<Result<Unit, StoreError>> waiter in waiters)
            {
                waiter.SetResult(committed);
            }
        }
    }
}
