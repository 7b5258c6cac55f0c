namespace Cairn.Node.Pool;

/// <summary>Waits that stay on the engine's context.</summary>
/// <remarks>
/// CancellationTokenSource.CancelAsync runs what was registered on the thread pool, and so leaves the engine (and the
/// simulator): sources are cancelled in place.
/// </remarks>
internal static class Waiting
{
    /// <summary>Waits for a task, but not longer than a time; the timer is gone when this returns.</summary>
    public static async Task AtMost(
        Task first, TimeSpan atMost, TimeProvider time, CancellationToken cancellation = default)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await Task.WhenAny(first, Task.Delay(atMost, time, stop.Token));
        End(stop);
    }

    /// <summary>Cancels on this thread.</summary>
    public static void End(CancellationTokenSource source) => source.Cancel();
}
