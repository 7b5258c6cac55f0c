using Cairn.Node.Ports;

namespace Cairn.Node.Tests.Engine;

/// <summary>Workers on the thread pool: the engine under real concurrency, without the daemon's loop.</summary>
internal sealed class PoolWorkers : IWorkers
{
    private readonly List<Exception> _failures = [];

    /// <summary>What escaped from loops.</summary>
    public IReadOnlyList<Exception> Failures
    {
        get
        {
            lock (_failures)
            {
                return [.. _failures];
            }
        }
    }

    public Task<T> Run<T>(WorkPriority priority, Func<T> work, CancellationToken cancellation = default) => Task.Run(work, cancellation);

    public void Start(string name, Func<Task> loop) => _ = Task.Run(async () =>
    {
        try
        {
            await loop();
        }
        catch (OperationCanceledException)
        {
            // How loops end.
        }
        catch (Exception error)
        {
            lock (_failures)
            {
                _failures.Add(error);
            }
        }
    });
}
