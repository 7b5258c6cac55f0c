namespace Cairn.Simulation.Network;

/// <summary>A queue that one reader at a time waits on.</summary>
internal sealed class Inbox<T>
{
    private readonly Queue<T> _items = new();
    private TaskCompletionSource<T>? _waiting;

    /// <summary>Items nobody took yet.</summary>
    public int Count => _items.Count;

    /// <summary>Adds an item; a waiting reader gets it.</summary>
    public void Put(T item)
    {
        if (_waiting is { } waiting)
        {
            _waiting = null;
            if (waiting.TrySetResult(item))
            {
                return;
            }
        }

        _items.Enqueue(item);
    }

    /// <summary>Nobody will take anything any more: who waits is let go of, and stays waiting.</summary>
    public void Abandon()
    {
        _waiting = null;
        _items.Clear();
    }

    /// <summary>The next item.</summary>
    /// <exception cref="OperationCanceledException">The wait was given up.</exception>
    public async Task<T> Take(CancellationToken cancellation)
    {
        if (_items.TryDequeue(out T? item))
        {
            return item;
        }

        TaskCompletionSource<T> waiting = new();
        _waiting = waiting;
        using CancellationTokenRegistration registration = cancellation.Register(() => waiting.TrySetCanceled(cancellation));
        return await waiting.Task;
    }
}
