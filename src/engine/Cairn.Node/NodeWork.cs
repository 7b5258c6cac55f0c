using Cairn.Core.Primitives;
using Cairn.Node.Ports;

namespace Cairn.Node;

/// <summary>The workers of a node, with a count of its loops: a node that stops waits for them before it closes its stores.</summary>
/// <remarks>What is given to <see cref="Run{T}"/> is awaited by a loop, or by a caller that its door ends first. Thread: any.</remarks>
public sealed class NodeWork(IWorkers workers) : IWorkers
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, int> _loops = new(StringComparer.Ordinal);
    private TaskCompletionSource? _ended;

    /// <summary>The loops that have not ended, by name.</summary>
    public IReadOnlyList<string> UnderWay
    {
        get
        {
            lock (_lock)
            {
                return [.. _loops.Keys];
            }
        }
    }

    /// <inheritdoc/>
    public Task<T> Run<T>(WorkPriority priority, Func<T> work, CancellationToken cancellation = default) =>
        workers.Run(priority, work, cancellation);

    /// <inheritdoc/>
    public void Start(string name, Func<Task> loop)
    {
        lock (_lock)
        {
            _loops[name] = _loops.GetValueOrDefault(name) + 1;
        }

        workers.Start(name, () => Count(name, loop));
    }

    /// <summary>Waits until every loop has ended, those included that begin meanwhile, but not for ever.</summary>
    /// <returns>Whether they have.</returns>
    public async Task<bool> Drain(TimeSpan patience, TimeProvider time)
    {
        Task ended;
        lock (_lock)
        {
            _ended ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_loops.Count == 0)
            {
                return true;
            }

            ended = _ended.Task;
        }

        using CancellationTokenSource enough = new();
        Task first = await Task.WhenAny(ended, Task.Delay(patience, time, enough.Token));
        await enough.CancelAsync();
        return first == ended;
    }

    private async Task Count(string name, Func<Task> loop)
    {
        try
        {
            await loop();
        }
        finally
        {
            Leave(name);
        }
    }

    private void Leave(string name)
    {
        lock (_lock)
        {
            int others = _loops[name] - 1;
            Invariant.That(others >= 0, $"loop {name} ended twice");
            if (others > 0)
            {
                _loops[name] = others;
                return;
            }

            _loops.Remove(name);
            if (_loops.Count == 0)
            {
                _ended?.TrySetResult();
            }
        }
    }
}
