namespace Cairn.Node;

/// <summary>Tells whoever waits for a node to get somewhere that it got on. Thread: the engine's loop.</summary>
internal sealed class NodeProgress
{
    /// <summary>Who shows somebody how it gets on says so as often as this, though nothing be new.</summary>
    public static readonly TimeSpan ReportEvery = TimeSpan.FromMilliseconds(200);

    private TaskCompletionSource _next = new();

    /// <summary>Completes when it is raised next.</summary>
    public Task Next => _next.Task;

    /// <summary>Something went on.</summary>
    public void Raise()
    {
        TaskCompletionSource reached = _next;
        _next = new TaskCompletionSource();
        reached.TrySetResult();
    }
}
