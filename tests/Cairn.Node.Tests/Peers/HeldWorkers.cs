using Cairn.Node.Ports;

namespace Cairn.Node.Tests.Peers;

/// <summary>Workers whose work waits while a test holds them, as behind a disk that does not answer.</summary>
internal sealed class HeldWorkers(IWorkers inner) : IWorkers
{
    private TaskCompletionSource? _held;

    public void Hold() => _held = new TaskCompletionSource();

    public void Release()
    {
        TaskCompletionSource? held = _held;
        _held = null;
        held?.SetResult();
    }

    public void Start(string name, Func<Task> loop) => inner.Start(name, loop);

    public async Task<T> Run<T>(WorkPriority priority, Func<T> work, CancellationToken cancellation = default)
    {
        if (_held is { } held)
        {
            await held.Task;
        }

        return await inner.Run(priority, work, cancellation);
    }
}
