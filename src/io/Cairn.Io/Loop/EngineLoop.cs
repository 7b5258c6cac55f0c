using Cairn.Core.Primitives;
using Cairn.Node.Ports;

namespace Cairn.Io.Loop;

/// <summary>The engine's own thread, and the worker threads it sends slow work to.</summary>
/// <remarks>
/// Invariants: (1) everything posted runs on one thread, in the order of posting; (2) a plain await on that thread
/// resumes on it; (3) workers never run continuations of the engine; (4) an exception that escapes is reported through
/// the callback and ends only the loop it came from.
/// </remarks>
public sealed class EngineLoop : IWorkers, IDisposable
{
    private readonly object _gate = new();
    private readonly Action<LoopFailure> _report;
    private readonly LoopContext _context;
    private readonly Thread _thread;
    private readonly WorkerPool _foreground;
    private readonly WorkerPool _background;
    private List<Posted> _queue = [];
    private List<Posted> _running = [];
    private bool _stopping;

    /// <summary>Starts the loop's thread.</summary>
    /// <param name="report">Told about every exception that escapes; called on the loop's thread, must not throw.</param>
    /// <param name="options">Thread counts; defaults fit a small machine.</param>
    public EngineLoop(Action<LoopFailure> report, EngineLoopOptions? options = null)
    {
        options ??= new EngineLoopOptions();
        _report = report;
        _context = new LoopContext(this);
        _foreground = new WorkerPool("cairn-fg", options.ForegroundThreads, nice: 0);
        _background = new WorkerPool("cairn-bg", options.BackgroundThreads, options.BackgroundNice);
        _thread = new Thread(RunQueue) { IsBackground = true, Name = "cairn-engine" };
        _thread.Start();
    }

    /// <summary>The context that plain awaits on the loop resume on.</summary>
    public SynchronizationContext Context => _context;

    /// <summary>Whether the caller runs on the loop's thread.</summary>
    public bool IsOnLoop => Environment.CurrentManagedThreadId == _thread.ManagedThreadId;

    /// <summary>Runs a callback on the loop, after everything posted before. Dropped once the loop has stopped.</summary>
    public void Post(Action callback) => Post(new Posted(static state => ((Action)state!)(), callback));

    /// <summary>Enters the loop from another thread: runs an asynchronous function there and returns its result.</summary>
    /// <remarks>A caller without a context resumes on the thread pool, never on the loop.</remarks>
    public Task<T> Call<T>(Func<Task<T>> function)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() => _ = CompleteWith(result, function));
        return result.Task;
    }

    /// <inheritdoc/>
    public Task<T> Run<T>(WorkPriority priority, Func<T> work, CancellationToken cancellation = default)
    {
        var item = new WorkItem<T>(work, cancellation);
        (priority == WorkPriority.Foreground ? _foreground : _background).Add(item);
        return item.Task;
    }

    /// <inheritdoc/>
    /// <remarks>Cancellation is how loops end when their node stops; it is not reported.</remarks>
    public void Start(string name, Func<Task> loop) => Post(() => _ = RunLoop(name, loop));

    /// <summary>Stops after what is queued has run, and joins all threads. What is posted later is dropped.</summary>
    public void Dispose()
    {
        Invariant.That(!IsOnLoop, "the loop cannot join itself");
        lock (_gate)
        {
            _stopping = true;
            Monitor.Pulse(_gate);
        }

        _thread.Join();
        _foreground.Dispose();
        _background.Dispose();
    }

    internal void Post(Posted posted)
    {
        lock (_gate)
        {
            if (_stopping)
            {
                return;
            }

            _queue.Add(posted);
            if (_queue.Count == 1)
            {
                Monitor.Pulse(_gate);
            }
        }
    }

    private static async Task CompleteWith<T>(TaskCompletionSource<T> result, Func<Task<T>> function)
    {
        try
        {
            result.TrySetResult(await function());
        }
        catch (OperationCanceledException cancelled)
        {
            result.TrySetCanceled(cancelled.CancellationToken);
        }
#pragma warning disable CA1031 // The caller of Call gets the exception, whatever it is.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            result.TrySetException(failure);
        }
    }

    private async Task RunLoop(string name, Func<Task> loop)
    {
        try
        {
            await loop();
        }
        catch (OperationCanceledException)
        {
            // The loop's node is stopping.
        }
#pragma warning disable CA1031 // The outermost frame of every loop: what escapes is a bug to report, not to die of.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            _report(new LoopFailure(name, failure));
        }
    }

    private void RunQueue()
    {
        SynchronizationContext.SetSynchronizationContext(_context);
        while (TakeQueue())
        {
            foreach (Posted posted in _running)
            {
                RunOne(posted);
            }

            _running.Clear();
        }
    }

    private bool TakeQueue()
    {
        lock (_gate)
        {
            while (_queue.Count == 0)
            {
                if (_stopping)
                {
                    return false;
                }

                Monitor.Wait(_gate);
            }

            (_queue, _running) = (_running, _queue);
            return true;
        }
    }

    private void RunOne(Posted posted)
    {
        try
        {
            posted.Callback(posted.State);
        }
#pragma warning disable CA1031 // The outermost frame of the engine's thread.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            _report(new LoopFailure("callback", failure));
        }
    }

    internal readonly record struct Posted(SendOrPostCallback Callback, object? State);
}
