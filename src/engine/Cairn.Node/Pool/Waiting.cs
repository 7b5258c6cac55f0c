namespace Cairn.Node.Pool;

/// <summary>Waits that stay on the engine's context.</summary>
/// <remarks>
/// CancellationTokenSource.CancelAsync runs what was registered on the thread pool, and Task.WhenAny continues there when a
/// task was made to run its continuations asynchronously: both leave the engine (and the simulator). Hence neither is used.
/// </remarks>
internal static class Waiting
{
    /// <summary>Waits for a task, but not longer than a time; the timer is gone when this returns.</summary>
    /// <remarks>A failure of the task, or the end of the wait by cancellation, is not thrown: whoever waits looks.</remarks>
    public static async Task AtMost(
        Task first, TimeSpan atMost, TimeProvider time, CancellationToken cancellation = default)
    {
        TaskCompletionSource over = new();
        using ITimer timer = time.CreateTimer(_ => over.TrySetResult(), null, atMost, Timeout.InfiniteTimeSpan);
        using CancellationTokenRegistration givenUp = cancellation.Register(() => over.TrySetResult());
        first.GetAwaiter().OnCompleted(() => over.TrySetResult());
        await over.Task;
    }

    /// <summary>Cancels on this thread.</summary>
    public static void End(CancellationTokenSource source) => source.Cancel();
}
